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
from lectern_spawner.catalog import Campus, Course, Role, units
from lectern_spawner.words import Words

SHARED = "shared"
"""Name of a course's shared folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder of a storage that a server sees."""

    name: str
    """Name of the folder that the person sees."""

    storage: str
    """Which storage of the campus it lies on."""

    inside: str
    """Path inside the storage, beginning with ``/``."""

    path: Path | None
    """Absolute path on one machine; None where only pods reach the storage."""

    in_pods: bool
    """Whether pods reach the storage."""

    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeMount:
    """Where the homes of a course lie."""

    storage: str
    quota_bytes: int | None = None


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
    home: HomeMount | None = None
    """None where the backend has a place for homes of its own."""

    data: tuple[Mount, ...] = ()
    shared: Mount | None = None
    """The folder that everybody of the course has."""

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
        home=_home_of(course),
        data=data_of(course, campus, grant.role),
        shared=_shared_of(course, campus, grant.role),
        env=MappingProxyType({**profile.env, **_own_env(grant)}),
        seconds_left=_seconds_left(course, now),
    )


def _own_env(grant: Grant) -> dict[str, str]:
    return {
        "LECTERN_COURSE": grant.course.id,
        "LECTERN_PROFILE": grant.profile.id,
        "LECTERN_APP": "jupyter",
    }


def data_of(course: Course, campus: Campus, role: Role = Role.STUDENT) -> tuple[Mount, ...]:
    """Return the data sets of a course as somebody in a role sees them."""
    return tuple(
        _mount(campus, item.name, item.storage, item.path, item.write, role) for item in course.data
    )


def _shared_of(course: Course, campus: Campus, role: Role) -> Mount | None:
    if course.shared is None:
        return None
    storage, path = units.data_source(course.shared.source)
    return _mount(campus, SHARED, storage, path, course.shared.write, role)


def _mount(campus: Campus, name: str, storage: str, inside: str, write: str, role: Role) -> Mount:
    root = campus.storage[storage].path
    return Mount(
        name=name,
        storage=storage,
        inside=inside,
        path=root / inside.lstrip("/") if root else None,
        in_pods=campus.storage[storage].nfs is not None,
        writable=write == "everybody" or (write == "staff" and role is not Role.STUDENT),
    )


def _home_of(course: Course) -> HomeMount | None:
    home = course.home
    return HomeMount(storage=home.server, quota_bytes=home.quota) if home else None


def _seconds_left(course: Course, now: datetime) -> int | None:
    """Return the seconds until the end of the term's last day, at least 0."""
    if course.ends is None:
        return None
    end = datetime.combine(course.ends, time.max, tzinfo=now.tzinfo)
    return max(0, int((end - now).total_seconds()))


def gives(cpu: Fraction, memory_bytes: int, words: Words) -> str:
    """Return what a server may use, such as ``2 CPU, 4 GiB``."""
    return words.listing([words.cores(cpu), words.size(memory_bytes)])
