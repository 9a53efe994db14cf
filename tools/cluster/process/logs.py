"""Containers' logs: lines with time and stream, in the form that container runtimes write.

``2026-01-31T12:00:00.000000Z stdout F the line``; P in place of F is a part of a long line.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from cluster.process import times

LONGEST_PART = 16 * 1024
LARGEST_FILE = 10 * 1024 * 1024
_LOOK_SECONDS = 0.1
_CHUNK = 64 * 1024


class Writer:
    """Writes one container's log; past 10 MiB the older half of it is dropped."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        """Append to a file; ``now`` is its clock, in seconds since 1970."""
        self._path = path
        self._now = now
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, stream: str, text: bytes, *, is_whole: bool) -> None:
        """Write a line or a part of one."""
        head = f"{times.exact(self._now())} {stream} {'F' if is_whole else 'P'} ".encode()
        self._file.write(head + text + b"\n")
        if self._file.tell() > LARGEST_FILE:
            self._file.close()
            self._path.replace(older(self._path))
            self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def copy(self, stream: str, reader: asyncio.StreamReader) -> None:
        """Write all that a container says on one stream."""
        rest = b""
        while chunk := await reader.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                for part, is_whole in _parts(line):
                    self.write(stream, part, is_whole=is_whole)
            while len(rest) > LONGEST_PART:
                self.write(stream, rest[:LONGEST_PART], is_whole=False)
                rest = rest[LONGEST_PART:]
        if rest:
            self.write(stream, rest, is_whole=False)


def _parts(line: bytes) -> Iterator[tuple[bytes, bool]]:
    while len(line) > LONGEST_PART:
        yield line[:LONGEST_PART], False
        line = line[LONGEST_PART:]
    yield line, True


def older(path: Path) -> Path:
    """Return where the older part of a log lies."""
    return path.with_name(f"{path.name}.1")


@dataclass(slots=True, frozen=True)
class Wish:
    """What somebody wants to see of a log."""

    follow: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: float | None = None
    """Seconds since 1970."""

    limit: int | None = None
    """Bytes at most."""

    stream: str = "All"

    @classmethod
    def parse(cls, query: Mapping[str, str], now: float) -> Wish:
        """Return what the API server passes on.

        Raises:
            ValueError: when a number is none.
        """
        since = now - float(query["sinceSeconds"]) if "sinceSeconds" in query else None
        if "sinceTime" in query:
            since = times.moment_of(query["sinceTime"])
        return cls(
            follow=query.get("follow") == "true",
            timestamps=query.get("timestamps") == "true",
            tail=int(query["tailLines"]) if "tailLines" in query else None,
            since=since,
            limit=int(query["limitBytes"]) if "limitBytes" in query else None,
            stream=query.get("stream", "All"),
        )

    def shown(self, line: bytes) -> bytes | None:
        """Return a line of a log as it is wanted, None when it is not."""
        moment, stream, tag, text = line.rstrip(b"\n").split(b" ", 3)
        if self.stream.lower() not in ("all", stream.decode()):
            return None
        if self.since is not None and times.moment_of(moment.decode()) < self.since:
            return None
        end = b"\n" if tag == b"F" else b""
        return (moment + b" " if self.timestamps else b"") + text + end


async def read(path: Path, wish: Wish, goes_on: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Yield a log, and what is added to it while its container goes on.

    Args:
        path: the log.
        wish: what is wanted.
        goes_on: whether the container may still say something.
    """
    left = wish.limit
    async with aclosing(_read(path, wish, goes_on)) as texts:
        async for text in texts:
            piece = text if left is None else text[:left]
            if piece:
                yield piece
            if left is not None:
                left -= len(piece)
                if left <= 0:
                    return


async def _read(path: Path, wish: Wish, goes_on: Callable[[], bool]) -> AsyncGenerator[bytes]:
    with path.open("rb") as file:
        for text in _present(path, file, wish):
            yield text
        while wish.follow:
            is_last = not goes_on()
            for text in filter(None, map(wish.shown, file)):
                yield text
            if is_last:
                return
            await asyncio.sleep(_LOOK_SECONDS)


def _present(path: Path, file: Iterator[bytes], wish: Wish) -> Iterator[bytes]:
    """Return what has been said up to now; the last lines only, when so wished."""
    if wish.tail == 0:
        deque(file, maxlen=0)
        return iter(())
    lines = _shown(path, file, wish)
    return iter(deque(lines, maxlen=wish.tail)) if wish.tail is not None else lines


def _shown(path: Path, file: Iterator[bytes], wish: Wish) -> Iterator[bytes]:
    if older(path).exists():
        yield from filter(None, map(wish.shown, older(path).read_bytes().splitlines(keepends=True)))
    yield from filter(None, map(wish.shown, file))


def last_words(path: Path, lines: int = 80, size: int = 2048) -> str:
    """Return the end of a log, for a message about a container's end."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        rows = deque(file, maxlen=lines)
    text = b"".join(filter(None, map(Wish().shown, rows)))
    return text[-size:].decode(errors="replace")
