"""Render the profiles of a person as HTML.

Called by `spawning` for JupyterHub's spawn page. Templates are autoescaped;
what differs between people (open, closed, last choice) is rendered per request,
what does not (names and sizes of a profile in one language) is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, Template

from lectern_spawner.access import Offer, Person, offers
from lectern_spawner.catalog import Catalog, Course, Profile
from lectern_spawner.plan import gives
from lectern_spawner.words import N_, Words

NOBODY = N_(
    "You are not in any course yet. Ask the teacher of your course to add “%(name)s” to its list."
)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("lectern_spawner.form"), autoescape=True, trim_blocks=True
    )
    return environment.get_template("profiles.html")


@dataclass(frozen=True, slots=True)
class _Card:
    """One profile as the page shows it."""

    name: str
    title: str
    description: str
    gives: str
    image: str
    staff: bool
    why_not: str
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Group:
    """One course as the page shows it."""

    id: str
    title: str
    term: str
    cards: Sequence[_Card]


def render(
    catalog: Catalog,
    person: Person,
    now: datetime,
    spoken: Words,
    *,
    notice: str,
    last: str | None,
    notes: Callable[[Profile], Sequence[str]],
) -> str:
    """Return an HTML fragment with a button for every profile.

    Args:
        catalog: what there is.
        person: who looks.
        now: the time, aware.
        spoken: words of the person's language.
        notice: what everybody must know before they start anything.
        last: full name of the profile that the person started last.
        notes: what this machine cannot keep of a profile, in words.
    """
    found = _open_courses_first(offers(catalog, person, now))
    cards = {offer.grant.name: _card(catalog, offer, spoken, notes) for offer in found}
    remembered = cards.get(last or "")
    return _template().render(
        notice=notice,
        groups=list(_groups(found, cards, spoken)),
        last=remembered if remembered and not remembered.why_not else None,
        last_course=_course_title(found, last, spoken),
        nobody=spoken.say(NOBODY, name=person.name),
        say=spoken.say,
    )


def _open_courses_first(found: Iterable[Offer]) -> list[Offer]:
    """Return offers with those courses first in which something can be started now."""
    courses = [list(members) for _, members in groupby(found, key=lambda o: o.grant.course.id)]
    courses.sort(key=lambda members: all(offer.refusal for offer in members))
    return [offer for members in courses for offer in members]


def _groups(found: Iterable[Offer], cards: dict[str, _Card], spoken: Words) -> Iterable[_Group]:
    for course, members in groupby(found, key=lambda offer: offer.grant.course):
        yield _Group(
            id=course.id,
            title=course.title.get(spoken.language),
            term=_term(course, spoken),
            cards=[cards[member.grant.name] for member in members],
        )


def _card(
    catalog: Catalog, offer: Offer, spoken: Words, notes: Callable[[Profile], Sequence[str]]
) -> _Card:
    profile, language = offer.grant.profile, spoken.language
    return _Card(
        name=offer.grant.name,
        title=profile.title.get(language),
        description=profile.description.get(language) if profile.description else "",
        gives=gives(profile.cpu.limit, profile.memory.limit, spoken),
        image=catalog.campus.images[profile.image].title.get(language),
        staff="student" not in profile.who,
        why_not=offer.refusal.sentence(spoken) if offer.refusal else "",
        notes=notes(profile),
    )


def _course_title(found: Iterable[Offer], name: str | None, spoken: Words) -> str:
    for offer in found:
        if offer.grant.name == name:
            return offer.grant.course.title.get(spoken.language)
    return ""


def _term(course: Course, spoken: Words) -> str:
    if course.starts and course.ends:
        return spoken.say("%(starts)s to %(ends)s", starts=course.starts, ends=course.ends)
    return ""
