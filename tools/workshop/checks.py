"""`make check`: every check to its end, then which of them failed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from workshop import audit, sizes
from workshop.environments import Environment
from workshop.say import say

CODE = ["hub", "spawner", "images", "nbgrader_config", "tests", "tools"]


def run_all(environment: Environment) -> int:
    """Run all checks and return 0 when each is content, 1 otherwise."""
    failed = []
    for title, check in _checks(environment).items():
        say(f"== {title}")
        if not check():
            failed.append(title)
    say(f"== failed: {', '.join(failed)}" if failed else "== all checks passed")
    return 1 if failed else 0


def _checks(environment: Environment) -> dict[str, Callable[[], bool]]:
    """Return the checks by title, the quick ones first."""

    def tool(name: str, *arguments: str) -> Callable[[], bool]:
        return lambda: _passes(environment, name, *arguments)

    return {
        "ruff check": tool("ruff", "check", "."),
        "ruff format": tool("ruff", "format", "--check", "."),
        "sizes": lambda: sizes.check(CODE),
        "lectern check profiles": tool("lectern", "check", "profiles"),
        "lectern images render": tool("lectern", "images", "render", "--check"),
        "import rules": tool("lint-imports"),
        "mypy": tool("mypy"),
        "pip-audit run.txt": lambda: audit.check(environment, "run.txt"),
        "pip-audit test.txt": lambda: audit.check(environment, "test.txt"),
    }


def _passes(environment: Environment, name: str, *arguments: str) -> bool:
    command: list[str | Path] = [environment.folder / "bin" / name, *arguments]
    # Names in our sources are not all ASCII, and a C locale would make the tools stumble.
    # The import rules hold for tools/ too, which is no part of what is installed.
    variables = os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": "tools"}
    done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0
