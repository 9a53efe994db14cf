"""Offsets of a text turned into spans, and spans into places that can be shown.

Called by everything that reads YAML; knows nothing of YAML itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from lectern_spawner.catalog.diagnostics import Place, Span

LONGEST_SHOWN_LINE = 2000
# What YAML takes for blank; Unicode has more, and they belong to the text.
BLANKS = " \t\r\n\x85\u2028\u2029"
_LINE_END = re.compile(r"\r\n|\r|\n")


def line_starts(text: str) -> list[int]:
    """Return the offset at which each line begins; CRLF counts as one line end."""
    return [0, *(end.end() for end in _LINE_END.finditer(text))]


class Lines:
    """The text of one file, and where its lines begin."""

    def __init__(self, text: str, file: str) -> None:
        """Take a text; its line starts are found when they are needed first."""
        self.text = text
        self.file = file

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        return line_starts(self.text)

    def span(self, start: int, end: int) -> Span:
        """Return the span from offset `start` up to but without offset `end`."""
        line, column = self._position(start)
        end_line, end_column = self._position(max(start, end))
        return Span(line, column, end_line, end_column)

    def place(self, span: Span) -> Place:
        """Return a span together with the line that it is on."""
        starts = [*self.starts[span.line - 1 : span.line + 1], len(self.text)]
        line = self.text[starts[0] : starts[1]].rstrip("\r\n")
        return Place(self.file, span, line[:LONGEST_SHOWN_LINE])

    def cut(self, span: Span) -> str:
        """Return the text that a span covers."""
        begin = self.starts[span.line - 1] + span.column - 1
        return self.text[begin : self.starts[span.end_line - 1] + span.end_column - 1]

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1
