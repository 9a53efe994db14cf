"""The verbs that need no hub, found by the script `lectern` through its entry points."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lectern_spawner.catalog import Diagnostic, load, pending
from lectern_spawner.catalog import render as rendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb of the script `lectern`."""

    name: str
    help: str
    configure: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    """Does the work and returns the exit code: 0 good, 1 problems found, 2 could not run."""


def _configure_check(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("profiles"),
        metavar="FOLDER",
        help="the campus folder (default: profiles)",
    )
    parser.add_argument(
        "--format",
        choices=tuple(rendering.FORMATS),
        default="full",
        help="how problems are printed (default: full)",
    )
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")


def _run_check(options: Namespace) -> int:
    folder: Path = options.folder
    if not folder.is_dir():
        # Nothing was checked, which is not the same as a mistake in a file.
        print(f"lectern check: there is no folder {folder}", file=sys.stderr)
        return 2
    loaded = load(folder)
    if loaded.files == 0:
        print(f"lectern check: {loaded.diagnostics[0].message}: {folder}", file=sys.stderr)
        return 2
    found = [_strict(item) if options.strict else item for item in loaded.diagnostics]
    sys.stdout.write(rendering.FORMATS[options.format](found, colour=_wants_colour()))
    if options.format in ("full", "concise"):
        print(rendering.summary(found, loaded.files))
    if loaded.catalog and (note := pending.note(pending.without_effect(loaded.catalog))):
        # Formats for programs hold problems and nothing else.
        for_people = options.format in ("full", "concise")
        print(f"note: {note}", file=sys.stdout if for_people else sys.stderr)
    return 1 if any(item.is_error for item in found) else 0


def _strict(item: Diagnostic) -> Diagnostic:
    return replace(item, severity="error")


def _wants_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


check = Command(
    name="check",
    help="look for mistakes in the campus and course files",
    configure=_configure_check,
    run=_run_check,
)
