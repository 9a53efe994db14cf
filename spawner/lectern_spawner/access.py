"""Decide who may start what.

The one place for this question: the spawn page, query strings, REST, named
servers and an admin's start on behalf of a student all end in `decide`. Called
by `spawning` for real servers and by ``lectern show``; knows nothing of
JupyterHub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lectern_spawner.catalog import Campus, Catalog, Course, Profile, Role, opening
from lectern_spawner.words import N_, SOURCE_LANGUAGE, Words, words

_FULL_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}/[a-z][a-z0-9-]{0,29}")
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may start servers."""

    name: str
    """Normalised user name, see `lectern_spawner.catalog.names`."""

    groups: frozenset[str] = frozenset()
    """Groups that the login system or an admin put the person in."""

    admin: bool = False
    """Whether the person runs this hub."""


class RefusedError(Exception):
    """A start that is not possible, kept as a sentence and its values.

    Not a failure of the platform: the person reads `sentence` and can act on it.
    """

    def __init__(self, reason: str, status: int, template: str, **values: object) -> None:
        """Keep the parts.

        Args:
            reason: short label for metrics, such as ``term`` or ``limit``.
            status: HTTP status, 4xx.
            template: English sentence with ``%(name)s`` slots.
            values: what goes into the slots.
        """
        self.reason = reason
        self.status = status
        self.template = template
        self.values = values
        super().__init__(self.sentence(words(SOURCE_LANGUAGE)))

    def sentence(self, words: Words) -> str:
        """Return the refusal in a person's language."""
        shown = {
            key: value.get(words.language) if hasattr(value, "get") else value
            for key, value in self.values.items()
        }
        return words.say(self.template, **shown)


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may start, and as whom in the course."""

    course: Course
    profile: Profile
    role: Role

    @property
    def name(self) -> str:
        """The profile's full name, ``course/profile``."""
        return f"{self.course.id}/{self.profile.id}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A profile on somebody's spawn page."""

    grant: Grant
    refusal: RefusedError | None
    """Why it cannot be started now; None where it can."""


def offers(catalog: Catalog, person: Person, now: datetime) -> Iterator[Offer]:
    """Yield the profiles that a person sees, course by course.

    Costs grow with the person's own courses only.
    """
    for course, role in _courses(catalog, person):
        closed = _closed(course, role, now)
        for profile in course.profiles.values():
            if role in profile.who or person.admin:
                grant = Grant(course, profile, role)
                yield Offer(grant, closed or _not_now(grant, catalog.campus, now))


def decide(
    catalog: Catalog, person: Person, options: object, now: datetime, remembered: object = None
) -> Grant:
    """Return what this person starts with these options.

    Args:
        catalog: what there is.
        person: whose server it is, also where an admin starts it.
        options: ``user_options`` as they came in: untrusted, any JSON value.
        now: the time, aware.
        remembered: the options of the last accepted start, for empty options.

    Raises:
        RefusedError: with a sentence for the person, for every start that must not be.
    """
    wanted = _wanted(options) or _remembered(remembered)
    if wanted is None:
        return _only_choice(catalog, person, now)
    grant = _find(catalog, person, wanted)
    if grant is None:
        raise RefusedError(
            "profile",
            404,
            N_("There is no profile “%(profile)s” among yours. You can start: %(yours)s."),
            profile=wanted,
            yours=_startable(catalog, person, now),
        )
    refusal = _closed(grant.course, grant.role, now) or _not_now(grant, catalog.campus, now)
    if refusal:
        raise refusal
    return grant


def check_limit(catalog: Catalog, person: Person, other_servers: int) -> None:
    """Refuse one server too many.

    Args:
        catalog: its campus has the limit.
        person: admins have none.
        other_servers: servers of this person that run or start now, this one not counted.

    Raises:
        RefusedError: when the person already has as many as the campus allows.
    """
    limit = catalog.campus.limits.servers_per_person
    if limit is not None and not person.admin and other_servers >= limit:
        raise RefusedError(
            "limit",
            409,
            N_("You already have %(running)s of at most %(limit)s servers. Stop one first."),
            running=other_servers,
            limit=limit,
        )


def _courses(catalog: Catalog, person: Person) -> Iterator[tuple[Course, Role]]:
    roles: Mapping[str, Role] = catalog.roles(person.name, person.groups)
    if person.admin:
        for course in catalog.courses.values():
            yield course, roles.get(course.id, Role.INSTRUCTOR)
        return
    for course_id in sorted(roles):
        yield catalog.courses[course_id], roles[course_id]


def _find(catalog: Catalog, person: Person, name: str) -> Grant | None:
    """Return the grant behind a full name, or None where the person has none.

    A profile of a course that the person is not in looks exactly like one that
    does not exist: names of courses are not for everybody.
    """
    course_id, _, profile_id = name.partition("/")
    course = catalog.courses.get(course_id)
    role = catalog.roles(person.name, person.groups).get(course_id)
    if course is None or (role is None and not person.admin):
        return None
    profile = course.profiles.get(profile_id)
    role = role or Role.INSTRUCTOR
    if profile is None or (role not in profile.who and not person.admin):
        return None
    return Grant(course, profile, role)


def _closed(course: Course, role: Role, now: datetime) -> RefusedError | None:
    """Return why a course is closed for students; staff prepare and look back."""
    today = now.date()
    if role is not Role.STUDENT:
        return None
    if course.starts and today < course.starts:
        return RefusedError(
            "term",
            403,
            N_("“%(course)s” begins on %(date)s."),
            course=course.title,
            date=course.starts,
        )
    if course.ends and today > course.ends:
        return RefusedError(
            "term",
            403,
            N_("“%(course)s” ended on %(date)s."),
            course=course.title,
            date=course.ends,
        )
    return None


def _not_now(grant: Grant, campus: Campus, now: datetime) -> RefusedError | None:
    """Return why a profile has other hours for students; staff prepare and look back."""
    course, profile = grant.course, grant.profile
    is_student = grant.role is Role.STUDENT
    if not is_student or opening.is_open(profile, course, campus, now):
        return None
    if not isinstance(profile.when, str):
        return RefusedError(
            "hours",
            403,
            N_("“%(profile)s” can be started at these times: %(times)s."),
            profile=profile.title,
            times=opening.times(profile.when),
        )
    if profile.when == opening.OUTSIDE_LESSONS:
        sentence = N_("“%(profile)s” cannot be started during the lessons of the course.")
        return RefusedError("hours", 403, sentence, profile=profile.title)
    following = opening.next_lesson(course, campus, now)
    if following is None:
        sentence = N_("“%(profile)s” can only be started during lessons, and no more are planned.")
        return RefusedError("hours", 403, sentence, profile=profile.title)
    return RefusedError(
        "hours",
        403,
        N_("“%(profile)s” can only be started during lessons; the next one begins on %(moment)s."),
        profile=profile.title,
        moment=f"{following:%Y-%m-%d %H:%M}",
    )


def _wanted(options: object) -> str | None:
    """Return the full name of the wanted profile, or None where nothing was said.

    Raises:
        RefusedError: for anything that is not exactly that.
    """
    if options is None or options == {}:
        return None
    if not isinstance(options, dict):
        raise _malformed(N_("The options of a start are an object such as %(example)s."))
    unknown = sorted(str(key)[:_SHOWN] for key in options if key != "profile")
    if unknown:
        raise _malformed(
            N_("Unknown option “%(option)s”: only “profile” can be chosen, such as %(example)s."),
            option=unknown[0],
        )
    name = options["profile"]
    if isinstance(name, list) and len(name) > 1:
        raise _malformed(N_("“profile” was given %(times)s times; give it once."), times=len(name))
    if not isinstance(name, str) or not _FULL_NAME.fullmatch(name):
        raise _malformed(N_("“profile” must be a course and a profile, such as %(example)s."))
    return name


def _malformed(template: str, **values: object) -> RefusedError:
    example = '{"profile": "ml-101/notebook"}'
    return RefusedError("options", 400, template, **values, example=example)


def _remembered(options: object) -> str | None:
    """Return the remembered name; what is not well-formed is as good as forgotten."""
    try:
        return _wanted(options)
    except RefusedError:
        return None


def _only_choice(catalog: Catalog, person: Person, now: datetime) -> Grant:
    """Return the one startable profile of a person who has just one."""
    open_now = [offer.grant for offer in offers(catalog, person, now) if offer.refusal is None]
    if len(open_now) == 1:
        return open_now[0]
    if not open_now:
        raise RefusedError(
            "profile",
            403,
            N_("There is nothing that you can start: you are in no course that is open now."),
        )
    raise RefusedError(
        "profile",
        400,
        N_("Say which profile to start: %(yours)s."),
        yours=_startable(catalog, person, now),
    )


def _startable(catalog: Catalog, person: Person, now: datetime) -> str:
    """Return the names that a person can start, for a sentence; at most twelve."""
    names = [offer.grant.name for offer in offers(catalog, person, now) if offer.refusal is None]
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else "–"
