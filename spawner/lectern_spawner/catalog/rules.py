"""What must hold beyond a single value: references, contradictions, sizes, dates.

One small function per rule, called by the loader with a file that already has
the right shape. Each yields diagnostics and knows nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lectern_spawner.catalog import units
from lectern_spawner.catalog.diagnostics import Diagnostic, Note, listed, shorten, suggest
from lectern_spawner.catalog.files import (
    CampusFile,
    CourseFile,
    FromGroup,
)
from lectern_spawner.catalog.messages import at_key, at_value, dotted
from lectern_spawner.catalog.source import Source, Where

# JupyterLab with one kernel needs about this much before anything is computed.
LEAST_MEMORY_BYTES = 256 * 2**20
_SECTIONS = {"image": "images", "storage": "storage", "group": "groups"}
ROLE_KEYS = ("instructors", "assistants", "students")


@dataclass(frozen=True, slots=True)
class Checked:
    """A course file under check, with the campus that it refers to."""

    course: CourseFile
    source: Source
    campus: CampusFile
    campus_source: Source


def campus_problems(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    """Yield what is wrong inside a campus file of the right shape."""
    yield from _twice(campus.languages, ("languages",), source, "language")
    for group, names in campus.groups.items():
        yield from _twice(names, ("groups", group), source, "person")
    for image, entry in campus.images.items():
        yield from _languages(entry.title, ("images", image, "title"), source, campus, source)
    for storage, place in campus.storage.items():
        yield from _languages(place.title, ("storage", storage, "title"), source, campus, source)


def course_problems(checked: Checked) -> Iterator[Diagnostic]:
    """Yield what is wrong inside a course file of the right shape."""
    for rule in COURSE_RULES:
        yield from rule(checked)


def _known_images(it: Checked) -> Iterator[Diagnostic]:
    for profile, entry in it.course.profiles.items():
        if entry.image not in it.campus.images:
            where = ("profiles", profile, "image")
            yield _unknown(it.source, where, "LEC301", "image", entry.image, it.campus.images)


def _known_storage(it: Checked) -> Iterator[Diagnostic]:
    for index, entry in enumerate(it.course.data):
        storage, _path = units.data_source(entry.source)
        if storage not in it.campus.storage:
            where = ("data", index, "from")
            yield _unknown(it.source, where, "LEC302", "storage", storage, it.campus.storage)


def _known_groups(it: Checked) -> Iterator[Diagnostic]:
    for key in ROLE_KEYS:
        people = getattr(it.course, key)
        if isinstance(people, FromGroup) and people.group not in it.campus.groups:
            where = (key, "group")
            yield _unknown(it.source, where, "LEC303", "group", people.group, it.campus.groups)


def _unknown(
    source: Source, where: Where, code: str, kind: str, wrong: str, known: Iterable[str]
) -> Diagnostic:
    return at_value(
        source,
        where,
        code,
        f"unknown {kind} `{shorten(wrong)}`",
        label=f"no such {kind} in campus.yaml",
        help=suggest(wrong, known) or f"add it to campus.yaml under `{_SECTIONS[kind]}`",
    )


def _known_languages(it: Checked) -> Iterator[Diagnostic]:
    rest = (it.source, it.campus, it.campus_source)
    yield from _languages(it.course.title, ("title",), *rest)
    for profile, entry in it.course.profiles.items():
        yield from _languages(entry.title, ("profiles", profile, "title"), *rest)
        yield from _languages(entry.description, ("profiles", profile, "description"), *rest)


def _languages(
    text: object, where: Where, source: Source, campus: CampusFile, campus_source: Source
) -> Iterator[Diagnostic]:
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


def _guarantee_within_limit(it: Checked) -> Iterator[Diagnostic]:
    for profile, entry in it.course.profiles.items():
        for key in ("cpu", "memory"):
            amount = getattr(entry, key)
            if amount.guarantee > amount.limit:
                where = ("profiles", profile, key)
                limit = it.source.value((*where, "limit"))
                yield at_value(
                    it.source,
                    (*where, "guarantee"),
                    "LEC403",
                    f"`{dotted(where)}` guarantees more than its limit",
                    label="more than the limit",
                    notes=(Note("limit set here", limit),) if limit else (),
                )


def _enough_memory(it: Checked) -> Iterator[Diagnostic]:
    for profile, entry in it.course.profiles.items():
        if entry.memory.limit < LEAST_MEMORY_BYTES:
            yield at_value(
                it.source,
                _limit_at(it.source, profile, "memory"),
                "LEC402",
                f"profile `{profile}` has too little memory for a server",
                label=f"a Jupyter server needs at least {LEAST_MEMORY_BYTES // 2**20}Mi",
            )


def _not_too_large(it: Checked) -> Iterator[Diagnostic]:
    largest = it.campus.limits.largest
    for profile, entry in it.course.profiles.items():
        for key, most in (("cpu", largest.cpu), ("memory", largest.memory)):
            if most is None or getattr(entry, key).limit <= most:
                continue
            place = it.campus_source.value(("limits", "largest", key))
            yield at_value(
                it.source,
                _limit_at(it.source, profile, key),
                "LEC401",
                f"profile `{profile}` asks for more {key} than the campus allows",
                label=f"the most is {it.campus_source.cut(place.span) if place else most}",
                notes=(Note("set here", place),) if place else (),
            )


def _limit_at(source: Source, profile: str, key: str) -> Where:
    """Return where the limit is written: a key of its own, or the short form's only value."""
    short: Where = ("profiles", profile, key)
    return (*short, "limit") if (*short, "limit") in source.values else short


def _term_in_order(it: Checked) -> Iterator[Diagnostic]:
    term = it.course.term
    if term.starts and term.ends and term.ends < term.starts:
        start = it.source.value(("term", "starts"))
        yield at_value(
            it.source,
            ("term", "ends"),
            "LEC501",
            "the term ends before it starts",
            label="before the start",
            notes=(Note("starts here", start),) if start else (),
        )


def _nothing_twice(it: Checked) -> Iterator[Diagnostic]:
    for key in ROLE_KEYS:
        people = getattr(it.course, key)
        if isinstance(people, tuple):
            yield from _twice(people, (key,), it.source, "person")
    data = [entry.name for entry in it.course.data]
    yield from _twice(data, ("data",), it.source, "data set", "name")
    for profile, entry in it.course.profiles.items():
        yield from _twice(entry.who, ("profiles", profile, "who"), it.source, "role")


def _twice(
    items: Sequence[str], where: Where, source: Source, kind: str, key: str | None = None
) -> Iterator[Diagnostic]:
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


COURSE_RULES: tuple[Callable[[Checked], Iterator[Diagnostic]], ...] = (
    _known_images,
    _known_storage,
    _known_groups,
    _known_languages,
    _guarantee_within_limit,
    _enough_memory,
    _not_too_large,
    _term_in_order,
    _nothing_twice,
)
