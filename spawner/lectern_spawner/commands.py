"""The verbs that need no hub, found by the script `lectern` through its entry points."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lectern_spawner.catalog import Diagnostic, Loaded, editing, load, pending, rosters
from lectern_spawner.catalog import render as rendering
from lectern_spawner.catalog.loader import CAMPUS_FILE
from lectern_spawner.catalog.names import normalise, problem
from lectern_spawner.catalog.reading import read_source

CANNOT_RUN = 2


class CannotRunError(Exception):
    """Nothing was checked, which is not the same as a mistake in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb of the script `lectern`."""

    name: str
    help: str
    configure: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    """Does the work and returns the exit code: 0 good, 1 problems found, 2 could not run."""


def add_campus(parser: ArgumentParser) -> None:
    """Add the option that names the campus folder, the same for every verb."""
    parser.add_argument(
        "--campus",
        type=Path,
        default=Path("profiles"),
        metavar="DIR",
        help="folder with campus.yaml and the course files (default: profiles)",
    )


def _configure_check(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[Path("profiles")],
        metavar="PATH",
        help="the campus folder, or some files of it (default: profiles)",
    )
    parser.add_argument(
        "--format",
        choices=tuple(rendering.FORMATS),
        default="full",
        help="how problems are printed (default: full)",
    )
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")
    parser.add_argument(
        "--editor",
        metavar="NAME",
        help="hold the courses against what the campus lets this editor do",
    )


def _run_check(options: Namespace) -> int:
    try:
        folder, files = _what_to_check(options.paths)
        loaded = load(folder)
        if loaded.files == 0:
            raise CannotRunError(f"{loaded.diagnostics[0].message}: {folder}")
        found = [*loaded.diagnostics, *_as_editor(options.editor, loaded, folder, files)]
    except CannotRunError as error:
        print(f"lectern check: {error}", file=sys.stderr)
        return CANNOT_RUN
    seen = _with_rosters(folder, files)
    wanted = [item for item in found if _concerns(item, folder, seen)]
    shown = [replace(item, severity="error") if options.strict else item for item in wanted]
    sys.stdout.write(rendering.FORMATS[options.format](shown, colour=_wants_colour()))
    # Formats for programs hold problems and nothing else.
    for_people = options.format in ("full", "concise")
    if for_people:
        print(rendering.summary(shown, len(seen) or loaded.files))
    # About the campus as a whole; somebody who checks one file has seen it.
    if (
        not files
        and loaded.catalog
        and (note := pending.note(pending.without_effect(loaded.catalog)))
    ):
        print(f"note: {note}", file=sys.stdout if for_people else sys.stderr)
    return 1 if any(item.is_error for item in shown) else 0


def _what_to_check(paths: Sequence[Path]) -> tuple[Path, frozenset[str]]:
    """Return the campus folder, and the wanted files in it; none for all.

    Raises:
        CannotRunError: when there is nothing that could be checked.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return paths[0], frozenset()
    for path in paths:
        if path.is_dir():
            raise CannotRunError("give one folder, or files of one folder")
        if not path.exists():
            kind = "file" if path.suffix else "folder"
            raise CannotRunError(f"there is no {kind} {path}")
        if path.suffix not in (".yaml", ".csv"):
            raise CannotRunError(f"{path} is neither a course file (.yaml) nor a roster (.csv)")
    folders = {_campus_of(path) for path in paths}
    if len(folders) != 1:
        raise CannotRunError("give files of one folder")
    folder = folders.pop()
    return folder, frozenset(str(path.relative_to(folder)) for path in paths)


def _campus_of(path: Path) -> Path:
    """Return the campus folder that a file belongs to: rosters may lie further down."""
    for folder in path.parents if path.suffix == ".csv" else (path.parent,):
        if (folder / CAMPUS_FILE).is_file():
            return folder
    raise CannotRunError(f"{path.parent} is no campus folder: it has no {CAMPUS_FILE}")


def _with_rosters(folder: Path, files: frozenset[str]) -> frozenset[str]:
    """Return files and the rosters that the courses among them name."""
    courses = (name for name in files if name.endswith(".yaml"))
    return files.union(*(rosters.named(read_source(folder / name)[0].data) for name in courses))


def _concerns(item: Diagnostic, folder: Path, files: frozenset[str]) -> bool:
    """Whether a problem is one of the wanted files, or of the campus that they refer to."""
    wanted = {str(folder / name) for name in files}
    is_campus = item.file == str(folder / CAMPUS_FILE) and item.is_error
    return not files or item.file in wanted or is_campus


def _as_editor(
    written: str | None, loaded: Loaded, folder: Path, files: frozenset[str]
) -> list[Diagnostic]:
    """Return what speaks against the courses as the work of an editor."""
    if written is None:
        return []
    name = normalise(written)
    if why := problem(name):
        raise CannotRunError(why)
    if loaded.catalog is None:
        return []
    mine = editing.courses_of(loaded.catalog, name)
    if not files and not mine:
        raise CannotRunError(f"`{name}` may edit no course of {folder}")
    found = []
    for course in loaded.catalog.courses.values():
        if course.file.name in files or (not files and course.id in mine):
            found += editing.problems(loaded.catalog, course, name)
    if CAMPUS_FILE in files:
        found.append(editing.not_the_campus(loaded.catalog, name))
    return found


def _wants_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


check = Command(
    name="check",
    help="look for mistakes in the campus and course files",
    configure=_configure_check,
    run=_run_check,
)
