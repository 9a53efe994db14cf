"""Things that take long to make and are made once, under a name that says what is in them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster.errors import ClusterError

_BLOCK_BYTES = 512
"""What `st_blocks` counts in, whatever the file system."""

_DIGEST_LETTERS = 12
_UNUSED_DAYS = 30


def digest(*parts: bytes) -> str:
    """Return a name for everything that something is made from."""
    total = hashlib.sha256()
    for part in parts:
        total.update(b"%d\0%s" % (len(part), part))
    return total.hexdigest()[:_DIGEST_LETTERS]


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return a name for the content of files, in this order."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:_DIGEST_LETTERS]


def kept(
    target: Path, make: Callable[[Path], None], say: Callable[[str], None], about: str
) -> Path:
    """Return a file or folder, making it when it is not there yet.

    Others who want the same wait for the first one. A maker that is killed leaves
    a folder behind, which the next one removes. What has the same name but for the
    digest, and was not wanted for a month, goes when a new one has come.

    Args:
        target: file or folder, with a digest in its name.
        make: gets a new folder beside it and writes ``target.name`` into that.
        say: is told when something is made, and how long it took.
        about: for people: what it is, and how long it takes.

    Raises:
        ClusterError: when there is no place for it.
    """
    if not target.exists():
        _make_folder(target.parent)
        with _only_one(_lock(target), say, target.name):
            if not target.exists():
                _make(target, make, say, about)
                _forget_unused(target)
    with suppress(OSError):  # somebody else filled this cache, or it is read only
        os.utime(target)
    return target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ClusterError(
            f"The cache folder {folder} cannot be made ({error.strerror}): set XDG_CACHE_HOME"
        ) from None


@contextmanager
def _only_one(path: Path, say: Callable[[str], None], name: str) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for somebody else who makes {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock(target: Path) -> Path:
    return target.with_name(f"{target.name}.busy")


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


def _forget_unused(made: Path) -> None:
    """Remove older ones of the same kind; whoever needs one again makes it again."""
    kind = re.sub(f"[0-9a-f]{{{_DIGEST_LETTERS}}}", "?" * _DIGEST_LETTERS, made.name)
    oldest = time.time() - _UNUSED_DAYS * 24 * 3600
    for path in made.parent.glob(kind):
        if path != made and path.stat().st_mtime < oldest:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            _lock(path).unlink(missing_ok=True)


def _bytes_on_disk(path: Path) -> int:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.lstat().st_blocks for file in files) * _BLOCK_BYTES
