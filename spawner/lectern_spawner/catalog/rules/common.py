"""What every rule has at hand: the file under check, its campus, and ways to point at a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from lectern_spawner.catalog import timetable
from lectern_spawner.catalog.diagnostics import Diagnostic, More, Note, listed, shorten, suggest
from lectern_spawner.catalog.messages import at_key, at_value
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.catalog.sections.times import Calendar
from lectern_spawner.catalog.source import Source, Where


@dataclass(frozen=True, slots=True)
class Checked:
    """A course file under check, with the campus that it refers to."""

    course: CourseFile
    source: Source
    campus: CampusFile
    campus_source: Source

    def value(self, where: Where, code: str, message: str, **more: Unpack[More]) -> Diagnostic:
        """Return a diagnostic at a value of the course file."""
        return at_value(self.source, where, code, message, **more)

    def set_here(self, where: Where) -> tuple[Note, ...]:
        """Return a note that shows where the campus file sets something."""
        return set_here(self.campus_source, where)

    def defined_here(self, where: Where) -> tuple[Note, ...]:
        """Return a note that shows the key of a section of the campus file."""
        place = self.campus_source.key(where)
        return (Note("defined here", place),) if place else ()

    def written(self, where: Where) -> str:
        """Return a value of the campus file as it is written there."""
        place = self.campus_source.value(where)
        return self.campus_source.cut(place.span) if place else ""

    def calendar(self) -> Calendar | None:
        """Return the calendar of the course, the campus's only one if none is named."""
        named = self.course.lessons.calendar if self.course.lessons else None
        return timetable.choose(named, self.campus.calendars)


def set_here(source: Source, where: Where) -> tuple[Note, ...]:
    """Return a note that shows where a file sets something."""
    place = source.value(where)
    return (Note("set here", place),) if place else ()


def unknown(
    source: Source,
    where: Where,
    code: str,
    kind: str,
    wrong: str,
    known: Iterable[str],
    *,
    section: str = "",
    on_key: bool = False,
) -> Diagnostic:
    """Return the diagnostic for a name that refers to nothing.

    Args:
        source: the file with the name.
        where: where the name stands.
        code: the diagnostic's code.
        kind: what the name should be the name of.
        wrong: the name.
        known: the names that there are.
        section: key of campus.yaml that holds them; the course itself if empty.
        on_key: whether the name is a key.
    """
    there = "campus.yaml" if section else "this course"
    if section:
        missing = f"add it to campus.yaml under `{section}`"
    else:
        missing = None
    make = at_key if on_key else at_value
    return make(
        source,
        where,
        code,
        f"unknown {kind} `{shorten(wrong)}`",
        label=f"no such {kind} in {there}",
        help=suggest(wrong, known) or missing,
    )


def languages(
    text: object, where: Where, source: Source, campus: CampusFile, campus_source: Source
) -> Iterator[Diagnostic]:
    """Yield the languages of a text that the campus does not have."""
    for language in text if isinstance(text, dict) else ():
        if language in campus.languages:
            continue
        place = campus_source.value(("languages",))
        yield at_key(
            source,
            (*where, language),
            "LEC304",
            f"language `{shorten(language)}` is not one of the campus",
            label=f"expected one of {listed(campus.languages)}",
            notes=(Note("set here", place),) if place else (),
        )


def twice(
    items: Sequence[str], where: Where, source: Source, kind: str, key: str | None = None
) -> Iterator[Diagnostic]:
    """Yield the items of a list that stand in it before; `key` is where an item's name is."""
    first: dict[str, Where] = {}
    for index, item in enumerate(items):
        place: Where = (*where, index) if key is None else (*where, index, key)
        if item in first:
            at = source.value(first[item])
            yield at_value(
                source,
                place,
                "LEC110",
                f"{kind} `{shorten(item)}` is listed twice",
                label="again here",
                notes=(Note("first listed here", at),) if at else (),
            )
        else:
            first[item] = place


def exactly_one(
    given: Mapping[str, object], where: Where, source: Source, wanted: Sequence[str]
) -> Iterator[Diagnostic]:
    """Yield the problem when not exactly one of some keys is there.

    Args:
        given: the keys, with None or False for those that are not there.
        where: the section.
        source: its file.
        wanted: the keys, in the order of the message.
    """
    there = [key for key in wanted if given.get(key) not in (None, False)]
    if len(there) > 1:
        first = source.key((*where, there[0]))
        yield at_key(
            source,
            (*where, there[1]),
            "LEC115",
            f"`{there[1]}` cannot stand beside `{there[0]}`",
            label=f"only one of {listed(wanted)}",
            notes=(Note("the other one", first),) if first else (),
        )
    if not there:
        yield needs(where, source, listed(wanted, " or "))


def needs(where: Where, source: Source, what: str) -> Diagnostic:
    """Return the diagnostic for a section that lacks a key that only its other keys ask for."""
    make = at_key if where in source.keys else at_value
    return make(
        source, where, "LEC118", f"`{dotted_name(where)}` is not complete", label=f"needs {what}"
    )


def dotted_name(where: Where) -> str:
    """Return the last key of a path, with its number if it is an item of a list."""
    last = where[-1] if where else "the file"
    return f"{where[-2]}[{last}]" if isinstance(last, int) and len(where) > 1 else str(last)


def order(source: Source, starts: Where, ends: Where, what: str) -> Diagnostic:
    """Return the diagnostic for something that ends before it starts."""
    start = source.value(starts)
    return at_value(
        source,
        ends,
        "LEC501",
        f"the {what} ends before it starts",
        label="before the start",
        notes=(Note("starts here", start),) if start else (),
    )
