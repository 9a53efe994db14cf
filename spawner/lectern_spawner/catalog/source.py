"""Read one YAML file into plain data that remembers where every key and value stands.

Called by `reading`. ruamel.yaml only composes nodes here; the plain data is
built by this module, because the loader of ruamel.yaml keeps no end marks and
accepts tags, duplicate keys and directives that a campus's files must not have.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from lectern_spawner.catalog.diagnostics import Place, Span

Where = tuple[str | int, ...]
LONGEST_SHOWN_LINE = 2000


def line_starts(text: str) -> list[int]:
    """Return the offset at which each line begins; CRLF counts as one line end."""
    starts = [0]
    for offset, character in enumerate(text):
        if character == "\n" or (character == "\r" and text[offset + 1 : offset + 2] != "\n"):
            starts.append(offset + 1)
    return starts


class Lines:
    """Turns offsets of a text into spans."""

    def __init__(self, text: str) -> None:
        """Find the line starts of a text."""
        self.text = text
        self.starts = line_starts(text)

    def span(self, start: int, end: int) -> Span:
        """Return the span from offset `start` up to but without offset `end`."""
        line, column = self._position(start)
        end_line, end_column = self._position(max(start, end))
        return Span(line, column, end_line, end_column)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its text, its data and the places of all of it.

    A path into the data (`Where`) is a tuple of keys and list positions.
    """

    file: str
    """The name to show, as the user gave it."""

    text: str
    data: object
    keys: Mapping[Where, Span]
    values: Mapping[Where, Span]
    uses: Mapping[Where, Span]
    """For values written elsewhere: the alias or `<<` that brings them here."""

    broken: frozenset[Where] = frozenset()
    """Values that were reported while reading; what follows from them is not reported."""

    def cut(self, span: Span) -> str:
        """Return the text that a span covers."""
        starts = line_starts(self.text)
        begin = starts[span.line - 1] + span.column - 1
        return self.text[begin : starts[span.end_line - 1] + span.end_column - 1]

    def place(self, span: Span) -> Place:
        """Return a span together with the line that it is on."""
        starts = [*line_starts(self.text), len(self.text)]
        line = self.text[starts[span.line - 1] : starts[span.line]].rstrip("\r\n")
        return Place(self.file, span, line[:LONGEST_SHOWN_LINE])

    def key(self, where: Where) -> Place | None:
        """Return the place of the key at `where`, or of the nearest thing around it."""
        for known in (self.keys.get(where), self.values.get(where)):
            if known is not None:
                return self.place(known)
        return self.key(where[:-1]) if where else None

    def value(self, where: Where) -> Place | None:
        """Return the place of the value at `where`, or of the nearest thing around it."""
        span = self.values.get(where)
        if span is None:
            return self.key(where)
        # An empty value has no width: the key shows it better.
        if (span.line, span.column) == (span.end_line, span.end_column) and where in self.keys:
            return self.key(where)
        return self.place(span)

    def use(self, where: Where) -> Place | None:
        """Return where an anchor's content is brought in, when `where` lies behind one."""
        for length in range(len(where), 0, -1):
            span = self.uses.get(where[:length])
            if span is not None:
                return self.place(span)
        return None


def blank(file: str, text: str = "") -> Source:
    """Return the source of a file from which nothing could be read."""
    return Source(file, text, None, {}, {}, {})
