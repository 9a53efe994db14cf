"""Find a Python to build environments with.

As root the user servers run under other accounts, so it must be one that every
account can start: a Python below /root is found by root alone. Called by `verbs`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workshop.say import stop

OLDEST = (3, 11)
OTHERS = 65534
"""Uid and gid that stand for "any other account"; Debian calls them nobody and nogroup."""

NAMES = ("/usr/bin/python3", "python3", "python3.13", "python3.12", "python3.11", "python3.14")
FIRST_PIP_FOR_OTHERS = (22, 3)
"""First pip with ``--python``, which installs into an environment that has no pip itself."""

# Base executable: when this Python is in an environment itself, the one below is wanted.
QUESTION = """
import importlib.util, json, sys
pip = [0, 0]
if importlib.util.find_spec("pip"):
    from pip import __version__
    pip = [int(part) for part in __version__.split(".")[:2]]
print(json.dumps({
    "program": getattr(sys, "_base_executable", "") or sys.executable,
    "version": list(sys.version_info[:3]),
    "ensurepip": importlib.util.find_spec("ensurepip") is not None,
    "pip": pip,
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python on this machine and what it can do for a new environment."""

    program: Path
    version: tuple[int, ...]
    has_ensurepip: bool
    """Can put pip into a new environment; Debian leaves that to the package python3-venv."""

    has_pip: bool
    """Has a pip of its own that can install into another environment."""

    @property
    def label(self) -> str:
        """Version and path, for people."""
        return f"Python {'.'.join(map(str, self.version))} ({self.program})"


def is_root() -> bool:
    """Whether user servers will run under accounts of their own."""
    return os.geteuid() == 0


def others_can(command: list[str | Path]) -> bool:
    """Run a command as an account without any rights and tell whether it succeeded."""
    try:
        done = subprocess.run(
            command,
            user=OTHERS,
            group=OTHERS,
            extra_groups=[],
            cwd="/",
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def ask(name: str) -> Interpreter | None:
    """Return what a Python says about itself, None when it does not start."""
    try:
        done = subprocess.run(
            [name, "-I", "-c", QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return Interpreter(
        program=Path(answer["program"]),
        version=tuple(answer["version"]),
        has_ensurepip=answer["ensurepip"],
        has_pip=tuple(answer["pip"]) >= FIRST_PIP_FOR_OTHERS,
    )


def candidates() -> Iterator[Interpreter]:
    """Yield the Pythons that are new enough, the preferred one first, each once."""
    seen: set[Path] = set()
    for name in (os.environ.get("PYTHON") or sys.executable, sys.executable, *NAMES):
        path = shutil.which(name)
        interpreter = ask(path) if path else None
        if interpreter and interpreter.version >= OLDEST and interpreter.program not in seen:
            seen.add(interpreter.program)
            yield interpreter


def starts_for_others(interpreter: Interpreter) -> bool:
    """Whether every account can start this Python and read its library."""
    return others_can([interpreter.program, "-c", "import json, sqlite3, ssl"])


def choose() -> Interpreter:
    """Return the Python to build with.

    Raises:
        SystemExit: when there is none, or root has none that other accounts can start.
    """
    first = None
    for interpreter in candidates():
        if not is_root() or starts_for_others(interpreter):
            return interpreter
        first = first or interpreter
    if first is None:
        stop("Lectern needs Python 3.11 or newer: sudo apt-get install -y python3 python3-venv")
    stop(
        f"As root, Lectern runs each person's server under an account of its own, and no such "
        f"account can start {first.program}. Install the system's Python: "
        f"apt-get install -y python3 python3-venv"
    )
