"""Ask the vulnerability service about every pinned package.

A found vulnerability fails the check. A service that cannot be reached does
not, because that says nothing about the packages; it is said plainly instead.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workshop.environments import LOCKS, Environment
from workshop.say import say

SECONDS = 600
"""Longest wait for one lock file; the service is asked once for each package."""


def check(environment: Environment, lock: str) -> bool:
    """Audit one lock file and print the result; False when a vulnerability is known."""
    options = "--require-hashes --disable-pip --format json --timeout 15 --progress-spinner off"
    program = environment.folder / "bin" / "pip-audit"
    command: list[str | Path] = [program, "--requirement", LOCKS / lock, *options.split()]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        say(f"requirements/{lock}: not audited: service did not answer in {SECONDS} s")
        return True
    try:
        rows = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return judge_silence(lock, done.stderr)
    return judge(lock, rows)


def judge_silence(lock: str, message: str) -> bool:
    """Tell a missing network from a broken audit by what pip-audit said."""
    words = ("ConnectionError", "Connection", "Timeout", "timed out", "resolve")
    lines = message.strip().splitlines() or ["no message"]
    if any(word in message for word in words):
        say(f"requirements/{lock}: not audited: service unreachable ({lines[-1][:200]})")
        return True
    say(f"requirements/{lock}: the audit itself failed\n{message}")
    return False


def judge(lock: str, rows: list[Mapping[str, Any]]) -> bool:
    """Print what the service knows about the packages; False when it knows a vulnerability."""
    skipped = [row["name"] for row in rows if "skip_reason" in row]
    if rows and len(skipped) == len(rows):
        say(f"requirements/{lock}: not audited: service unreachable (it knew none of the packages)")
        return True
    for row in rows:
        for known in row.get("vulns", ()):
            repaired = ", ".join(known["fix_versions"]) or "no version yet"
            say(f"{row['name']} {row['version']}: {known['id']}, repaired in {repaired}")
    found = sum(len(row.get("vulns", ())) for row in rows)
    audited = len(rows) - len(skipped)
    say(f"requirements/{lock}: {audited} packages audited, {found} known vulnerabilities")
    if skipped:
        say(f"  not audited: {', '.join(skipped)}")
    return found == 0
