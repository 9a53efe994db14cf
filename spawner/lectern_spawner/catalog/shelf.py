"""Keep a campus folder checked: once, or again and again while a hub runs.

Called by the hub and by `lectern check`. What was read of a file is kept by its
text, so that a change costs what the changed file costs. A running hub keeps the
last good version of whatever is broken now.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lectern_spawner.catalog import build, copies, loader, rules
from lectern_spawner.catalog.copies import Copies
from lectern_spawner.catalog.courses import Courses, Enrolments
from lectern_spawner.catalog.diagnostics import MOST_LISTED, Diagnostic, Note, listed
from lectern_spawner.catalog.gently import gently
from lectern_spawner.catalog.loader import CAMPUS_FILE, Loaded
from lectern_spawner.catalog.model import Campus, Catalog, Course
from lectern_spawner.catalog.reading import Parsed
from lectern_spawner.catalog.rosters import Roster
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.versions import Choice, Version, choose


def load(folder: Path) -> Loaded:
    """Load the campus in a folder. A mistake in the files never raises."""
    return Shelf(folder).load()


@dataclass(frozen=True, slots=True)
class _Campus:
    """A campus file without errors, and what checks courses against it."""

    parsed: Parsed[CampusFile]
    made: Campus
    courses: Courses


@dataclass(frozen=True, slots=True)
class _Good:
    """The last good version of everything."""

    campus: _Campus
    courses: dict[Path, Version]
    rosters: dict[Path, Roster]
    catalog: Catalog


class Shelf:
    """A campus folder and what was read of it; any thread may ask."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is read yet."""
        self.folder = folder
        self._campus_path = folder / CAMPUS_FILE
        self._lock = threading.Lock()
        self._campuses = copies.campuses()
        self._courses = copies.courses()
        self._people = copies.people()
        self._good: _Good | None = None
        self._latest: _Campus | None = None
        """The last campus without errors, in use or held back."""

    @property
    def rosters(self) -> tuple[Path, ...]:
        """The rosters whose names count now; a hub watches them."""
        return tuple(self._good.rosters) if self._good else ()

    def load(self) -> Loaded:
        """Check what lies in the folder now, whatever lay there before.

        The first catalog that comes out of it is what `refresh` begins with.
        """
        with self._lock:
            return self._load()

    def refresh(self) -> Loaded:
        """Take over what is good of what lies in the folder now; for a running hub.

        What is broken stays as it was, and is named in `Loaded.kept`:

        - a course file or roster with errors. A course file that is gone is a course
          that is gone;
        - the campus file with errors, or with nothing wrong but that a course that is
          offered now could not be offered any more;
        - everything that is gone, while the folder or the campus file is gone.

        A mistake in the files never raises.
        """
        with self._lock:
            return self._load() if self._good is None else self._refresh(self._good)

    async def refreshed(self) -> Loaded:
        """Do what `refresh` does, so that the hub goes on answering meanwhile.

        Even the reload of hundreds of files goes unnoticed in a hub that has called
        `gently.settle_memory` once it had started.
        """
        return await gently(self.refresh)

    def _load(self) -> Loaded:
        try:
            names = self._names()
        except (OSError, ValueError) as error:
            return Loaded(None, (loader.no_folder(self.folder, error),), 0)
        campus, found = self._campus(names)
        choice = self._choose(loader.course_paths(self.folder, names), campus, None)
        good = self._made(campus, choice) if campus else None
        # A later look at everything must not take a course from a running hub.
        self._good = self._good or good
        return self._loaded(good, choice, found)

    def _refresh(self, last: _Good) -> Loaded:
        try:
            names = self._names()
        except (OSError, ValueError) as error:
            kept = sorted(map(str, [self._campus_path, *last.courses, *last.rosters]))
            problem = loader.no_folder(self.folder, error)
            return Loaded(last.catalog, (problem,), 0, tuple(kept))
        campus, found = self._campus(names)
        paths = loader.course_paths(self.folder, names)
        if CAMPUS_FILE not in names:
            # Nobody removes a campus; somebody is about to put all of it back.
            paths += [path for path in last.courses if path not in paths]
        choice, held = self._choose_campus(paths, campus or last.campus, last)
        if campus is None or held is not None:
            campus = last.campus
            choice.kept.add(self._campus_path)
            found += [] if held is None else [held]
        self._good = self._made(campus, choice)
        return self._loaded(self._good, choice, found)

    def _names(self) -> list[str]:
        """Return the names in the folder, and have every file read anew from here on."""
        for each in self._copies():
            each.look_again()
        return sorted(os.listdir(self.folder))

    def _campus(self, names: Sequence[str]) -> tuple[_Campus | None, list[Diagnostic]]:
        """Return the campus that lies there, unless it has errors, and all that is wrong."""
        parsed = self._campuses.get(self._campus_path)
        found = [*parsed.diagnostics]
        if parsed.model is not None:
            found += rules.campus_problems(parsed.model, parsed.source)
        is_wrong = parsed.model is None or any(item.is_error for item in found)
        found += loader.unread(self.folder, names)
        if parsed.model is None or is_wrong:
            return None, found
        last = self._latest
        made = build.campus(parsed.model, self._campus_path, parsed.source)
        if last is None or last.parsed is not parsed:
            self._latest = _Campus(parsed, made, Courses(parsed.model, parsed.source))
        elif last.made != made:
            self._latest = replace(last, made=made)
        return self._latest, found

    def _choose(self, paths: Iterable[Path], campus: _Campus | None, last: _Good | None) -> Choice:
        enrolments = Enrolments(self.folder, self._people, last.rosters if last else {})
        courses = campus.courses if campus else None
        now = {path: self._courses.get(path) for path in paths}
        return choose(now, last.courses if last else {}, courses, enrolments)

    def _choose_campus(
        self, paths: Sequence[Path], campus: _Campus, last: _Good
    ) -> tuple[Choice, Diagnostic | None]:
        """Choose with a campus, or with the last one where that is better for the courses.

        Returns:
            The choice, and what speaks against the campus.
        """
        choice = self._choose(paths, campus, last)
        if campus.parsed is last.campus.parsed:
            return choice, None
        before = self._choose(paths, last.campus, last)
        lost = [path for path in before.used if path in last.courses and path not in choice.used]
        return (before, self._held(lost, before, choice)) if lost else (choice, None)

    def _held(self, lost: list[Path], before: Choice, after: Choice) -> Diagnostic:
        """Return the diagnostic about a campus that would take courses away."""
        names = [course.id for course in before.courses() if course.file in lost]
        noun = "course" if len(names) == 1 else "courses"
        return Diagnostic(
            code="LEC428",
            message=f"the new campus is not in use, because it breaks {noun} {listed(names)}",
            file=str(self._campus_path),
            notes=tuple(_reasons(sorted(lost)[:MOST_LISTED], after)),
        )

    def _made(self, campus: _Campus, choice: Choice) -> _Good:
        courses = choice.courses()
        campus.courses.remember(choice.used)
        last = self._good.catalog if self._good else None
        if last is None or last.campus is not campus.made or not _same(last, courses):
            last = Catalog(campus.made, courses)
        versions = {path: verdict.parsed for path, verdict in choice.used.items()}
        return _Good(campus, versions, choice.rosters(), last)

    def _copies(self) -> tuple[Copies[Any], ...]:
        return (self._campuses, self._courses, self._people)

    def _loaded(self, good: _Good | None, choice: Choice, found: list[Diagnostic]) -> Loaded:
        if good and (campus := good.campus.parsed.model):
            found += rules.unknown_courses(campus, good.campus.parsed.source, choice.ids)
        for each in self._copies():
            each.forget_earlier()
        diagnostics = loader.in_order([*found, *choice.diagnostics], self._campus_path)
        return Loaded(
            catalog=good.catalog if good else None,
            diagnostics=diagnostics,
            files=1 + choice.courses_read + choice.rosters_read,
            kept=tuple(sorted(map(str, choice.kept))),
        )


def _same(catalog: Catalog, courses: Sequence[Course]) -> bool:
    """Whether a catalog holds these very courses."""
    known = catalog.courses
    return len(known) == len(courses) and all(known.get(each.id) is each for each in courses)


def _reasons(paths: Iterable[Path], choice: Choice) -> Iterator[Note]:
    for path in paths:
        error = choice.first_error(path)
        if error is not None:
            yield Note(f"{path.name}: {error.message}", error.at)
