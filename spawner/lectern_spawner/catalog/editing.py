"""Who may edit which course, and what an editor's course may use.

For `lectern check --editor NAME`: the campus's `editors` held against courses
that are right otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from lectern_spawner.catalog.diagnostics import Diagnostic, listed
from lectern_spawner.catalog.messages import at_key, at_value
from lectern_spawner.catalog.model import Catalog, Course
from lectern_spawner.catalog.reading import read_source
from lectern_spawner.catalog.rules.common import set_here
from lectern_spawner.catalog.rules.sizes import beyond, gpu_at
from lectern_spawner.catalog.sections.campus import Editors
from lectern_spawner.catalog.sections.fields import FromGroup
from lectern_spawner.catalog.source import Source, Where


def courses_of(catalog: Catalog, name: str) -> frozenset[str]:
    """Return the ids of the courses that a person may edit.

    Args:
        catalog: its campus says who may.
        name: normalised name.
    """
    entries = catalog.campus.editors
    return frozenset(c for entry in entries if _is_in(entry, name, catalog) for c in entry.courses)


def problems(catalog: Catalog, course: Course, name: str) -> list[Diagnostic]:
    """Return what speaks against a course as a person's work; nothing when all is right.

    Where several entries of `editors` name the person and the course, one that
    allows everything is enough.
    """
    source, _ = read_source(course.file)
    numbered = enumerate(catalog.campus.editors)
    mine = [(n, e) for n, e in numbered if course.id in e.courses and _is_in(e, name, catalog)]
    if not mine:
        message = f"`{name}` may not edit course `{course.id}`"
        yours = listed(sorted(courses_of(catalog, name))) or "no course"
        label = f"may edit {yours}"
        return [at_value(source, ("course",), "LEC416", message, label=label)]
    campus, _ = read_source(catalog.campus.file)
    found = [list(_against(course, source, number, entry, campus)) for number, entry in mine]
    return min(found, key=len)


def _is_in(entry: Editors, name: str, catalog: Catalog) -> bool:
    if isinstance(entry.people, FromGroup):
        return name in catalog.campus.groups.get(entry.people.group, frozenset())
    return name in entry.people


def _against(
    course: Course, source: Source, number: int, entry: Editors, campus: Source
) -> Iterator[Diagnostic]:
    yield from _images(course, source, number, entry, campus)
    yield from _pools(course, source, number, entry, campus)
    yield from _endless(course, source, number, entry, campus)
    for profile, key, most, where in beyond(source, course.profiles, entry.largest):
        at = ("editors", number, "largest", key)
        place = campus.value(at)
        yield at_value(
            source,
            where,
            "LEC415",
            f"profile `{profile}` asks for more {key} than its editors may give",
            label=f"the most is {campus.cut(place.span) if place else most}",
            notes=set_here(campus, at),
        )


def _endless(
    course: Course, source: Source, number: int, entry: Editors, campus: Source
) -> Iterator[Diagnostic]:
    """Yield profiles that say nothing about how long they run, where editors must."""
    most = entry.largest.hours
    for profile, made in course.profiles.items():
        if most is None or (made.idle and made.idle.longest):
            continue
        yield at_key(
            source,
            ("profiles", profile),
            "LEC415",
            f"profile `{profile}` has no `longest`, and its editors may give {most} hours",
            label=f"needs `idle: {{longest: {most}h}}` or less",
            notes=set_here(campus, ("editors", number, "largest", "hours")),
        )


def _images(
    course: Course, source: Source, number: int, entry: Editors, campus: Source
) -> Iterator[Diagnostic]:
    for profile, made in course.profiles.items():
        if entry.images is not None and made.image not in entry.images:
            where = ("profiles", profile, "image")
            yield _not_mine(source, where, f"image `{made.image}`", (number, "images"), campus)


def _pools(
    course: Course, source: Source, number: int, entry: Editors, campus: Source
) -> Iterator[Diagnostic]:
    if entry.gpu_pools is None:
        return
    for profile, made in course.profiles.items():
        for index, gpu in enumerate(made.gpu):
            where = gpu_at(source, profile, index)
            for name in gpu.pool or ():
                if name not in entry.gpu_pools:
                    place = (*where, "pool")
                    wrong = f"GPU pool `{name}`"
                    yield _not_mine(source, place, wrong, (number, "gpu_pools"), campus)
            if gpu.pool is None:
                # Without a name any pool may be taken, theirs and the others.
                wrong = "any GPU pool"
                yield _not_mine(source, where, wrong, (number, "gpu_pools"), campus)


def _not_mine(
    source: Source, where: Where, what: str, at: tuple[int, str], campus: Source
) -> Diagnostic:
    return at_value(
        source,
        where,
        "LEC414",
        f"{what} is not for the editors of this course",
        label="not among those that they may use",
        notes=set_here(campus, ("editors", *at)),
    )


def not_the_campus(catalog: Catalog, name: str) -> Diagnostic:
    """Return the diagnostic for an editor of courses who edits the campus file."""
    message = f"`{name}` may not edit the campus"
    return Diagnostic(code="LEC416", message=message, file=str(catalog.campus.file))
