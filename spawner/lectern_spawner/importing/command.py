"""`lectern import z2jh values.yaml`: begin a campus with the settings of another hub."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from lectern_spawner.catalog import names, units
from lectern_spawner.catalog import render as rendering
from lectern_spawner.catalog.cells import visible
from lectern_spawner.commands import Command
from lectern_spawner.importing.convert import Imported, NoHubError, convert
from lectern_spawner.importing.ledger import Fate
from lectern_spawner.importing.reading import ReadError, read
from lectern_spawner.importing.texts import identifier
from lectern_spawner.paths import Where, show

PROBLEMS = 1
CANNOT_RUN = 2
_TITLES = {"changed": "carried over with a change", "left": "left out"}


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("kind", choices=("z2jh",), metavar="KIND", help="z2jh")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="values of Zero to JupyterHub, or a profile_list"
    )
    parser.add_argument(
        "--instructor", action="append", default=[], metavar="NAME", help="who holds the course"
    )
    parser.add_argument(
        "--course", metavar="ID", help="id of the new course (default: FILE's name)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the files (default: print them)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _run(options: Namespace) -> int:
    try:
        course = _course(options)
        _check_instructors(options.instructor)
        made = convert(read(options.file), course, options.instructor)
        if options.out is not None:
            _write(options.out, made.files)
    except (ReadError, NoHubError) as error:
        return _sorry(f"{options.file}: {error}", CANNOT_RUN)
    except ValueError as error:
        return _sorry(str(error), CANNOT_RUN)
    except OSError as error:
        return _sorry(f"{options.out}: {(error.strerror or str(error)).lower()}", CANNOT_RUN)
    report = _as_json if options.format == "json" else _as_text
    sys.stdout.write(report(options, made))
    return PROBLEMS if any(item.is_error for item in made.problems) else 0


def _course(options: Namespace) -> str:
    """Return the id of the course.

    Raises:
        ValueError: when the user's own is not an id.
    """
    if options.course is None:
        found = identifier(options.file.stem, "imported")
        return "imported" if found == "campus" else found
    if options.course == "campus":
        raise ValueError("--course campus: that file describes the campus; take another id")
    try:
        return units.identifier(options.course)
    except ValueError as error:
        raise ValueError(f"--course {options.course}: {error}") from None


def _check_instructors(wanted: list[str]) -> None:
    if not wanted:
        raise ValueError("a course needs somebody who holds it; add --instructor NAME")
    for name in wanted:
        if why := names.problem(names.normalise(name)):
            raise ValueError(f"--instructor: {why}")
    if len({names.normalise(name) for name in wanted}) < len(wanted):
        raise ValueError("--instructor: one name is given twice")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise ValueError(f"{folder / there[0]} is there already; give another folder with --out")
    for name, text in files.items():
        with (folder / name).open("x", encoding="utf-8") as file:
            file.write(text)


def _sorry(sentence: str, code: int) -> int:
    sys.stderr.write(f"lectern import: {sentence}\n")
    return code


def _as_text(options: Namespace, made: Imported) -> str:
    totals = made.totals
    counts = f"{totals.leaves} values: {totals.carried} carried over, {totals.listed} listed below"
    lines = [f"{options.file}: {counts} ({totals.changed} changed, {totals.left} left out)"]
    for kind, title in _TITLES.items():
        listed = [(show(where), fate) for where, fate in made.fates.items() if fate.kind == kind]
        if listed:
            lines += ["", f"{title}:"]
            lines += [visible(f"  {place}: {fate.words}") for place, fate in listed]
    lines += ["", rendering.full(made.problems) or "lectern check: no problems"]
    for name, text in made.files.items():
        where = options.out / name if options.out else None
        lines += [f"written: {where}"] if where else ["", f"==> {name} <==", text.rstrip()]
    return "\n".join(lines) + "\n"


def _as_json(options: Namespace, made: Imported) -> str:
    totals = made.totals
    data = {
        "file": str(options.file),
        "leaves": totals.leaves,
        "carried": totals.carried,
        "listed": totals.listed,
        "changed": totals.changed,
        "left": totals.left,
        "values": [_value(where, fate) for where, fate in made.fates.items()],
        "files": dict(made.files),
        "written": [str(options.out / name) for name in made.files] if options.out else [],
        "problems": [rendering.as_data(item) for item in made.problems],
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def _value(where: Where, fate: Fate) -> dict[str, str]:
    return {
        "path": show(where),
        "fate": fate.kind,
        "to" if fate.kind == "carried" else "reason": fate.words,
    }


import_ = Command(
    name="import",
    help="begin a campus with the settings of another hub",
    configure=_configure,
    run=_run,
)
