"""Become a person's server: the last steps before the server's own program.

Run by `process` as a fresh interpreter (``python -I -S launch.py SPEC -- COMMAND``),
so that the hub itself never forks with its threads and memory. Uses the standard
library only. ``SPEC`` is JSON:

``join``
    cgroup files to write the own pid to.
``rlimits``
    name of a ``RLIMIT_`` constant -> value.
``account``
    null, or ``{"uid", "passwd", "group"}``: who to become, and the files to show
    as /etc/passwd and /etc/group.
``home``
    folder to start in.
"""

import ctypes
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, NoReturn

CANNOT_START = 97

# Source: linux/sched.h, linux/mount.h, linux/prctl.h
_CLONE_NEWNS = 0x00020000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_SLAVE = 0x80000
_PR_SET_NO_NEW_PRIVS = 38


class LaunchError(Exception):
    """A step that failed; the text is the line in the server's log."""


def _call(what: str, result: int) -> None:
    if result != 0:
        raise LaunchError(f"{what}: {os.strerror(ctypes.get_errno())}")


def _own_mounts(libc: ctypes.CDLL) -> None:
    """Leave the machine's mount namespace: its mounts still arrive, ours stay here."""
    _call("a private mount namespace cannot be made", libc.unshare(_CLONE_NEWNS))
    _call(
        "mounts cannot be made private",
        libc.mount(None, b"/", None, ctypes.c_ulong(_MS_REC | _MS_SLAVE), None),
    )


def _bind(libc: ctypes.CDLL, source: str, target: str) -> None:
    _call(
        f"{source} cannot be mounted on {target}",
        libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(_MS_BIND), None),
    )


def become(account: dict[str, Any]) -> None:
    """Turn root into the person, with no way back."""
    libc = ctypes.CDLL(None, use_errno=True)
    _own_mounts(libc)
    _bind(libc, account["passwd"], "/etc/passwd")
    _bind(libc, account["group"], "/etc/group")
    uid = int(account["uid"])
    if uid < 1:
        raise LaunchError("refusing to run a server as root")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _call("privileges cannot be given up", libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _limit(rlimits: dict[str, int]) -> None:
    for name, value in rlimits.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def launch(spec: dict[str, Any], command: list[str]) -> NoReturn:
    """Do every step in order and run the command."""
    for file in spec["join"]:
        Path(file).write_text(str(os.getpid()))
    _limit(spec["rlimits"])
    if spec["account"]:
        become(spec["account"])
    os.umask(0o077)
    os.chdir(spec["home"])
    os.execvpe(command[0], command, os.environ)


def main(arguments: list[str]) -> NoReturn:
    """Read the specification and launch; a failure is one line and exit code 97."""
    spec, _, *command = arguments
    try:
        launch(json.loads(spec), command)
    except (LaunchError, OSError) as error:
        sys.stderr.write(f"lectern: {error}\n")
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main(sys.argv[1:])
