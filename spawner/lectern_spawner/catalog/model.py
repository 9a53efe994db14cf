"""What a campus offers, ready for use: immutable, in bytes and exact fractions.

Made once by the loader and shared by reference; the plan, the access rules, the
spawn page and the services read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

from lectern_spawner.catalog.roles import Role
from lectern_spawner.catalog.sections.campus import Editors, Largest, License
from lectern_spawner.catalog.sections.course import Home, Shared
from lectern_spawner.catalog.sections.grading import Grading
from lectern_spawner.catalog.sections.pools import Pool
from lectern_spawner.catalog.sections.profile import Gpu, Idle, Program
from lectern_spawner.catalog.sections.times import Calendar, Exam, Lessons, Window
from lectern_spawner.catalog.source import Source

Number = TypeVar("Number", int, Fraction)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that people read, in one or more languages."""

    by_language: tuple[tuple[str, str], ...]
    """(language, text) pairs; an empty language means any."""

    default: str
    """The campus's first language."""

    def get(self, language: str) -> str:
        """Return the text in a language, else in the campus's first, else in any."""
        known = dict(self.by_language)
        return known.get(language) or known.get(self.default) or self.by_language[0][1]


@dataclass(frozen=True, slots=True)
class Amount(Generic[Number]):
    """How much a server is sure to get, and how much it may use."""

    guarantee: Number
    limit: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A container image, or on one machine the name of the software set."""

    title: Text
    ref: str
    capabilities: frozenset[str] = frozenset()
    """What it can do beside JupyterLab; empty where nobody said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A place for homes and data."""

    path: Path | None
    """Absolute and resolved; it need not exist. None where only pods reach it."""

    title: Text | None = None
    nfs: str | None = None
    """``server:/export``."""

    squash: str = "root"
    mount_options: tuple[str, ...] = ()
    quotas: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the campus; None means no limit."""

    largest: Largest
    servers_per_person: int | None = None
    gpu_servers_per_person: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campus:
    """What courses refer to."""

    languages: tuple[str, ...]
    images: Mapping[str, Image]
    storage: Mapping[str, Storage]
    groups: Mapping[str, frozenset[str]]
    limits: Limits
    gpu_pools: Mapping[str, Pool]
    calendars: Mapping[str, Calendar]
    licenses: Mapping[str, License]
    editors: tuple[Editors, ...]
    file: Path
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A data set of a course."""

    name: str
    storage: str
    path: str
    """Path inside the storage, beginning with ``/``, without ``..``."""

    write: str = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One choice that a person can start in a course."""

    id: str
    title: Text
    description: Text | None
    image: str
    cpu: Amount[Fraction]
    """In cores."""

    memory: Amount[int]
    """In bytes."""

    gpu: tuple[Gpu, ...]
    """Ways to have a GPU, the best first; empty for none."""

    app: str | Program
    env: Mapping[str, str]
    idle: Idle | None
    licenses: tuple[str, ...]
    who: frozenset[Role]
    when: str | tuple[Window, ...]
    """``always``, ``lessons``, ``outside-lessons``, or hours of the week."""

    instead: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who holds a role: names that are written down, and at most one group."""

    names: frozenset[str] = frozenset()
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One course."""

    id: str
    title: Text
    starts: date | None
    ends: date | None
    """Last day, included."""

    people: Mapping[Role, People]
    home: Home | None
    data: tuple[DataSet, ...]
    shared: Shared | None
    lessons: Lessons | None
    exams: tuple[Exam, ...]
    profiles: Mapping[str, Profile]
    """In the order of the file."""

    grading: Grading | None
    file: Path
    source: Source


class Catalog:
    """A campus and its courses, with an index from people to their courses."""

    __slots__ = ("_by_group", "_by_name", "_people", "campus", "courses")

    campus: Campus
    courses: Mapping[str, Course]

    def __init__(self, campus: Campus, courses: Iterable[Course]) -> None:
        """Build the index once, so that no later question walks through all courses."""
        self.campus = campus
        self.courses = MappingProxyType({c.id: c for c in sorted(courses, key=lambda c: c.id)})
        by_name: dict[str, dict[str, Role]] = {}
        by_group: dict[str, dict[str, Role]] = {}
        people = {name for members in campus.groups.values() for name in members}
        for course in self.courses.values():
            for role, holders in course.people.items():
                people |= holders.names
                if holders.group is not None:
                    _strengthen(by_group.setdefault(holders.group, {}), course.id, role)
                for name in holders.names | campus.groups.get(holders.group or "", frozenset()):
                    _strengthen(by_name.setdefault(name, {}), course.id, role)
        self._by_name = by_name
        self._by_group = by_group
        self._people = frozenset(people)

    def roles(self, name: str, groups: Iterable[str] = ()) -> Mapping[str, Role]:
        """Return the strongest role of a person in each of their courses.

        Args:
            name: normalised name.
            groups: groups that the login gave; those of the campus file are known already.

        Returns:
            Course id to role, sorted by course id. The cost depends only on the
            number of the person's own courses and groups.
        """
        found = dict(self._by_name.get(name, ()))
        for group in groups:
            for course, role in self._by_group.get(group, {}).items():
                _strengthen(found, course, role)
        return dict(sorted(found.items()))

    def people(self) -> frozenset[str]:
        """Return every name that a roster, list or group of the campus holds."""
        return self._people

    def groups_of(self, name: str) -> frozenset[str]:
        """Return the groups of the campus file that a person is in."""
        return frozenset(g for g, members in self.campus.groups.items() if name in members)


def _strengthen(roles: dict[str, Role], course: str, role: Role) -> None:
    if course not in roles or roles[course] < role:
        roles[course] = role
