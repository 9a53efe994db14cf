"""Choose which version of each course file is in use: what lies there, or the last good one.

Called by `shelf`. Course ids are given away here too, so that of two files with
one id the right one has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lectern_spawner.catalog.courses import Courses, Enrolments, Verdict
from lectern_spawner.catalog.diagnostics import Diagnostic, Note, shorten
from lectern_spawner.catalog.messages import at_value
from lectern_spawner.catalog.model import Course
from lectern_spawner.catalog.reading import Parsed
from lectern_spawner.catalog.rosters import Roster
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.catalog.source import Source

Version = Parsed[CourseFile]


@dataclass(slots=True)
class Choice:
    """The versions that are in use, and what is wrong with those that lie there."""

    used: dict[Path, Verdict] = field(default_factory=dict)
    kept: set[Path] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    courses_read: int = 0
    rosters_read: int = 0
    ids: frozenset[str] = frozenset()
    """Ids of all courses, those of broken files too."""

    def courses(self) -> list[Course]:
        """Return the courses that are offered, by the names of their files."""
        made = [self.used[path].course for path in sorted(self.used)]
        return [course for course in made if course is not None]

    def rosters(self) -> dict[Path, Roster]:
        """Return the rosters whose names count."""
        found = [each for verdict in self.used.values() for each in verdict.enrolments]
        return {each.path: each.good for each in found if each.good is not None}

    def first_error(self, path: Path) -> Diagnostic | None:
        """Return the first error of a file."""
        wrong = (item for item in self.diagnostics if item.file == str(path) and item.is_error)
        return next(wrong, None)


def choose(
    now: Mapping[Path, Version | None],
    good: Mapping[Path, Version],
    courses: Courses | None,
    enrolments: Enrolments,
) -> Choice:
    """Return the versions to use.

    Args:
        now: what lies in each course file; None where that is unknown.
        good: the last good version of course files, where there is one.
        courses: checks against the campus; None while there is no campus, and then
            only ids are looked at.
        enrolments: the rosters.
    """
    chooser = _Chooser(good, courses, enrolments)
    for path in sorted(now, key=lambda path: _rank(path, now[path], good.get(path))):
        chooser.take(path, now[path])
    choice = chooser.choice
    choice.ids = frozenset(chooser.taken)
    choice.courses_read = sum(version is not None for version in now.values())
    for enrolment in enrolments.seen():
        if enrolment.roster is not None:
            choice.diagnostics += enrolment.roster.diagnostics
            choice.rosters_read += 1
    in_use = [each for verdict in choice.used.values() for each in verdict.enrolments]
    choice.kept |= {each.path for each in in_use if each.is_kept}
    return choice


class _Chooser:
    """Goes through the files, those that have the best right to their id first."""

    def __init__(
        self, good: Mapping[Path, Version], courses: Courses | None, enrolments: Enrolments
    ) -> None:
        self.good = good
        self.courses = courses
        self.enrolments = enrolments
        self.taken: dict[str, Source] = {}
        self.choice = Choice()

    def take(self, path: Path, now: Version | None) -> None:
        """Choose a version of a file, or none."""
        name = None if now is None else _id(now)
        other = self.taken.get(name) if name else None
        if now is not None:
            verdict = self._check(path, now)
            self.choice.diagnostics += [*now.diagnostics, *verdict.diagnostics]
            if name and other:
                self.choice.diagnostics.append(_taken(name, now.source, other))
            elif verdict.course is not None:
                self._use(path, verdict)
                return
        if not self._is_kept(path) and now is not None:
            # Broken, and yet it says whose file it is.
            self._claim(now)

    def _is_kept(self, path: Path) -> bool:
        last = self.good.get(path)
        if last is None or (_id(last) or "") in self.taken:
            return False
        verdict = self._check(path, last)
        if verdict.course is None:
            return False
        self._use(path, verdict)
        self.choice.kept.add(path)
        return True

    def _use(self, path: Path, verdict: Verdict) -> None:
        self.choice.used[path] = verdict
        self._claim(verdict.parsed)

    def _claim(self, version: Version) -> None:
        name = _id(version)
        if name is not None:
            self.taken.setdefault(name, version.source)

    def _check(self, path: Path, version: Version) -> Verdict:
        if self.courses is None:
            return Verdict(version, None, (), ())
        return self.courses.check(path, version, self.enrolments)


def _rank(path: Path, now: Version | None, good: Version | None) -> tuple[bool, bool, Path]:
    """Return what sorts files by their right to an id.

    A course that is offered keeps its id; of the others, the file that is named like
    its course is taken for the right one.
    """
    name = None if now is None else _id(now)
    keeps = good is not None and name in (None, _id(good))
    return (not keeps, name != path.stem, path)


def _id(version: Version) -> str | None:
    if version.model is not None:
        return version.model.course
    data = version.source.data
    name = data.get("course") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def _taken(name: str, source: Source, other: Source) -> Diagnostic:
    place = other.value(("course",))
    notes = (Note("first used here", place),) if place else ()
    message = f"course id `{shorten(name)}` is used twice"
    return at_value(source, ("course",), "LEC108", message, label="again", notes=notes)
