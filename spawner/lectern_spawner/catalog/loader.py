"""Load a campus folder: every file read, checked against the others, made into a catalog.

Called by the hub at start and on reload, and by `lectern check`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog import build, rosters, rules
from lectern_spawner.catalog.diagnostics import CatalogError, Diagnostic, Note, tidy
from lectern_spawner.catalog.files import CampusFile, CourseFile, FromCsv, FromGroup
from lectern_spawner.catalog.messages import at_value
from lectern_spawner.catalog.model import Catalog, Course, People, Role
from lectern_spawner.catalog.reading import Parsed, read_model
from lectern_spawner.catalog.source import Source

CAMPUS_FILE = "campus.yaml"
ROLES = (
    (Role.INSTRUCTOR, "instructors"),
    (Role.ASSISTANT, "assistants"),
    (Role.STUDENT, "students"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a campus folder."""

    catalog: Catalog | None
    """None when the campus file has errors; courses with errors are left out."""

    diagnostics: tuple[Diagnostic, ...]
    files: int
    """How many files were read, rosters included."""

    def require(self) -> Catalog:
        """Return the catalog.

        Raises:
            CatalogError: when there is none.
        """
        if self.catalog is None:
            raise CatalogError(self.diagnostics)
        return self.catalog


@dataclass(frozen=True, slots=True)
class _CourseRead:
    path: Path
    parsed: Parsed[CourseFile]


def load(folder: Path) -> Loaded:
    """Load the campus in a folder. A mistake in the files never raises."""
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError) as error:
        return Loaded(None, (_no_folder(folder, error),), 0)
    campus_path = folder / CAMPUS_FILE
    campus = read_model(campus_path, CampusFile)
    found = [*campus.diagnostics, *_unread(folder, names)]
    if campus.model is not None:
        found += rules.campus_problems(campus.model, campus.source)
    paths = [folder / name for name in names if _is_course(name)]
    courses = [_CourseRead(path, read_model(path, CourseFile)) for path in paths]
    for read in courses:
        found += read.parsed.diagnostics
    found += _same_ids(courses)
    files = 1 + len(courses)
    if campus.model is None or any(d.is_error for d in found if d.file == str(campus_path)):
        return Loaded(None, tuple(_campus_first(tidy(found), campus_path)), files)
    campus_made = build.campus(campus.model, campus_path, campus.source)
    folder_reader = _Folder(folder, campus)
    made = [folder_reader.course(read) for read in courses]
    found += folder_reader.found
    wrong = {d.file for d in found if d.is_error} | folder_reader.wrong
    kept = [course for course in made if course and str(course.file) not in wrong]
    files += len(folder_reader.rosters)
    diagnostics = _campus_first(tidy(found), campus_path)
    return Loaded(Catalog(campus_made, kept), tuple(diagnostics), files)


class _Folder:
    """Checks courses against a campus, reading each roster once."""

    def __init__(self, folder: Path, campus: Parsed[CampusFile]) -> None:
        self.folder = folder
        self.campus = campus
        self.found: list[Diagnostic] = []
        self.rosters: dict[Path, rosters.Roster] = {}
        self.wrong: set[str] = set()
        """Courses whose error lies in another file."""

    def course(self, read: _CourseRead) -> Course | None:
        """Return the course of a file, or None when its shape is wrong."""
        file, source = read.parsed.model, read.parsed.source
        campus = self.campus.model
        if file is None or campus is None:
            return None
        checked = rules.Checked(file, source, campus, self.campus.source)
        self.found += rules.course_problems(checked)
        people = {role: self._people(getattr(file, key), key, source) for role, key in ROLES}
        self.found += _two_roles(people, source)
        return build.course(file, read.path, source, people, campus.languages[0])

    def _people(self, written: object, key: str, source: Source) -> People:
        if isinstance(written, FromGroup):
            return People(group=written.group)
        if isinstance(written, FromCsv):
            return People(names=self._roster(written.csv, (key, "csv"), source))
        return People(names=frozenset(written) if isinstance(written, tuple) else frozenset())

    def _roster(self, name: str, where: tuple[str, str], source: Source) -> frozenset[str]:
        path = self.folder / name
        fault = _roster_fault(self.folder, path, name)
        if fault is not None:
            code, message = fault
            label = f"looked in {self.folder}" if code == "LEC305" else "not in this folder"
            self.found.append(at_value(source, where, code, message, label=label))
            return frozenset()
        roster = self.rosters.get(path)
        if roster is None:
            roster = self.rosters[path] = rosters.read(path)
            self.found += roster.diagnostics
        if any(item.is_error for item in roster.diagnostics):
            self.wrong.add(source.file)
        return roster.names


def _roster_fault(folder: Path, path: Path, name: str) -> tuple[str, str] | None:
    try:
        # Path.resolve raises on a loop of symbolic links, realpath does not.
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
        exists = path.is_file()
    except (OSError, ValueError):
        return "LEC305", "the roster cannot be read"
    if not inside:
        return "LEC405", f"roster `{name}` lies outside the campus folder"
    return None if exists else ("LEC305", f"there is no roster `{name}`")


def _two_roles(people: dict[Role, People], source: Source) -> Iterator[Diagnostic]:
    """Yield a warning for each key whose people hold a stronger role already."""
    stronger: frozenset[str] = frozenset()
    for role, key in ROLES:
        both = sorted(people[role].names & stronger)
        stronger |= people[role].names
        if both:
            more = f" and {len(both) - 1} more" if len(both) > 1 else ""
            yield at_value(
                source,
                (key,),
                "LEC114",
                f"person `{both[0]}`{more} has another role in this course too",
                label="the stronger role counts",
                severity="warning",
            )


def _same_ids(courses: list[_CourseRead]) -> Iterator[Diagnostic]:
    first: dict[str, Source] = {}
    # The file that is named like its course is taken for the right one.
    for read in sorted(courses, key=lambda read: not _is_named_like_its_course(read)):
        source = read.parsed.source
        name = source.data.get("course") if isinstance(source.data, dict) else None
        if not isinstance(name, str):
            continue
        other = first.setdefault(name, source)
        place = other.value(("course",))
        if other is not source and place is not None:
            note = Note("first used here", place)
            message = f"course id `{name}` is used twice"
            yield at_value(source, ("course",), "LEC108", message, label="again", notes=(note,))


def _is_named_like_its_course(read: _CourseRead) -> bool:
    data = read.parsed.source.data
    return isinstance(data, dict) and data.get("course") == read.path.stem


def _unread(folder: Path, names: list[str]) -> Iterator[Diagnostic]:
    for name in names:
        stem, dot, ending = name.rpartition(".")
        if dot and stem and ending.lower() in ("yml", "yaml") and not name.endswith(".yaml"):
            yield Diagnostic(
                code="LEC013",
                message=f"file `{name}` is not read",
                file=str(folder / name),
                severity="warning",
                help=f"rename it to `{stem}.yaml`",
            )


def _is_course(name: str) -> bool:
    return name.endswith(".yaml") and name != CAMPUS_FILE and not name.startswith(".")


def _campus_first(diagnostics: list[Diagnostic], campus: Path) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda item: item.file != str(campus))


def _no_folder(folder: Path, error: OSError | ValueError) -> Diagnostic:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    message = f"the campus folder cannot be read: {reason}"
    return Diagnostic(code="LEC006", message=message, file=str(folder))
