"""Print diagnostics: with the lines of the file, one per line, as JSON, for GitHub, as SARIF.

Called by `lectern check`, and by the hub for its log and its admin page. Returns
text; whether colour is wanted is the caller's decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lectern_spawner.catalog.cells import cell, visible
from lectern_spawner.catalog.diagnostics import Diagnostic, Place
from lectern_spawner.catalog.sarif import sarif

WIDEST = 160
BEFORE_MARK = 60
_STYLES = {"error": "1;31", "warning": "1;33", "frame": "1;34", "bold": "1"}


@dataclass(frozen=True, slots=True)
class _Mark:
    """One place in a frame: what is drawn under it and what is said beside it."""

    place: Place
    sign: str
    label: str


@dataclass(frozen=True, slots=True)
class _Pen:
    colour: bool

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour and text else text


def full(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return every diagnostic with the lines it is about, a blank line after each."""
    pen = _Pen(colour)
    return "".join("\n".join(_frame(item, pen)) + "\n\n" for item in diagnostics)


def concise(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return one line per diagnostic, as editors and logs like it."""
    del colour
    return "".join(f"{_concise(item)}\n" for item in diagnostics)


def json_lines(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return one JSON object per line."""
    del colour
    return "".join(json.dumps(as_data(d), ensure_ascii=False) + "\n" for d in diagnostics)


def github(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return workflow commands that GitHub shows beside the changed lines."""
    del colour
    return "".join(f"{_github(item)}\n" for item in diagnostics)


FORMATS: dict[str, Callable[..., str]] = {
    "full": full,
    "concise": concise,
    "json": json_lines,
    "github": github,
    "sarif": sarif,
}


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """Return the closing line, such as ``2 errors in 1 of 5 files``."""
    every = _count(files, "file")
    if not diagnostics:
        return f"{every}, no problems"
    errors = sum(item.is_error for item in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [_count(errors, "error")] if errors else []
    parts += [_count(warnings, "warning")] if warnings else []
    touched = len({item.file for item in diagnostics})
    hidden = sum(item.hidden for item in diagnostics)
    more = f", and {hidden} more that are not shown" if hidden else ""
    return f"{' and '.join(parts)} in {touched} of {_count(max(files, touched), 'file')}{more}"


def as_data(item: Diagnostic) -> dict[str, object]:
    """Return a diagnostic as plain data for JSON."""
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "file": item.file,
        "span": _span_data(item.at),
        "path": item.path,
        "label": item.label,
        "notes": [
            {
                "message": note.message,
                "file": note.at.file if note.at else None,
                "span": _span_data(note.at),
            }
            for note in item.notes
        ],
        "help": item.help,
        "url": f"docs/diagnostics/{item.code}.md",
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _span_data(place: Place | None) -> dict[str, int] | None:
    if place is None:
        return None
    span = place.span
    return {
        "line": span.line,
        "col": span.column,
        "end_line": span.end_line,
        "end_col": span.end_column,
    }


def _concise(item: Diagnostic) -> str:
    where = visible(item.file)
    if item.at is not None:
        where += f":{item.at.span.line}:{item.at.span.column}"
    return f"{where}: {item.severity}[{item.code}] {visible(_on_one_line(item))}"


def _on_one_line(item: Diagnostic) -> str:
    more = f"; {item.help}" if item.help else ""
    hidden = f" (and {item.hidden} more in this file)" if item.hidden else ""
    return item.message + more + hidden


def _github(item: Diagnostic) -> str:
    fields = {"file": visible(item.file)}
    if item.at is not None:
        span = item.at.span
        fields |= {"line": str(span.line), "col": str(span.column)}
        fields |= {"endLine": str(span.end_line), "endColumn": str(span.end_column)}
    fields["title"] = item.code
    listed = ",".join(f"{key}={_github_field(value)}" for key, value in fields.items())
    return f"::{item.severity} {listed}::{_github_text(visible(_on_one_line(item)))}"


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_field(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")


def _frame(item: Diagnostic, pen: _Pen) -> Iterator[str]:
    head = pen(item.severity, f"{item.severity}[{item.code}]")
    yield f"{head}{pen('bold', ': ' + visible(item.message))}"
    groups = _by_file(item)
    lines = [mark.place.span.line for _file, marks in groups for mark in marks]
    gutter = len(str(max(lines, default=0)))
    bar = " " * gutter + pen("frame", " |")
    if item.at is None:
        yield " " * gutter + pen("frame", "--> ") + visible(item.file)
    for number, (file, marks) in enumerate(groups):
        at = item.at if number == 0 and item.at is not None else marks[0].place
        arrow = "--> " if number == 0 else "::: "
        place = f"{visible(file)}:{at.span.line}:{at.span.column}"
        yield " " * gutter + pen("frame", arrow) + place
        yield bar
        yield from _excerpt(marks, gutter, item.severity, pen)
        yield bar
    for note in item.notes:
        if note.at is None:
            yield f"{' ' * gutter}{pen('frame', ' = ')}note: {visible(note.message)}"
    if item.help:
        yield f"{' ' * gutter}{pen('frame', ' = ')}help: {visible(item.help)}"


def _by_file(item: Diagnostic) -> list[tuple[str, list[_Mark]]]:
    """Return the marks of a diagnostic per file, its own file first, sorted by line."""
    marks = [] if item.at is None else [_Mark(item.at, "^", item.label)]
    marks += [_Mark(note.at, "-", note.message) for note in item.notes if note.at]
    files: dict[str, list[_Mark]] = {}
    for mark in marks:
        files.setdefault(mark.place.file, []).append(mark)
    return [
        (file, sorted(group, key=lambda m: (m.place.span.line, m.place.span.column)))
        for file, group in files.items()
    ]


def _excerpt(marks: list[_Mark], gutter: int, severity: str, pen: _Pen) -> Iterator[str]:
    shown: int | None = None
    for mark in marks:
        line = mark.place.span.line
        cut = _cut(mark.place)
        if line != shown:
            if shown is not None and line > shown + 1:
                yield pen("frame", "...")
            shown_text = visible(mark.place.text[cut : cut + WIDEST]).rstrip()
            lead = "…" if cut else ""
            yield f"{pen('frame', f'{line:>{gutter}} |')} {lead}{shown_text}".rstrip()
            shown = line
        style = severity if mark.sign == "^" else "frame"
        indent, width = _extent(mark.place, cut)
        drawn = pen(style, f"{mark.sign * width} {visible(mark.label)}".rstrip())
        yield f"{' ' * gutter}{pen('frame', ' |')} {' ' * indent}{drawn}"


def _cut(place: Place) -> int:
    """Return how many characters are left out at the start of a very long line."""
    if len(place.text) <= WIDEST:
        return 0
    return max(0, min(place.span.column - 1, len(place.text)) - BEFORE_MARK)


def _extent(place: Place, cut: int) -> tuple[int, int]:
    """Return where a mark begins and how wide it is, in columns of a terminal."""
    span, start = place.span, place.span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(place.text.rstrip())
    end = min(end, cut + WIDEST)
    indent = sum(cell(c)[1] for c in place.text[cut:start]) + (1 if cut else 0)
    return indent, max(1, sum(cell(c)[1] for c in place.text[start:end]))
