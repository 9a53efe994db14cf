"""Read a roster: a CSV file that lists the people of a course.

Called by the loader. The files come out of spreadsheets, so a byte order mark,
semicolons and Windows line ends are ordinary here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog import names, textfile
from lectern_spawner.catalog.diagnostics import Diagnostic, Note, Place, Span, shorten, suggest

COLUMNS = ("name", "display_name", "section")
FORMULA_STARTS = ("=", "+", "@", "-")


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of a roster and what is wrong with the file."""

    names: frozenset[str]
    diagnostics: list[Diagnostic]

    @property
    def is_good(self) -> bool:
        """Whether the names may be used."""
        return not any(item.is_error for item in self.diagnostics)


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    place: Place


def read(path: Path) -> Roster:
    """Read a roster file."""
    text, problem = textfile.read(path, textfile.ROSTER_LARGEST_BYTES)
    if text is None:
        return Roster(frozenset(), [problem] if problem else [])
    return parse(text, str(path))


def parse(text: str, file: str) -> Roster:
    """Do what `read` does with a text; `file` is only shown."""
    rows = list(_rows(text, file))
    if not rows:
        empty = Diagnostic(code="LEC010", message="the roster is empty", file=file)
        return Roster(frozenset(), [empty])
    found: list[Diagnostic] = []
    column = _name_column(rows[0], found)
    people: dict[str, _Cell] = {}
    for row in rows[1:]:
        found.extend(_row_problems(row, len(rows[0])))
        if column is not None and column < len(row):
            _take(row[column], people, found)
    return Roster(frozenset(people), found)


def _name_column(header: list[_Cell], found: list[Diagnostic]) -> int | None:
    titles = [cell.text.strip().lower() for cell in header]
    for title, cell in zip(titles, header, strict=True):
        if title not in COLUMNS:
            message = f"unknown column `{shorten(title)}`"
            label = "this column is not read"
            help_ = suggest(title, COLUMNS)
            found.append(_report("LEC112", message, cell, label, help_, is_warning=True))
    if "name" not in titles:
        message = "the roster has no column `name`"
        found.append(_report("LEC111", message, header[0], "the first line names the columns"))
        return None
    return titles.index("name")


def _row_problems(row: list[_Cell], width: int) -> Iterator[Diagnostic]:
    if len(row) > width:
        message = f"this line has {len(row)} cells, the first line {width}"
        yield _report("LEC113", message, row[width], "one cell too many")
    for cell in row:
        if cell.text.startswith(FORMULA_STARTS):
            # A spreadsheet would run it when somebody opens the roster again.
            yield _report("LEC406", "a cell begins like a formula", cell, "not allowed here")


def _take(cell: _Cell, people: dict[str, _Cell], found: list[Diagnostic]) -> None:
    if cell.text.startswith(FORMULA_STARTS):
        return
    name = names.normalise(cell.text.strip())
    why = names.problem(name)
    if why is not None:
        message = "a name in the roster is not accepted"
        found.append(_report("LEC205", message, cell, why[0].lower() + why[1:].rstrip(".")))
    elif name in people:
        message = f"person `{name}` is listed twice"
        note = Note("first listed here", people[name].place)
        found.append(_report("LEC110", message, cell, "again here", notes=(note,)))
    else:
        people[name] = cell


def _rows(text: str, file: str) -> Iterator[list[_Cell]]:
    """Yield the cells of each line that is not blank, with their places.

    A cell never spans lines here, so each line is a small CSV of its own and a
    forgotten quote spoils one line only.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiter = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
    for number, line in enumerate(lines, start=1):
        if line.strip(" \t" + delimiter):
            yield list(_cells(line, number, file, delimiter))


def _cells(line: str, number: int, file: str, delimiter: str) -> Iterator[_Cell]:
    start = 0
    for raw in _split(line, delimiter):
        bare = raw.strip()
        column = start + (len(raw) - len(raw.lstrip())) + 1 if bare else start + 1
        span = Span(number, column, number, column + len(bare))
        yield _Cell(_unquoted(bare), Place(file, span, line[:2000]))
        start += len(raw) + 1


def _unquoted(cell: str) -> str:
    # The csv module would stop with an error at a very long cell.
    if len(cell) >= 2 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"').strip()
    return cell


def _split(line: str, delimiter: str) -> list[str]:
    """Split a line at delimiters that stand outside quotes, keeping the quotes."""
    cells, quoted, start = [], False, 0
    for offset, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == delimiter and not quoted:
            cells.append(line[start:offset])
            start = offset + 1
    return [*cells, line[start:]]


def _report(
    code: str,
    message: str,
    cell: _Cell,
    label: str,
    help_: str | None = None,
    *,
    notes: tuple[Note, ...] = (),
    is_warning: bool = False,
) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=message,
        file=cell.place.file,
        at=cell.place,
        label=label,
        notes=notes,
        help=help_,
        severity="warning" if is_warning else "error",
    )
