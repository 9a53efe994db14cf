"""Print diagnostics as SARIF 2.1.0, which code hosts show beside the lines of a change.

Used by `render`. Shape and rules are those of the OASIS standard, sections 3.13 to 3.52.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from urllib.parse import quote

from lectern_spawner.catalog.cells import visible
from lectern_spawner.catalog.diagnostics import CODES, Diagnostic, Note, Place, Span


def sarif(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return one log for all diagnostics, with a rule for each code that occurs."""
    del colour
    found = list(diagnostics)
    codes = sorted({item.code for item in found})
    driver = {"name": "lectern check", "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        # Columns count characters here; the standard's default is UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, codes.index(item.code)) for item in found],
    }
    log = {"version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str) -> dict[str, object]:
    page = f"docs/diagnostics/{code}.md"
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "help": {
            "text": f"What it means and how it is mended: {page}",
            "markdown": f"What it means and how it is mended: [{code}]({page})",
        },
    }


def _result(item: Diagnostic, rule: int) -> dict[str, object]:
    located = [note for note in item.notes if note.at is not None]
    return {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": item.severity,
        "message": {"text": _text("; ".join(_sentences(item)))},
        "locations": [_location(item)],
        "relatedLocations": [_related(note, number) for number, note in enumerate(located)],
    }


def _sentences(item: Diagnostic) -> Iterator[str]:
    """Yield all that is said without a place of its own."""
    yield item.message
    yield from (note.message for note in item.notes if note.at is None)
    if item.help:
        yield item.help


def _location(item: Diagnostic) -> dict[str, object]:
    location: dict[str, object] = {"physicalLocation": _physical(item.file, item.at)}
    if item.path:
        location["logicalLocations"] = [{"fullyQualifiedName": item.path}]
    return location


def _related(note: Note, number: int) -> dict[str, object]:
    at = note.at
    return {
        "id": number,
        "message": {"text": _text(note.message)},
        "physicalLocation": _physical(at.file if at else "", at),
    }


def _physical(file: str, place: Place | None) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(file)}}
    if place is not None:
        physical["region"] = _region(place.span)
    return physical


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    # Names that are not UTF-8 come as surrogates, which only their bytes can be quoted from.
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def _text(words: str) -> str:
    # In SARIF's messages `[text](target)` is a link, and somebody's key is none.
    return visible(words).replace("](", "] (")
