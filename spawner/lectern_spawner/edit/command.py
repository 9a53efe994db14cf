"""`lectern set COURSE PLACE VALUE`: change one value of a course or of the campus."""

from __future__ import annotations

import difflib
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from lectern_spawner import paths
from lectern_spawner.catalog import Diagnostic
from lectern_spawner.catalog import render as rendering
from lectern_spawner.commands import Command, add_campus
from lectern_spawner.edit import campus, change, store, values
from lectern_spawner.edit.change import Change, RefusedChangeError, Wish
from lectern_spawner.edit.data import UNSET, Unset

REFUSED = 1
CANNOT_RUN = 2


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("target", metavar="COURSE", help="id of a course, or `campus`")
    parser.add_argument(
        "place", metavar="PLACE", help="such as profiles.gpu.memory or data[0].from"
    )
    parser.add_argument("value", metavar="VALUE", nargs="?", help="a word, text, list or section")
    parser.add_argument("--unset", action="store_true", help="take the key or item away")
    parser.add_argument("--text", action="store_true", help="VALUE is text, even when it is 010")
    parser.add_argument(
        "--here", action="store_true", help="give this place a value of its own, anchor or not"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the change, write nothing")
    add_campus(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _run(options: Namespace) -> int:
    try:
        wish = _wish(options)
        file = campus.file_of(options.campus, options.target)
        stored = store.read(file)
    except (ValueError, campus.NoFileError, store.StoreError) as error:
        return _sorry(str(error), CANNOT_RUN)
    try:
        made = change.plan(stored.text, wish)
        changes = made.new_text != made.old_text
        found = _new_problems(options.campus, file, made) if changes else []
        refused = any(item.is_error for item in found)
        if changes and not refused and not options.dry_run:
            store.write(stored, made.new_text)
    except campus.CannotCheckError as error:
        return _sorry(str(error), CANNOT_RUN)
    except (RefusedChangeError, store.StoreError) as error:
        return _sorry(f"{file.name}: {error}", REFUSED)
    written = changes and not refused and not options.dry_run
    report = _as_json if options.format == "json" else _as_text
    sys.stdout.write(report(file, options, made, found, written))
    return REFUSED if refused else 0


def _wish(options: Namespace) -> Wish:
    """Return what is asked for.

    Raises:
        ValueError: when the words on the command line make no sense together.
    """
    if options.unset == (options.value is not None):
        raise ValueError("give either a VALUE or --unset")
    where = paths.parse(options.place)
    if options.unset:
        return Wish(where=where, value=UNSET, here=options.here)
    typed = str(options.value)
    if options.text:
        return Wish(where=where, value=typed, here=options.here)
    return Wish(where=where, value=values.read(typed), typed=typed, here=options.here)


def _new_problems(folder: Path, file: Path, made: Change) -> list[Diagnostic]:
    return campus.new_problems(folder, file, made.old_text, made.new_text)


def _sorry(sentence: str, code: int) -> int:
    sys.stderr.write(f"lectern set: {sentence}\n")
    return code


def diff(file: Path, made: Change) -> str:
    """Return a change as `diff -u` would print it."""
    before, after = (text.splitlines(keepends=True) for text in (made.old_text, made.new_text))
    lines = difflib.unified_diff(before, after, f"a/{file.name}", f"b/{file.name}")
    missing = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith(("\n", "\r")) else line + missing for line in lines)


def _as_text(
    file: Path, options: Namespace, made: Change, found: Sequence[Diagnostic], written: bool
) -> str:
    problems = rendering.full(found)
    place = f"{file}:{made.line}" if made.line else str(file)
    before, after = (_shown(value) for value in (made.old, made.new))
    if made.new_text == made.old_text:
        return f"{place}: {options.place} is {after} already\n"
    if any(item.is_error for item in found):
        return f"{problems}\nnot changed: {options.place} {before} -> {after} would be an error\n"
    if options.dry_run:
        return problems + diff(file, made)
    return f"{problems}{place}: {options.place}: {before} -> {after}\n"


def _as_json(
    file: Path, options: Namespace, made: Change, found: Sequence[Diagnostic], written: bool
) -> str:
    data = {
        "file": str(file),
        "place": options.place,
        "line": made.line or None,
        "old": _plain(made.old),
        "new": _plain(made.new),
        "unset": made.new is UNSET,
        "written": written,
        "diff": diff(file, made),
        "problems": [rendering.as_data(item) for item in found],
    }
    return json.dumps(data, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, Unset):
        return None
    return value.isoformat() if isinstance(value, date) else value


def _shown(value: object) -> str:
    return "nothing" if value is None or value is UNSET else values.flow(value)


set_ = Command(
    name="set",
    help="change one value of a course or of the campus, and nothing else",
    configure=_configure,
    run=_run,
)
