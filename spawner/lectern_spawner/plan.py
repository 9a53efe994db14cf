"""Turn a granted profile into everything that a backend needs to know.

`make_plan` is pure: the same course, profile, person, campus and time give the
same plan. Backends (`local`, later `kubernetes`) read plans and know nothing of
YAML; ``lectern show`` prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from lectern_spawner.access import Grant, Person
from lectern_spawner.catalog import Campus, Course, Role
from lectern_spawner.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMount:
    """A data set of the course, read-only."""

    name: str
    """Name of the folder that the person sees."""

    storage: str
    """Which storage of the campus it lies on."""

    path: Path
    """Absolute path on one machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """One server, decided: what runs, for whom, with how much."""

    course: str
    profile: str
    person: str
    role: Role
    app: str
    """What opens in the browser."""

    image: str
    """Image reference; one machine without containers ignores it and says so."""

    cpu_guarantee: Fraction
    """Cores."""
    cpu_limit: Fraction
    """Cores."""
    memory_guarantee_bytes: int
    memory_limit_bytes: int
    data: tuple[DataMount, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Environment variables, the platform's own included."""

    seconds_left: int | None = None
    """Seconds until the course's term ends; None where it has no end."""

    @property
    def name(self) -> str:
        """The profile's full name, ``course/profile``."""
        return f"{self.course}/{self.profile}"


def make_plan(grant: Grant, person: Person, campus: Campus, now: datetime) -> ServerPlan:
    """Return the plan for one server.

    Args:
        grant: the course, the profile and the person's role, from `access.decide`.
        person: whose server it is.
        campus: what the course refers to.
        now: the time, aware.
    """
    course, profile = grant.course, grant.profile
    return ServerPlan(
        course=course.id,
        profile=profile.id,
        person=person.name,
        role=grant.role,
        app="jupyter",
        image=campus.images[profile.image].ref,
        cpu_guarantee=profile.cpu.guarantee,
        cpu_limit=profile.cpu.limit,
        memory_guarantee_bytes=profile.memory.guarantee,
        memory_limit_bytes=profile.memory.limit,
        data=data_of(course, campus),
        env=MappingProxyType({**profile.env, **_own_env(grant)}),
        seconds_left=_seconds_left(course, now),
    )


def _own_env(grant: Grant) -> dict[str, str]:
    return {
        "LECTERN_COURSE": grant.course.id,
        "LECTERN_PROFILE": grant.profile.id,
        "LECTERN_APP": "jupyter",
    }


def data_of(course: Course, campus: Campus) -> tuple[DataMount, ...]:
    """Return the data sets of a course with their places on one machine."""
    return tuple(
        DataMount(
            name=item.name,
            storage=item.storage,
            path=path / item.path.lstrip("/"),
        )
        for item in course.data
        # A storage that only pods reach has no path here.
        if (path := campus.storage[item.storage].path) is not None
    )


def _seconds_left(course: Course, now: datetime) -> int | None:
    """Return the seconds until the end of the term's last day, at least 0."""
    if course.ends is None:
        return None
    end = datetime.combine(course.ends, time.max, tzinfo=now.tzinfo)
    return max(0, int((end - now).total_seconds()))


def gives(cpu: Fraction, memory_bytes: int, words: Words) -> str:
    """Return what a server may use, such as ``2 CPU, 4 GiB``."""
    return words.listing([words.cores(cpu), words.size(memory_bytes)])
