"""Things that take long to make and are made once, under a name that says what is in them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cluster.layout import cache

_BLOCK_BYTES = 512
"""What `st_blocks` counts in, whatever the file system."""


def folder() -> Path:
    """Return where all that belongs to machine nodes is kept."""
    return cache() / "machines"


def digest(*parts: bytes) -> str:
    """Return a name for everything that something is made from."""
    total = hashlib.sha256()
    for part in parts:
        total.update(b"%d\0%s" % (len(part), part))
    return total.hexdigest()[:12]


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return a name for the content of files, in this order."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:12]


def kept(name: str, make: Callable[[Path], None], say: Callable[[str], None], about: str) -> Path:
    """Return a file or folder, making it when it is not there yet.

    Others who want the same wait for the first one. A maker that is killed leaves
    a folder behind, which the next one removes.

    Args:
        name: file name, with a digest in it.
        make: gets a new folder and writes ``name`` into it.
        say: is told when something is made, and how long it took.
        about: for people: what it is, and how long it takes.
    """
    target = folder() / name
    if target.exists():
        return target
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder() / f"{name}.busy").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for somebody else who makes {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _make(target, make, say, about)
    return target


def _make(
    target: Path, make: Callable[[Path], None], say: Callable[[str], None], about: str
) -> None:
    say(f"Making {about}")
    began = time.monotonic()
    work = target.with_name(f"{target.name}.half")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        make(work)
        (work / target.name).replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    megabytes = _bytes_on_disk(target) / 1e6
    say(f"Made {target.name} in {time.monotonic() - began:.1f} s, {megabytes:.0f} MB")


def _bytes_on_disk(path: Path) -> int:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.lstat().st_blocks for file in files) * _BLOCK_BYTES
