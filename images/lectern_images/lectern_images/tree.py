"""A folder that an overlay has collected changes in, as a layer: the same bytes every time.

Names are sorted, owners are numbers, and every time is `EPOCH`. Sources: the OCI image
specification 1.1, "Image Layer Filesystem Changeset", and the kernel's overlayfs.rst.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

EPOCH = 1767225600
"""1 January 2026: the time of everything in an image, in seconds since 1970."""

_LEVEL = 4
"""Of gzip: 6 makes a layer 3 % smaller and takes twice the time."""

_OPAQUE, _CAPABILITY = "trusted.overlay.opaque", "security.capability"


@dataclass(frozen=True, slots=True)
class Packed:
    """What is known about a layer's file."""

    digest: str
    """``sha256:`` and so on, of the compressed file."""

    size: int
    """Bytes of the compressed file."""

    diff_id: str
    """Digest of the archive inside."""

    content: int
    """Bytes of the files in it."""


class _Counted:
    """A file that digests what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def pack(folder: Path, target: Path) -> Packed:
    """Write a folder of changes as a compressed layer.

    Args:
        folder: an overlay's upper folder; its whiteouts become the layer's.
        target: the file to write.
    """
    content = 0
    with target.open("wb") as file:
        outer = _Counted(file)
        # Neither the name nor the time of the file belongs into it.
        with gzip.GzipFile("", "wb", _LEVEL, cast("IO[bytes]", outer), mtime=0) as packing:
            inner = _Counted(cast("IO[bytes]", packing))
            target_file = cast("IO[bytes]", inner)
            with tarfile.open(None, "w|", target_file, format=tarfile.PAX_FORMAT) as archive:
                for header, path in headers(folder):
                    if header.isreg() and header.size:
                        content += header.size
                        with path.open("rb") as data:
                            archive.addfile(header, data)
                    else:
                        archive.addfile(header)
    return Packed(outer.digest, outer.size, inner.digest, content)


def headers(folder: Path) -> Iterator[tuple[tarfile.TarInfo, Path]]:
    """Yield the header of everything in a folder of changes, folders before what is in them."""
    links: dict[tuple[int, int], str] = {}
    for name in _names(folder, ""):
        path = folder / name
        status = path.lstat()
        if stat.S_ISSOCK(status.st_mode):
            continue  # nobody listens any more
        header = _header(name, path, status)
        if header.isreg() and status.st_nlink > 1:
            first = links.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                header.type, header.linkname, header.size = tarfile.LNKTYPE, first, 0
        yield header, path
        if header.isdir() and _is_opaque(path):
            yield _whiteout(f"{name}/.wh..wh..opq"), path


def _names(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder / prefix) as found:
        entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        name = f"{prefix}{entry.name}"
        yield name
        if entry.is_dir(follow_symlinks=False):
            yield from _names(folder, f"{name}/")


def _header(name: str, path: Path, status: os.stat_result) -> tarfile.TarInfo:
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        parent, _, last = name.rpartition("/")
        return _whiteout(f"{parent}/.wh.{last}" if parent else f".wh.{last}")
    header = tarfile.TarInfo(name)
    header.mode = stat.S_IMODE(status.st_mode)
    header.uid, header.gid, header.mtime = status.st_uid, status.st_gid, EPOCH
    if stat.S_ISDIR(status.st_mode):
        header.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        header.type, header.linkname = tarfile.SYMTYPE, os.readlink(path)
    elif stat.S_ISFIFO(status.st_mode):
        header.type = tarfile.FIFOTYPE
    elif stat.S_ISREG(status.st_mode):
        header.size = status.st_size
        if _CAPABILITY in os.listxattr(path, follow_symlinks=False):
            value = os.getxattr(path, _CAPABILITY, follow_symlinks=False)
            header.pax_headers = {
                f"SCHILY.xattr.{_CAPABILITY}": value.decode("utf-8", "surrogateescape")
            }
    else:
        raise ValueError(f"{name} is a device, which no image of ours needs")
    return header


def _whiteout(name: str) -> tarfile.TarInfo:
    """Return the empty file that says that something of a lower layer is gone."""
    header = tarfile.TarInfo(name)
    header.mode, header.mtime = 0o644, EPOCH
    return header


def _is_opaque(path: Path) -> bool:
    try:
        return os.getxattr(path, _OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False
