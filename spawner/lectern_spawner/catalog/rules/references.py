"""Names in a course file that must exist somewhere: on the campus, or in the course itself."""

from __future__ import annotations

from collections.abc import Iterator

from lectern_spawner.catalog import units
from lectern_spawner.catalog.diagnostics import Diagnostic
from lectern_spawner.catalog.messages import at_key
from lectern_spawner.catalog.rules.common import Checked, languages, twice, unknown
from lectern_spawner.catalog.sections.fields import FromGroup
from lectern_spawner.catalog.source import Where

ROLE_KEYS = ("instructors", "assistants", "students")


def images(it: Checked) -> Iterator[Diagnostic]:
    """Yield images that the campus does not have, and those that it wants to be rid of."""
    for profile, entry in it.course.profiles.items():
        where = ("profiles", profile, "image")
        image = it.campus.images.get(entry.image)
        if image is None:
            yield unknown(
                it.source, where, "LEC301", "image", entry.image, it.campus.images, section="images"
            )
        elif image.status == "deprecated":
            yield it.value(
                where,
                "LEC901",
                f"image `{entry.image}` is deprecated",
                label="will be gone some day",
                severity="warning",
                notes=it.set_here(("images", entry.image, "status")),
                help=f"use `{image.successor}`" if image.successor else None,
            )


def storage(it: Checked) -> Iterator[Diagnostic]:
    """Yield storage that the campus does not have."""
    course = it.course
    places: list[tuple[Where, str]] = [
        (("data", index, "from"), units.data_source(entry.source)[0])
        for index, entry in enumerate(course.data)
    ]
    if course.shared:
        places.append((("shared", "from"), units.data_source(course.shared.source)[0]))
    if course.home:
        places.append((("home", "server"), course.home.server))
    for where, name in places:
        if name not in it.campus.storage:
            known = it.campus.storage
            yield unknown(it.source, where, "LEC302", "storage", name, known, section="storage")


def groups(it: Checked) -> Iterator[Diagnostic]:
    """Yield groups that the campus does not have."""
    for key in ROLE_KEYS:
        people = getattr(it.course, key)
        if isinstance(people, FromGroup) and people.group not in it.campus.groups:
            known = it.campus.groups
            yield unknown(
                it.source, (key, "group"), "LEC303", "group", people.group, known, section="groups"
            )


def titles(it: Checked) -> Iterator[Diagnostic]:
    """Yield texts in languages that the campus does not have."""
    course = it.course
    texts: list[tuple[object, Where]] = [(course.title, ("title",))]
    for profile, entry in course.profiles.items():
        where: Where = ("profiles", profile)
        texts += [(entry.title, (*where, "title")), (entry.description, (*where, "description"))]
        if not isinstance(entry.app, str):
            texts.append((entry.app.title, (*where, "app", "title")))
    if course.lessons:
        for key in ("weekly", "once"):
            for index, lesson in enumerate(getattr(course.lessons, key)):
                texts.append((lesson.room, ("lessons", key, index, "room")))
    texts += [(exam.title, ("exams", index, "title")) for index, exam in enumerate(course.exams)]
    if course.grading:
        for name, assignment in course.grading.assignments.items():
            texts.append((assignment.title, ("grading", "assignments", name, "title")))
    for text, where in texts:
        yield from languages(text, where, it.source, it.campus, it.campus_source)


def profiles(it: Checked) -> Iterator[Diagnostic]:
    """Yield names of profiles that the course does not have."""
    course = it.course
    named: list[tuple[Where, str | None]] = [
        (("profiles", profile, "instead"), entry.instead)
        for profile, entry in course.profiles.items()
    ]
    if course.lessons:
        for key in ("weekly", "once"):
            for index, lesson in enumerate(getattr(course.lessons, key)):
                named.append((("lessons", key, index, "profile"), lesson.profile))
    named += [(("exams", i, "profile"), exam.profile) for i, exam in enumerate(course.exams)]
    if course.grading:
        named.append((("grading", "profile"), course.grading.profile))
    for where, name in named:
        if name is not None and name not in course.profiles:
            yield unknown(it.source, where, "LEC310", "profile", name, course.profiles)


def licenses(it: Checked) -> Iterator[Diagnostic]:
    """Yield licenses that the campus does not have."""
    known = it.campus.licenses
    for profile, entry in it.course.profiles.items():
        for index, name in enumerate(entry.license or ()):
            if name not in known:
                where: Where = ("profiles", profile, "license")
                where = (*where, index) if (*where, index) in it.source.values else where
                yield unknown(
                    it.source, where, "LEC309", "license", name, known, section="licenses"
                )
    for index, lesson in enumerate(it.course.lessons.weekly if it.course.lessons else ()):
        for name in lesson.licenses:
            if name not in known:
                place = ("lessons", "weekly", index, "licenses", name)
                yield unknown(
                    it.source,
                    place,
                    "LEC309",
                    "license",
                    name,
                    known,
                    section="licenses",
                    on_key=True,
                )


def calendar(it: Checked) -> Iterator[Diagnostic]:
    """Yield a calendar that the campus does not have, or that nobody named."""
    lessons, known = it.course.lessons, it.campus.calendars
    if lessons and lessons.calendar is not None:
        if lessons.calendar not in known:
            where: Where = ("lessons", "calendar")
            yield unknown(
                it.source,
                where,
                "LEC308",
                "calendar",
                lessons.calendar,
                known,
                section="calendars",
            )
    elif (key := _first_with_times(it)) and len(known) != 1:
        missing = "add one to campus.yaml under `calendars`"
        yield at_key(
            it.source,
            (key,),
            "LEC308",
            f"`{key}` has times, and it is not clear in which time zone",
            label=f"the campus has {'several calendars' if known else 'no calendar'}",
            help="name one with `lessons: {calendar: …}`" if known else missing,
        )


def _first_with_times(it: Checked) -> str | None:
    course = it.course
    if course.lessons and (course.lessons.weekly or course.lessons.once):
        return "lessons"
    if course.exams:
        return "exams"
    dated = course.grading.assignments.values() if course.grading else ()
    return "grading" if any(a.due or a.closes for a in dated) else None


def nothing_twice(it: Checked) -> Iterator[Diagnostic]:
    """Yield what stands in a list twice."""
    for key in ROLE_KEYS:
        people = getattr(it.course, key)
        if isinstance(people, tuple):
            yield from twice(people, (key,), it.source, "person")
    yield from twice([e.name for e in it.course.data], ("data",), it.source, "data set", "name")
    yield from twice([e.name for e in it.course.exams], ("exams",), it.source, "exam", "name")
    for profile, entry in it.course.profiles.items():
        yield from twice(entry.who, ("profiles", profile, "who"), it.source, "role")
        yield from twice(
            entry.license or (), ("profiles", profile, "license"), it.source, "license"
        )


RULES = (
    images, storage, groups, titles, profiles, licenses, calendar, nothing_twice,
)  # fmt: skip
