"""Put a file's new content in place, whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog.textfile import LARGEST_BYTES


class StoreError(Exception):
    """A file that was not written; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it was read, and what is needed to notice that it has changed since."""

    path: Path
    """The file itself, where a symbolic link was given."""

    text: str
    """Without the byte order mark."""

    mark: bytes
    digest: bytes


def read(path: Path) -> Stored:
    """Read a file that is to be changed.

    Raises:
        StoreError: when it cannot be read.
    """
    target = Path(os.path.realpath(path))
    try:
        with target.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise StoreError(f"{path} is larger than {LARGEST_BYTES // 1024} KiB")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StoreError(f"{path} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {_reason(error)}") from None
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    return Stored(target, text, mark, _digest(content))


def write(stored: Stored, text: str) -> None:
    """Replace the file by a new text in one step, keeping owner and mode.

    Raises:
        StoreError: when somebody else changed it since it was read, or when it
            cannot be written; the file is then as it was.
    """
    path = stored.path
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} may not be written")
    try:
        with _locked(path.parent), _neighbour(path) as temporary:
            temporary.write_bytes(stored.mark + text.encode())
            _like(path, temporary)
            _to_disk(temporary)
            if _digest(path.read_bytes()) != stored.digest:
                raise StoreError(f"{path} was changed by somebody else meanwhile; run it again")
            temporary.replace(path)
            _to_disk(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {_reason(error)}") from None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one writer of a folder compare and replace at a time."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network file systems have no locks; the comparison still guards there.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _neighbour(path: Path) -> Iterator[Path]:
    """Yield an empty file beside another; it is gone at the end unless it took its place."""
    # Names that begin with a dot are not read as courses.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _like(path: Path, temporary: Path) -> None:
    wanted, now = path.stat(), temporary.stat()
    if (wanted.st_uid, wanted.st_gid) != (now.st_uid, now.st_gid):
        try:
            os.chown(temporary, wanted.st_uid, wanted.st_gid)
        except PermissionError:
            raise StoreError(f"{path} belongs to somebody else, which would be lost") from None
    temporary.chmod(wanted.st_mode & 0o7777)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
