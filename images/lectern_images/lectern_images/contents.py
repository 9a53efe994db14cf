"""What an image holds, read from its layers as whoever runs it would see it."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lectern_images.tree import headers

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or link of an image."""

    path: str
    """Seen from the root, without a slash at its beginning."""

    header: tarfile.TarInfo
    read: Callable[[], bytes]
    """Returns its content; to be called before the next entry is asked for."""


def entries(layers: Sequence[Path]) -> Iterator[Entry]:
    """Yield all that an image holds; what an upper layer replaces or removes is left out.

    Args:
        layers: the lowest first; each an archive, compressed or not, or the folder in which
            an overlay has collected it.
    """
    seen: set[str] = set()
    hidden: set[str] = set()
    for layer in reversed(layers):
        hides: set[str] = set()
        for entry in _in_folder(layer) if layer.is_dir() else _in_archive(layer):
            parent, _, last = entry.path.rpartition("/")
            if last == _OPAQUE:
                hides.add(f"{parent}/")
            elif last.startswith(_WHITEOUT):
                hides.add(f"{parent}/{last.removeprefix(_WHITEOUT)}".lstrip("/"))
            elif entry.path and entry.path not in seen and not is_hidden(entry.path, hidden):
                seen.add(entry.path)
                yield entry
        hidden |= hides


def _in_folder(layer: Path) -> Iterator[Entry]:
    for header, path in headers(layer):
        yield Entry(header.name, header, path.read_bytes)


def _in_archive(layer: Path) -> Iterator[Entry]:
    with tarfile.open(layer, "r|*") as archive:
        for header in archive:
            path = header.name.removeprefix("./").strip("/")
            yield Entry(path, header, _reader(archive, header))


def _reader(archive: tarfile.TarFile, header: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        data = archive.extractfile(header) if header.isreg() else None
        return data.read() if data else b""

    return read


def is_hidden(path: str, hidden: set[str]) -> bool:
    """Whether an upper layer has removed something, or a folder above it."""
    parts = path.split("/")
    if path in hidden:
        return True
    above = ("/".join(parts[:length]) for length in range(1, len(parts)))
    return any(name in hidden or f"{name}/" in hidden for name in above)
