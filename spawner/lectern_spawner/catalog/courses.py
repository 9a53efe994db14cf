"""Check one course against a campus, with the rosters that it names.

Called by `shelf`, which decides which version of each file is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog import build, rules
from lectern_spawner.catalog.copies import Copies
from lectern_spawner.catalog.diagnostics import Diagnostic, closest
from lectern_spawner.catalog.messages import at_key, at_value
from lectern_spawner.catalog.model import Course, People
from lectern_spawner.catalog.reading import Parsed
from lectern_spawner.catalog.roles import Role
from lectern_spawner.catalog.rosters import Roster
from lectern_spawner.catalog.rules.grading import policies
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.catalog.sections.fields import FromCsv, FromGroup
from lectern_spawner.catalog.source import Source, Where

ROLES = (
    (Role.INSTRUCTOR, "instructors"),
    (Role.ASSISTANT, "assistants"),
    (Role.STUDENT, "students"),
)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a look at a roster gave."""

    folder: Path
    path: Path
    roster: Roster | None
    """None where there is no such file in the folder."""

    fault: tuple[str, str] | None
    """Code and words where the name of the file is wrong."""

    good: Roster | None
    """Whose names count: this roster or its last good version; None where there is none."""

    @property
    def is_kept(self) -> bool:
        """Whether the last good version is in use."""
        return self.good is not None and self.good is not self.roster


class Enrolments:
    """The rosters of a folder during one look at it."""

    def __init__(self, folder: Path, copies: Copies[Roster], good: Mapping[Path, Roster]) -> None:
        """Take the reader of rosters, and the last good version of each."""
        self._folder = folder
        self._copies = copies
        self._good = good
        self._seen: dict[str, Enrolment] = {}

    def get(self, name: str) -> Enrolment:
        """Return what there is under the name that a course file gives."""
        if name not in self._seen:
            self._seen[name] = self._look(name)
        return self._seen[name]

    def seen(self) -> Iterable[Enrolment]:
        """Return what was asked for so far."""
        return self._seen.values()

    def _look(self, name: str) -> Enrolment:
        path = self._folder / name
        fault = _fault(self._folder, path, name)
        if fault is not None:
            return Enrolment(self._folder, path, None, fault, self._good.get(path))
        roster = self._copies.get(path)
        good = roster if roster.is_good else self._good.get(path)
        return Enrolment(self._folder, path, roster, None, good)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one version of a course file."""

    parsed: Parsed[CourseFile]
    course: Course | None
    """None when it cannot be offered."""

    diagnostics: tuple[Diagnostic, ...]
    """Beyond those of reading the file and the rosters."""

    enrolments: tuple[Enrolment, ...]


class Courses:
    """Checks course files against one campus; remembers the verdicts."""

    def __init__(self, campus: CampusFile, source: Source) -> None:
        """Take the campus that the courses refer to."""
        self._campus = campus
        self._source = source
        self._known: dict[Path, list[Verdict]] = {}

    def check(self, path: Path, parsed: Parsed[CourseFile], enrolments: Enrolments) -> Verdict:
        """Return the verdict on a version of a file."""
        named = {key: enrolments.get(name) for key, name in _rosters_of(parsed.model)}
        found = tuple(named.values())
        known = self._known.get(path, [])
        for verdict in known:
            if verdict.parsed is parsed and verdict.enrolments == found:
                return verdict
        made = self._verdict(path, parsed, named)
        # The version that lies there, and the last good one.
        self._known[path] = [*known[-1:], made]
        return made

    def remember(self, verdicts: Mapping[Path, Verdict]) -> None:
        """Forget all verdicts but these."""
        self._known = {path: [verdict] for path, verdict in verdicts.items()}

    def _verdict(
        self, path: Path, parsed: Parsed[CourseFile], enrolments: Mapping[str, Enrolment]
    ) -> Verdict:
        file, source = parsed.model, parsed.source
        if file is None:
            return Verdict(parsed, None, (), ())
        checked = rules.Checked(file, source, self._campus, self._source)
        found = list(rules.course_problems(checked))
        all_enrolled = all(each.good is not None for each in enrolments.values())
        is_good = all_enrolled and not any(item.is_error for item in found)
        people = {role: _people(getattr(file, key), enrolments.get(key)) for role, key in ROLES}
        found += _two_roles(checked, people)
        if all_enrolled:
            found += _strangers(checked, people)
        found += _roster_faults(enrolments, source)
        default = self._campus.languages[0]
        course = build.course(file, path, source, people, default) if is_good else None
        return Verdict(parsed, course, tuple(found), tuple(enrolments.values()))


def _rosters_of(file: CourseFile | None) -> Iterator[tuple[str, str]]:
    """Yield the keys under which a course names rosters, and the names."""
    for _, key in ROLES:
        written = getattr(file, key, None)
        if isinstance(written, FromCsv):
            yield key, written.csv


def _people(written: object, enrolment: Enrolment | None) -> People:
    if isinstance(written, FromGroup):
        return People(group=written.group)
    if enrolment is not None:
        return People(names=enrolment.good.names if enrolment.good else frozenset())
    return People(names=frozenset(written) if isinstance(written, tuple) else frozenset())


def _roster_faults(enrolments: Mapping[str, Enrolment], source: Source) -> Iterator[Diagnostic]:
    for key, enrolment in enrolments.items():
        if enrolment.fault is not None:
            code, message = enrolment.fault
            label = f"looked in {enrolment.folder}" if code == "LEC305" else "not in this folder"
            yield at_value(source, (key, "csv"), code, message, label=label)


def _fault(folder: Path, path: Path, name: str) -> tuple[str, str] | None:
    try:
        # Path.resolve raises on a loop of symbolic links, realpath does not.
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
        exists = path.is_file()
    except (OSError, ValueError):
        return "LEC305", "the roster cannot be read"
    if not inside:
        return "LEC405", f"roster `{name}` lies outside the campus folder"
    return None if exists else ("LEC305", f"there is no roster `{name}`")


def _two_roles(it: rules.Checked, people: Mapping[Role, People]) -> Iterator[Diagnostic]:
    """Yield a warning for each key whose people hold a stronger role already."""
    stronger: frozenset[str] = frozenset()
    for role, key in ROLES:
        both = people[role].names & stronger
        stronger |= people[role].names
        if both:
            written = getattr(it.course, key)
            is_list = isinstance(written, tuple)
            listed = [name for name in written if name in both] if is_list else []
            first = (listed or sorted(both))[0]
            more = f" and {len(both) - 1} more" if len(both) > 1 else ""
            yield at_value(
                it.source,
                (key, written.index(first)) if listed else (key,),
                "LEC114",
                f"person `{first}`{more} has another role in this course too",
                label="the stronger role counts",
                severity="warning",
            )


def _strangers(it: rules.Checked, people: Mapping[Role, People]) -> Iterator[Diagnostic]:
    """Yield a warning for everybody who gets more time in a course that they are not in."""
    known: set[str] = set()
    for holders in people.values():
        known |= holders.names | set(it.campus.groups.get(holders.group or "", ()))
    for name, where, on_key in _named(it.course):
        if name not in known:
            make = at_key if on_key else at_value
            message = f"person `{name}` is not in the course"
            label = "in none of its lists"
            close = closest(name, known)
            yield make(
                it.source,
                where,
                "LEC312",
                message,
                label=label,
                help=f"did you mean `{close}`?" if close else None,
                severity="warning",
            )


def _named(course: CourseFile) -> Iterator[tuple[str, Where, bool]]:
    """Yield people beside the lists of roles: name, place, whether the place is a key."""
    for index, exam in enumerate(course.exams):
        for name in exam.extra_time:
            yield name, ("exams", index, "extra_time", name), True
    for where, policy in policies(course):
        for index, extension in enumerate(policy.extensions):
            for position, name in enumerate(extension.people):
                yield name, (*where, "extensions", index, "people", position), False
