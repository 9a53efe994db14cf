"""Say in plain words what ruamel.yaml found wrong with a file.

Called by `walk` when a file is not YAML, or YAML of a kind that is not allowed.
"""

from __future__ import annotations

import re
from typing import Unpack

from ruamel.yaml.error import MarkedYAMLError

from lectern_spawner.catalog.diagnostics import Diagnostic, More, Note, Place, shorten
from lectern_spawner.catalog.events import Fault
from lectern_spawner.catalog.lines import Lines

# (what ruamel.yaml says, code, what we say, label, label at the place it refers back to)
_TRANSLATIONS: tuple[tuple[str, str, str, str, str], ...] = (
    (r"cannot start any token", "LEC001", "this character cannot begin a value", "", ""),
    (
        r"mapping values are not allowed",
        "LEC001",
        "a value that contains `: ` needs quotes",
        "",
        "",
    ),
    (
        r"expected ',' or|did not find expected ',|while parsing a flow",
        "LEC001",
        "a list, mapping or quote is never closed",
        "still open here",
        "opened here",
    ),
    (
        r"end of stream|unexpected document separator",
        "LEC001",
        "a list, mapping or quote is never closed",
        "still open here",
        "opened here",
    ),
    (
        r"could not find expected ':'|expected <block end>|expected the node content",
        "LEC001",
        "this line does not fit the lines around it",
        "",
        "belongs to this",
    ),
    (r"undefined tag handle", "LEC007", "tags have no meaning here", "", ""),
    (r"unknown escape", "LEC001", "an unknown escape in double quotes", "", ""),
)

_DIRECTIVE = re.compile(r"(?:[^\S\r\n]*(?:#[^\r\n]*)?[\r\n])*(?P<line>%[^\r\n]*)")


def directive(lines: Lines) -> Diagnostic | None:
    """Return what is wrong when the file begins with a directive such as `%YAML 1.1`."""
    # Only blank lines and comments may stand before a directive.
    found = _DIRECTIVE.match(lines.text)
    if found is None:
        return None
    start, line = found.start("line"), found["line"].rstrip()
    return _at(lines, start, start + len(line), "LEC008", _directive(line))


def _directive(line: str) -> str:
    # `%YAML 1.1` would turn `yes`, `no` and `12:30` into something else.
    return f"directive `{shorten(line.split()[0])}` is not allowed"


def translate(error: Exception, lines: Lines) -> Diagnostic:
    """Return the diagnostic for a fault, or for an error of ruamel.yaml."""
    if isinstance(error, Fault):
        start, label = error.offset, error.label
        return _at(lines, start, start + 1, error.code, error.message, label=label)
    if isinstance(error, MarkedYAMLError):
        return _marked(error, lines)
    return _unreadable(error, lines)


def broken(error: Exception, lines: Lines) -> Diagnostic:
    """Return the diagnostic for a failure of ruamel.yaml that has no position."""
    if isinstance(error, RecursionError):
        message = "lists and mappings are nested too deeply"
        return Diagnostic(code="LEC005", message=message, file=lines.file)
    note = Note(f"the YAML reader said: {shorten(error, 100)}")
    message = "the file is not valid YAML"
    return Diagnostic(code="LEC001", message=message, file=lines.file, notes=(note,))


def _marked(error: MarkedYAMLError, lines: Lines) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    start = mark.index if mark is not None else 0
    raw = " ".join(part for part in (error.context, error.problem) if part)
    tab = _tab_before(lines.text, start)
    if tab is not None:
        message = "a tab cannot indent YAML"
        return _at(lines, tab, tab + 1, "LEC003", message, help="use spaces")
    for pattern, code, message, label, back in _TRANSLATIONS:
        if re.search(pattern, raw):
            notes = _back(error, lines, back)
            return _at(lines, start, start + 1, code, message, label=label, notes=notes)
    note = Note(f"the YAML reader said: {shorten(raw, 100)}")
    message = "the file is not valid YAML"
    return _at(lines, start, start + 1, "LEC001", message, notes=(note,))


def _back(error: MarkedYAMLError, lines: Lines, label: str) -> tuple[Note, ...]:
    mark = error.context_mark
    if not label or mark is None or mark is error.problem_mark:
        return ()
    if error.problem_mark is not None and mark.index == error.problem_mark.index:
        return ()
    return (Note(label, _place(lines, mark.index, mark.index + 1)),)


def _tab_before(text: str, offset: int) -> int | None:
    """Return the offset of a tab in the indentation of the line at `offset` or the one before."""
    line = text.rfind("\n", 0, offset) + 1
    previous = text.rfind("\n", 0, max(0, line - 1)) + 1
    for start in (line, previous):
        indentation = re.match(r"[ \t]*", text[start:])
        tab = indentation.group().find("\t") if indentation else -1
        if tab >= 0:
            return start + tab
    return None


def _unreadable(error: Exception, lines: Lines) -> Diagnostic:
    """Return the diagnostic for a character that YAML does not allow."""
    found = getattr(error, "position", None)
    start = found if isinstance(found, int) else 0
    character = lines.text[start : start + 1]
    message = f"character {character!a} is not allowed in YAML"
    return _at(lines, start, start + 1, "LEC004", message)


def _place(lines: Lines, start: int, end: int) -> Place:
    length = len(lines.text)
    return lines.place(lines.span(min(start, length), min(end, length)))


def _at(
    lines: Lines,
    start: int,
    end: int,
    code: str,
    message: str,
    **more: Unpack[More],
) -> Diagnostic:
    at = _place(lines, start, end)
    return Diagnostic(code=code, message=message, file=lines.file, at=at, **more)
