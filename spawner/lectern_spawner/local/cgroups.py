"""Limit CPU and memory of a server where the machine lets us.

Used by the local spawner. Handles cgroup v1 and v2, whichever has been
delegated to the user who runs the hub; `find` says what can be enforced, and
the spawn page says what cannot.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

PERIOD_MICROSECONDS = 100_000
MOST_PROCESSES = 4096
"""Processes and threads of one server: stops a fork bomb, not a person."""

_CONTROLLERS = ("memory", "cpu", "pids")


@dataclass(frozen=True, slots=True)
class Slice:
    """The cgroup of one server: its folder in every hierarchy."""

    folders: tuple[Path, ...]

    @property
    def joins(self) -> list[str]:
        """Files that a process writes its pid to, to be a member."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def out_of_memory_kills(self) -> int:
        """Return how many processes of this server died for want of memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    fields = dict(
                        line.split()[:2] for line in (folder / name).read_text().splitlines()
                    )
                    return int(fields.get("oom_kill", 0))
        return 0

    def pids(self) -> set[int]:
        """Return the processes in this cgroup."""
        found: set[int] = set()
        for folder in self.folders:
            with contextlib.suppress(OSError):
                found.update(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
        return found

    def remove(self) -> bool:
        """Remove the folders; False while a process is still in one."""
        gone = True
        for folder in self.folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                gone = False
        return gone


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where this hub may make cgroups."""

    version: int
    parents: Mapping[str, Path]
    """Controller -> folder in which server folders are made."""

    @property
    def memory(self) -> bool:
        """Whether memory limits are enforced."""
        return "memory" in self.parents

    @property
    def cpu(self) -> bool:
        """Whether CPU limits are enforced."""
        return "cpu" in self.parents

    def slice(self, name: str) -> Slice:
        """Return the cgroup of one server, which may not exist yet.

        Args:
            name: unique and safe as a file name.
        """
        return Slice(tuple(sorted({parent / name for parent in self.parents.values()})))

    def make(self, name: str, cores: Fraction, memory_bytes: int) -> Slice:
        """Make the cgroup of one server with its limits.

        Raises:
            OSError: when the machine takes the delegation back.
        """
        made = self.slice(name)
        for folder in made.folders:
            _make(folder)
        for controller, parent in self.parents.items():
            for file, value in self._settings(controller, cores, memory_bytes):
                _write(parent / name / file, value)
        return made

    def remove(self) -> None:
        """Remove the folders that hold servers, unless servers go on in them."""
        for parent in set(self.parents.values()):
            with contextlib.suppress(OSError):
                parent.rmdir()

    def _settings(
        self, controller: str, cores: Fraction, memory_bytes: int
    ) -> Iterable[tuple[str, str]]:
        """Return files and values; a name that ends in ``?`` may be missing."""
        quota = int(cores * PERIOD_MICROSECONDS)
        if controller == "pids":
            return [("pids.max", str(MOST_PROCESSES))]
        if self.version == 1:
            if controller == "cpu":
                return [
                    ("cpu.cfs_period_us", str(PERIOD_MICROSECONDS)),
                    ("cpu.cfs_quota_us", str(quota)),
                ]
            # The limit without swap comes first: it may never exceed the other one.
            return [
                ("memory.limit_in_bytes", str(memory_bytes)),
                ("memory.memsw.limit_in_bytes?", str(memory_bytes)),
            ]
        if controller == "cpu":
            return [("cpu.max", f"{quota} {PERIOD_MICROSECONDS}")]
        return [("memory.max", str(memory_bytes)), ("memory.swap.max?", "0")]


def _make(folder: Path) -> None:
    """Make a cgroup that its members may look at: they read their own counters."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)


def _write(file: Path, value: str) -> None:
    if file.name.endswith("?"):
        file = file.with_name(file.name[:-1])
        if not file.exists():
            return
    file.write_text(value)


def find(label: str, proc: Path = Path("/proc/self")) -> Hierarchy | None:
    """Return where this hub may make cgroups, or None where it may not.

    Args:
        label: name of the folder that holds this hub's servers.
        proc: process folder of the hub.
    """
    mounts = _mounts(proc)
    own = _own_groups(proc)
    if "" in mounts:
        for base, move in _v2_places(mounts[""], own.get("", "/")):
            if hierarchy := _unified(base, label, move=move):
                return hierarchy
    parents: dict[str, Path] = {}
    for controller in _CONTROLLERS:
        if controller in mounts:
            base = mounts[controller] / own.get(controller, "/").lstrip("/")
            if folder := _usable(base, label):
                parents[controller] = folder
    return Hierarchy(1, parents) if parents else None


def _mounts(proc: Path) -> dict[str, Path]:
    """Return controller -> mount point; the unified hierarchy has the name ``""``."""
    found: dict[str, Path] = {}
    for line in (proc / "mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found[""] = Path(place)
        elif kind == "cgroup":
            for option in options.split(","):
                if option in _CONTROLLERS:
                    found[option] = Path(place)
    return found


def _own_groups(proc: Path) -> dict[str, str]:
    """Return controller -> path of the hub's own cgroup."""
    found: dict[str, str] = {}
    for line in (proc / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path
    return found


def _usable(base: Path, label: str) -> Path | None:
    """Return a folder of ours under a cgroup v1 folder, if it can be made."""
    folder = base / label
    try:
        _make(folder)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _v2_places(mount: Path, own: str) -> Iterable[tuple[Path, bool]]:
    """Yield folders to try, and whether the hub must leave the folder itself.

    In cgroup v2 a group with processes in it cannot hand controllers to its
    children; only the root of the machine may. A container's root is not that.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst, "no internal process
    constraint" and "delegation".
    """
    if os.geteuid() == 0:
        yield mount, False
    yield mount / own.lstrip("/"), True


def _unified(base: Path, label: str, *, move: bool) -> Hierarchy | None:
    """Return the cgroup v2 hierarchy under a folder, where memory is delegated."""
    try:
        offered = set((base / "cgroup.controllers").read_text().split())
        wanted = [name for name in _CONTROLLERS if name in offered]
        if "memory" not in wanted:
            return None
        if move:
            _move_aside(base, f"{label}-hub")
        folder = base / label
        _make(folder)
        for parent in (base, folder):
            (parent / "cgroup.subtree_control").write_text(" ".join(f"+{n}" for n in wanted))
    except OSError:
        return None
    return Hierarchy(2, dict.fromkeys(wanted, folder))


def _move_aside(base: Path, leaf: str) -> None:
    """Move every process of a v2 group into a leaf of it."""
    (base / leaf).mkdir(exist_ok=True)
    for pid in (base / "cgroup.procs").read_text().split():
        # A process that ends meanwhile is gone from the group all the same.
        with contextlib.suppress(ProcessLookupError):
            (base / leaf / "cgroup.procs").write_text(pid)
