"""Debian packages: installed where that is allowed, named in one line where it is not."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

from workshop import interpreters
from workshop.say import say, stop

QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


def is_installed(package: str) -> bool:
    """Whether dpkg has the package unpacked and set up."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout == "installed"


def prefix() -> list[str] | None:
    """Return what to put before apt-get, None when this account may not use it."""
    if shutil.which("apt-get") is None:
        return None
    if interpreters.is_root():
        return []
    if shutil.which("sudo") is None:
        return None
    probe = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if probe.returncode == 0 else None


def install(packages: list[str], why: str) -> None:
    """Install packages, or stop with the line to type.

    Args:
        packages: names of Debian packages, none installed yet.
        why: end of the sentence "... are needed <why>".

    Raises:
        SystemExit: when this account may not install, or apt-get fails.
    """
    line = shlex.join(["sudo", "apt-get", "install", "-y", *packages])
    before = prefix()
    if before is None:
        stop(f"Needed {why}; type this line and start again:\n  {line}")
    say(f"Installing the Debian packages {' '.join(packages)} {why}")
    if _get(before, ["install", *packages]):
        return
    # On a fresh machine apt has no lists yet, on an old one they name files that are gone.
    say("Asking apt for newer package lists")
    _get(before, ["update"])
    if not _get(before, ["install", *packages], shows_errors=True):
        stop(f"apt-get could not install them; its message is above. The line was:\n  {line}")


def _get(before: list[str], words: list[str], *, shows_errors: bool = False) -> bool:
    """Run apt-get once and tell whether it worked."""
    done = subprocess.run(
        [*before, "apt-get", "-qq", "-y", "--no-install-recommends", *words],
        env=os.environ | QUIET,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if shows_errors and done.returncode:
        say(done.stdout)
    return done.returncode == 0
