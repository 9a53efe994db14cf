"""The command line that shows a container its own view of this machine, by bubblewrap.

The machine's root is seen read-only, folder by folder on an empty file system, with
fresh /tmp, /run, /dev and /proc, and a process tree of its own, in which the command is
process 1: when it ends, all that it started ends. The network is everybody's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_OWN = frozenset({"/proc", "/dev", "/sys", "/tmp", "/run"})
_ROOT_MAY = (
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "mknod",
    "net_bind_service",
    "setfcap",
    "setgid",
    "setpcap",
    "setuid",
    "sys_chroot",
)
"""Capabilities of root in a container, as container runtimes choose them, less raw network."""


@dataclass(slots=True, frozen=True)
class Mount:
    """A folder or file of this machine, shown in a container."""

    source: str
    target: str
    is_readonly: bool = False


@dataclass(slots=True, frozen=True)
class Identity:
    """Whom a container runs as."""

    user: int
    group: int
    groups: tuple[int, ...] = ()
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    """Capabilities beyond or less than the usual ones; only root has any."""


@dataclass(slots=True, frozen=True)
class Plan:
    """What a container is made of, in this machine's terms."""

    words: list[str]
    identity: Identity
    hostname: str
    mounts: list[Mount] = field(default_factory=list)
    folder: str = "/"
    is_readonly: bool = False
    """Whether the root, /tmp and /run included, is closed to writing."""

    hidden: tuple[str, ...] = ()


def command(plan: Plan, programs: Mapping[str, str], status: int) -> list[str]:
    """Return the words that run a container.

    Args:
        plan: the container.
        programs: paths of ``bwrap``, ``setpriv`` and ``env``.
        status: descriptor to which bubblewrap writes what happens.
    """
    words = [programs["bwrap"], "--die-with-parent", "--as-pid-1", "--json-status-fd", str(status)]
    words += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", plan.hostname]
    targets = [mount.target for mount in plan.mounts]
    words += view(Path("/"), [*targets, plan.folder])
    for path in plan.hidden:
        if Path(path).is_dir() and not _is_own(path):
            words += ["--tmpfs", path]
    words += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"]
    words += ["--ro-bind", "/sys", "/sys", *_scratch(is_readonly=plan.is_readonly)]
    for mount in sorted(plan.mounts, key=lambda mount: mount.target.count("/")):
        words += _parents(mount.target)
        words += ["--ro-bind" if mount.is_readonly else "--bind", mount.source, mount.target]
    if not Path(plan.folder).exists():
        words += ["--perms", "0777", "--dir", plan.folder]
    words += ["--remount-ro", "/"] if plan.is_readonly else []
    return [*words, "--", *as_user(plan, programs)]


def as_user(plan: Plan, programs: Mapping[str, str]) -> list[str]:
    """Return the words that run the command as its user in its folder; exec needs them too."""
    who = plan.identity
    words = [programs["setpriv"], "--reuid", str(who.user), "--regid", str(who.group)]
    groups = sorted(set(who.groups) - {who.group})
    words += ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    words += ["--no-new-privs", "--inh-caps=-all", f"--bounding-set={_bounds(who)}"]
    # Becoming another user makes the kernel forget that the process shall die with its parent.
    # (`nsenter` may kill it then; bubblewrap may not, see `guard`.)
    words += ["--pdeathsig", "KILL"]
    return [*words, "--", programs["env"], "-C", plan.folder, "--", *plan.words]


def _bounds(who: Identity) -> str:
    """Return which capabilities may ever be had."""
    if who.user != 0:
        return "-all"
    added, dropped = (
        {word.lower().removeprefix("cap_") for word in words} for words in (who.add, who.drop)
    )
    kept = (set() if "all" in dropped else set(_ROOT_MAY) - dropped) | (added - {"all"})
    return ",".join(["-all", *(f"+{name}" for name in sorted(kept))])


def _scratch(*, is_readonly: bool) -> list[str]:
    """Return what makes /tmp, /var/tmp and /run."""
    if is_readonly:
        return ["--dir", "/tmp", "--dir", "/run"]
    every = [word for path in ("/tmp", "/var/tmp") for word in _temporary(path)]
    return [*every, "--perms", "0755", "--tmpfs", "/run"]


def _temporary(path: str) -> list[str]:
    return ["--perms", "1777", "--tmpfs", path] if Path(path).is_dir() else []


def view(root: Path, targets: Sequence[str]) -> list[str]:
    """Return the words that show this machine's root read-only.

    Nothing can be mounted on a path that does not exist in a read-only folder, so the
    folders above such targets are made anew and filled with what they hold.
    """
    words: list[str] = []
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if entry.path in _OWN:
            continue
        words += _shown(entry, targets)
    return words


def _shown(entry: os.DirEntry[str], targets: Sequence[str]) -> Iterator[str]:
    if entry.is_symlink():
        yield from ("--symlink", os.readlink(entry.path), entry.path)
        return
    if not entry.is_dir() or not _has_new(entry.path, targets):
        yield from ("--ro-bind", entry.path, entry.path)
        return
    yield from ("--perms", f"{entry.stat().st_mode & 0o7777:o}", "--dir", entry.path)
    for inner in sorted(os.scandir(entry.path), key=lambda inner: inner.name):
        yield from _shown(inner, targets)


def _has_new(path: str, targets: Sequence[str]) -> bool:
    return any(target.startswith(f"{path}/") and not os.path.exists(target) for target in targets)


def _parents(target: str) -> Iterator[str]:
    """Yield what makes the folders above a target, open to all: bubblewrap's own are closed."""
    for folder in reversed(Path(target).parents):
        path = str(folder)
        if path not in _OWN and (_is_own(path) or not folder.exists()):
            yield from ("--perms", "0755", "--dir", path)


def _is_own(path: str) -> bool:
    return any(path.startswith(f"{own}/") for own in _OWN)


def real_target(path: str) -> str:
    """Return where a path of a container really is: ``/var/run/x`` is ``/run/x``."""
    return os.path.realpath(path)
