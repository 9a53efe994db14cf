"""A YAML file that was read: plain data that knows where every key and value stands.

Called by everything that reports problems. Only the text is kept; data and places
are found again when somebody asks, because a campus has hundreds of files and
nearly always none of them has anything to report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from lectern_spawner.catalog.diagnostics import Place, Span
from lectern_spawner.catalog.walk import Document, Where, document

__all__ = ["Source", "Where", "blank"]

Spot = TypeVar("Spot")


class Spans(Mapping[Where, Span], Generic[Spot]):
    """Spans by their paths, each worked out when it is asked for."""

    def __init__(self, spots: Mapping[Where, Spot], span: Callable[[Spot], Span]) -> None:
        """Take what was found at each path, and how that becomes a span."""
        self._spots = spots
        self._span = span

    def __getitem__(self, where: Where) -> Span:
        """Return the span at a path."""
        return self._span(self._spots[where])

    def __iter__(self) -> Iterator[Where]:
        """Iterate over the paths in the order of the file."""
        return iter(self._spots)

    def __len__(self) -> int:
        """Return how many paths there are."""
        return len(self._spots)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its text, its data and the places of all of it.

    A path into the data (`Where`) is a tuple of keys and list positions.
    """

    file: str
    """The name to show, as the user gave it."""

    text: str
    broken: frozenset[Where] = frozenset()
    """Values that were reported while reading; what follows from them is not reported."""

    @property
    def data(self) -> object:
        """The plain data of the whole file; None when nothing could be read."""
        return self._document().data

    @property
    def keys(self) -> Mapping[Where, Span]:
        """The places of the keys of mappings."""
        found = self._document()
        return Spans(found.keys, found.span)

    @property
    def values(self) -> Mapping[Where, Span]:
        """The places of all values."""
        found = self._document()
        return Spans(found.values, found.span)

    @property
    def uses(self) -> Mapping[Where, Span]:
        """For values written elsewhere: the alias or `<<` that brings them here."""
        found = self._document()
        return Spans(found.uses, lambda marks: found.lines.span(*marks))

    def cut(self, span: Span) -> str:
        """Return the text that a span covers."""
        return self._document().lines.cut(span)

    def place(self, span: Span) -> Place:
        """Return a span together with the line that it is on."""
        return self._document().lines.place(span)

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
        uses = self.uses
        for length in range(len(where), 0, -1):
            span = uses.get(where[:length])
            if span is not None:
                return self.place(span)
        return None

    def _document(self) -> Document:
        return document(self.text, self.file)


def blank(file: str, text: str = "") -> Source:
    """Return the source of a file from which nothing could be read."""
    return Source(file, text)
