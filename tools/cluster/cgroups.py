"""One group of processes for each cluster, in every hierarchy that the machine has.

Called by `keeper`, which makes and removes the group, and by `inside`, which
shows it to the cluster as if it were the machine's whole tree.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_INHERITED = ("cpuset.cpus", "cpuset.mems")
"""Empty in a new group of version 1, which then takes no process."""

_PATIENCE_SECONDS = 20
_HAND_ON_SECONDS = 10


@dataclass(frozen=True)
class Hierarchy:
    """A mounted tree of control groups."""

    folder: Path
    options: str
    """Mount options of version 1, such as ``cpu,cpuacct``; empty for version 2."""


def hierarchies(mounts: str | None = None) -> list[Hierarchy]:
    """Return all trees of version 1, or where there are none the one of version 2.

    A hybrid machine has both. Version 1 has the limits there, and what looks at the
    mounts (runc, the kubelet) takes the machine for one of version 1.

    Args:
        mounts: text in the form of ``/proc/self/mounts``; this process' own if not given.
    """
    text = mounts if mounts is not None else Path("/proc/self/mounts").read_text()
    rows = [line.split() for line in text.splitlines()]
    first = [_first_version(row) for row in rows if row[2] == "cgroup"]
    return first or [Hierarchy(Path(row[1]), "") for row in rows if row[2] == "cgroup2"][:1]


def _first_version(row: list[str]) -> Hierarchy:
    common = {"rw", "ro", "relatime", "noatime", "nosuid", "nodev", "noexec", "xattr", "seclabel"}
    words = [word for word in row[3].split(",") if word not in common]
    if any("=" in word for word in words):
        words = ["none", *words]  # name=systemd: limits nothing, but containers are in it too
    return Hierarchy(Path(row[1]), ",".join(words))


def make(name: str) -> list[Path]:
    """Make a group in every hierarchy and return the folders."""
    folders = []
    for hierarchy in hierarchies():
        folder = hierarchy.folder / name
        folder.mkdir(exist_ok=True)
        for file in _INHERITED if hierarchy.options else ():
            if (folder / file).exists() and not (folder / file).read_text().strip():
                (folder / file).write_text((hierarchy.folder / file).read_text())
        folders.append(folder)
    return folders


def step_aside(name: str, pid: int) -> None:
    """Move a process into a group of its own below a group of version 2.

    There only groups without processes hand their limits on to groups below them.
    """
    for hierarchy in hierarchies():
        if not hierarchy.options:
            folder = hierarchy.folder / name / "outer"
            folder.mkdir()
            (folder / "cgroup.procs").write_text(str(pid))


def hand_on(root: Path) -> None:
    """Let groups below the root of version 2 have all limits, as seen inside.

    Raises:
        OSError: when others than the caller stay in the root for 10 seconds.
    """
    leaf = root / "init"
    leaf.mkdir()
    (leaf / "cgroup.procs").write_text(str(os.getpid()))
    controllers = (root / "cgroup.controllers").read_text().split()
    words = " ".join(f"+{controller}" for controller in controllers)
    deadline = time.monotonic() + _HAND_ON_SECONDS
    while True:
        try:
            (root / "cgroup.subtree_control").write_text(words)
            return
        except OSError as error:
            # The keeper is about to take the process away that made the namespaces.
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def members(folder: Path) -> Iterator[int]:
    """Yield the processes of a group and of all groups below it."""
    for place, _, _ in os.walk(folder):
        try:
            words = (Path(place) / "cgroup.procs").read_text().split()
        except OSError:
            continue
        yield from map(int, words)


def remove(name: str) -> list[Path]:
    """Remove a group from every hierarchy; processes in it must be ending.

    Returns:
        The folders that could not be removed within 20 seconds.
    """
    left = [hierarchy.folder / name for hierarchy in hierarchies()]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while left := [folder for folder in left if not _is_removed(folder)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left


def _is_removed(folder: Path) -> bool:
    for place, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(place)
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.ENOENT, errno.ENOTEMPTY):
                raise
    return not folder.exists()
