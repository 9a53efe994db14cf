"""Wheels of a lock, kept on this machine under their hashes' watch.

They are fetched by the image's own Python, so they fit it, and from where pip of this
machine looks; the step that installs them has no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lectern_images.errors import ImageError

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)
_CARRIED = ("index-url", "extra-index-url", "trusted-host", "timeout", "proxy")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Whom this machine trusts; a mirror of a campus may be known to nobody else."""

AUTHORITIES_INSIDE = "/run/lectern/authorities.crt"
"""Where a step finds them."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    text: str
    """Its lines in the lock."""

    hashes: frozenset[str]


def pins(lock: str) -> Iterator[Pin]:
    """Yield the packages of a lock."""
    starts = [found.start() for found in _PIN.finditer(lock)]
    for start, end in zip(starts, [*starts[1:], len(lock)], strict=True):
        text = lock[start:end]
        found = _PIN.match(text)
        assert found
        yield Pin(found[1], found[2], text, frozenset(_HASH.findall(text)))


def missing(lock: str, folder: Path) -> list[Pin]:
    """Return the packages of a lock whose wheels are not in a folder."""
    present = {sha256(path) for path in folder.glob("*.whl")}
    return [pin for pin in pins(lock) if not pin.hashes & present]


def sha256(path: Path) -> str:
    """Return a file's digest."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def machine_settings() -> dict[str, str]:
    """Return where pip of this machine looks for packages, as variables.

    Raises:
        ImageError: when this Python has no pip to ask.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ImageError(f"pip of this machine does not answer: {done.stderr.strip()}")
    found = {name: os.environ[name] for name in _PROXIES if name in os.environ}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in _CARRIED:
            found[f"PIP_{name.upper().replace('-', '_')}"] = value.strip("'")
    return found


def fetching(lock: str) -> tuple[list[str], Mapping[str, str]]:
    """Return the command and variables that fetch the wheels of a lock into ``/run/lectern/wheels``.

    Args:
        lock: where the lock lies in the sandbox.
    """
    words = (
        'exec python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" download --quiet --no-deps '
    )
    words += '--only-binary :all: --require-hashes --dest /run/lectern/wheels --requirement "$1"'
    return ["sh", "-c", words, "sh", lock], pip_settings()


def pip_settings() -> dict[str, str]:
    """Return what pip of a step needs to have packages from where this machine does."""
    variables = machine_settings()
    if AUTHORITIES.exists():
        variables["PIP_CERT"] = AUTHORITIES_INSIDE
    return variables
