"""What an image's files must be like: no secrets, nothing that everybody may write, not too much."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator, Mapping

from lectern_images.contents import Entry

_MAY_BE_WRITTEN = {"tmp", "var/tmp", "run/lock", "var/lock"}
_LOOKED_INTO_BYTES = 256 * 1024
_SECRETS: Mapping[str, tuple[tuple[bytes, ...], re.Pattern[bytes]]] = {
    "a private key": (
        (b"PRIVATE KEY",),
        re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"),
    ),
    "a key of a cloud": ((b"AKIA",), re.compile(rb"\bAKIA[0-9A-Z]{16}\b")),
    "a token of npm": ((b"_authToken",), re.compile(rb"_authToken\s*=\s*[A-Za-z0-9_-]{20}")),
    "a token of GitHub": (
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
        re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    ),
}
"""Each with letters to look for first: most files have none, and a pattern takes its time."""

_PASSWORD = re.compile(rb"\b(?:https?|ftp)://[^\s/:@\"'<>{}$%]+:[^\s/@\"'<>{}$%]+@")
_SETTINGS = re.compile(
    r"(etc|root|home|opt/[^/]+/etc)/.*|.*\.(conf|ini|cfg|toml|list|sources|env)|.*npmrc"
)
"""Where an address with a password is more than an example."""

_SECRET_NAMES = re.compile(
    r"(.*/)?(\.netrc|\.git-credentials|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)|\.docker/config\.json)"
)
_EXAMPLES = re.compile(r"(.*/)?(tests?|testing|examples?|doc|docs|share/doc)/.*")
"""Where packages keep keys that open nothing."""


def problems(found: Iterable[Entry], most_bytes: int | None) -> Iterator[str]:
    """Yield what is wrong with the files of an image, in sentences.

    Args:
        found: all that it holds.
        most_bytes: how much that may be; any amount if None.
    """
    size = 0
    for entry in found:
        size += entry.header.size if entry.header.isreg() else 0
        yield from _of_mode(entry)
        if what := _secret(entry):
            yield f"/{entry.path} holds {what}"
    if most_bytes is not None and size > most_bytes:
        yield f"it holds {size / 1e6:.0f} MB, more than its {most_bytes / 1e6:.0f}"


def _of_mode(entry: Entry) -> Iterator[str]:
    mode = entry.header.mode
    if entry.header.issym():
        return
    if mode & stat.S_IWOTH and entry.path not in _MAY_BE_WRITTEN:
        yield f"/{entry.path} can be written to by everybody (mode {mode:04o})"
    if entry.header.isreg() and mode & (stat.S_ISUID | stat.S_ISGID):
        yield f"/{entry.path} runs as somebody else (mode {mode:04o})"


def _secret(entry: Entry) -> str | None:
    if not entry.header.isreg() or _EXAMPLES.fullmatch(entry.path):
        return None
    if _SECRET_NAMES.fullmatch(entry.path):
        return "what opens something, by its name"
    if entry.header.size > _LOOKED_INTO_BYTES:
        return None
    content = entry.read()
    if _SETTINGS.fullmatch(entry.path) and _PASSWORD.search(content):
        return "a password in an address"
    for what, (signs, pattern) in _SECRETS.items():
        if any(sign in content for sign in signs) and pattern.search(content):
            return what
    return None
