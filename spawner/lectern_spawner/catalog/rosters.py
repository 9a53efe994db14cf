"""Read a roster: a CSV file that lists the people of a course.

Called by the loader. The files come out of spreadsheets, so a byte order mark,
semicolons and Windows line ends are ordinary here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog import names, textfile
from lectern_spawner.catalog.diagnostics import (
    Diagnostic,
    Note,
    Place,
    Severity,
    Span,
    shorten,
    suggest,
)
from lectern_spawner.catalog.lines import LONGEST_SHOWN_LINE

COLUMNS = ("name", "display_name", "section")
FORMULA_STARTS = ("=", "+", "@", "-")
# Far more than are shown; a file with more is no roster. Each severity has its own room.
MOST_PROBLEMS = 500


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of a roster and what is wrong with the file."""

    names: frozenset[str]
    diagnostics: list[Diagnostic]

    @property
    def is_good(self) -> bool:
        """Whether the names may be used."""
        return not any(item.is_error for item in self.diagnostics)


def read(path: Path) -> Roster:
    """Read a roster file."""
    text, problem = textfile.read(path, textfile.ROSTER_LARGEST_BYTES)
    if text is None:
        return Roster(frozenset(), [problem] if problem else [])
    return parse(text, str(path))


def named(data: object) -> Iterator[str]:
    """Yield the names of the rosters that the data of a course file gives, right or wrong."""
    for people in data.values() if isinstance(data, dict) else ():
        name = people.get("csv") if isinstance(people, dict) else None
        if isinstance(name, str):
            yield name


def parse(text: str, file: str) -> Roster:
    """Do what `read` does with a text; `file` is only shown."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiter = ";" if ";" in lines[0] and "," not in lines[0] else ","
    reader = _Reader(file, delimiter)
    for number, line in enumerate(lines, start=1):
        if line.strip(" \t" + delimiter):
            reader.take(number, line)
    if reader.width == 0:
        empty = Diagnostic(code="LEC010", message="the roster is empty", file=file)
        return Roster(frozenset(), [empty])
    return Roster(frozenset(reader.people), reader.found)


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    """Without the blanks around it."""

    line: str
    number: int
    """Of the line."""

    column: int


class _Reader:
    """Takes the lines of a roster one by one.

    A cell never spans lines here, so each line is a small CSV of its own and a
    forgotten quote spoils one line only.
    """

    def __init__(self, file: str, delimiter: str) -> None:
        self.file = file
        self.delimiter = delimiter
        self.width = 0
        """Cells of the first line; 0 until it was read."""

        self.name_column: int | None = None
        self.people: dict[str, _Cell] = {}
        self.found: list[Diagnostic] = []
        self.counts: Counter[Severity] = Counter()

    def take(self, number: int, line: str) -> None:
        """Take a line that is not blank."""
        cells = self._cells(number, line)
        if self.width == 0:
            self._take_titles(cells)
        else:
            self._take_row(cells)

    def _take_titles(self, cells: Iterator[_Cell]) -> None:
        first: _Cell | None = None
        unknown: list[_Cell] = []
        for index, cell in enumerate(cells):
            first = first or cell
            title = _unquoted(cell.text).lower()
            if title == "name" and self.name_column is None:
                self.name_column = index
            elif title not in COLUMNS and len(unknown) < MOST_PROBLEMS:
                unknown.append(cell)
            self.width = index + 1
        if self.name_column is None and first is not None:
            self._report_no_name(first, unknown)
            return
        for cell in unknown:
            title = _unquoted(cell.text).lower()
            message, label = f"unknown column `{shorten(title)}`", "this column is not read"
            help_ = suggest(title, COLUMNS)
            self._report("LEC112", message, cell, label, help_, severity="warning")

    def _report_no_name(self, first: _Cell, unknown: list[_Cell]) -> None:
        message, label = "the roster has no column `name`", "the first line names the columns"
        # The only column of another name is the one that is meant; nothing else is wrong with it.
        likely, help_ = (unknown[0], "write `name`") if len(unknown) == 1 else (first, None)
        self._report("LEC111", message, likely, label, help_)

    def _take_row(self, cells: Iterator[_Cell]) -> None:
        too_many = None
        count = 0
        for index, cell in enumerate(cells):
            count = index + 1
            text = _unquoted(cell.text)
            if index == self.width:
                too_many = cell
            if text.startswith(FORMULA_STARTS):
                # A spreadsheet would run it when somebody opens the roster again.
                self._report("LEC406", "a cell begins like a formula", cell, "not allowed here")
            elif index == self.name_column:
                self._take_name(text, cell)
        if too_many is not None:
            message = f"this line has {count} cells, the first line {self.width}"
            self._report("LEC113", message, too_many, "one cell too many")

    def _take_name(self, text: str, cell: _Cell) -> None:
        name = names.normalise(text)
        why = names.problem(name)
        if why is not None:
            message = "a name in the roster is not accepted"
            self._report("LEC205", message, cell, why[0].lower() + why[1:].rstrip("."))
        elif name not in self.people:
            self.people[name] = cell
        elif not self._is_enough("error"):
            message = f"person `{name}` is listed twice"
            note = Note("first listed here", self._place(self.people[name]))
            self._report("LEC110", message, cell, "again here", notes=(note,))

    def _cells(self, number: int, line: str) -> Iterator[_Cell]:
        start = 0
        for raw in _split(line, self.delimiter):
            bare = raw.strip()
            blank = len(raw) - len(raw.lstrip()) if bare else 0
            yield _Cell(bare, line, number, start + blank + 1)
            start += len(raw) + 1

    def _place(self, cell: _Cell) -> Place:
        span = Span(cell.number, cell.column, cell.number, cell.column + len(cell.text))
        return Place(self.file, span, cell.line[:LONGEST_SHOWN_LINE])

    def _is_enough(self, severity: Severity) -> bool:
        # An error must not be lost behind warnings: it keeps the course from being offered.
        return self.counts[severity] >= MOST_PROBLEMS

    def _report(
        self,
        code: str,
        message: str,
        cell: _Cell,
        label: str,
        help_: str | None = None,
        *,
        notes: tuple[Note, ...] = (),
        severity: Severity = "error",
    ) -> None:
        if self._is_enough(severity):
            return
        self.counts[severity] += 1
        self.found.append(
            Diagnostic(
                code=code,
                message=message,
                file=self.file,
                at=self._place(cell),
                label=label,
                notes=notes,
                help=help_,
                severity=severity,
            )
        )


def _unquoted(cell: str) -> str:
    # The csv module would stop with an error at a very long cell.
    if len(cell) >= 2 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"').strip()
    return cell


def _split(line: str, delimiter: str) -> Iterator[str]:
    """Yield what lies between delimiters that stand outside quotes, keeping the quotes."""
    quoted, start = False, 0
    for offset, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == delimiter and not quoted:
            yield line[start:offset]
            start = offset + 1
    yield line[start:]
