"""Rules of handing in, and of licenses that lessons hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lectern_spawner.catalog.diagnostics import Diagnostic, Note
from lectern_spawner.catalog.rules.common import Checked, needs, twice
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.catalog.sections.grading import Policy
from lectern_spawner.catalog.source import Where


def late_steps(it: Checked) -> Iterator[Diagnostic]:
    """Yield steps of lateness that come in the wrong order, or cost less than earlier ones."""
    for where, policy in policies(it.course):
        for index, (before, after) in enumerate(pairwise(policy.late or ()), start=1):
            place: Where = (*where, "late", index)
            for key in ("until", "penalty"):
                early, late = getattr(before, key), getattr(after, key)
                if late > early or (key == "penalty" and late == early):
                    continue
                other = it.source.value((*where, "late", index - 1, key))
                yield it.value(
                    (*place, key),
                    "LEC509",
                    "a step does not end after the one before"
                    if key == "until"
                    else "a later step costs less",
                    label="too early" if key == "until" else "less than the step before",
                    notes=(Note("the step before", other),) if other else (),
                )


def policies(course: CourseFile) -> Iterator[tuple[Where, Policy]]:
    """Yield the rules of handing in of a course, then those of its assignments, and where."""
    grading = course.grading
    if grading is None:
        return
    yield ("grading",), grading
    for name, assignment in grading.assignments.items():
        yield ("grading", "assignments", name), assignment


def closes_after_due(it: Checked) -> Iterator[Diagnostic]:
    """Yield assignments that close before they are due, or close without being due."""
    assignments = it.course.grading.assignments if it.course.grading else {}
    for name, assignment in assignments.items():
        where: Where = ("grading", "assignments", name)
        if assignment.closes is None:
            continue
        if assignment.due is None:
            yield needs(where, it.source, "`due` beside `closes`")
        elif assignment.closes < assignment.due:
            due = it.source.value((*where, "due"))
            yield it.value(
                (*where, "closes"),
                "LEC508",
                f"assignment `{name}` closes before it is due",
                label="before the due time",
                notes=(Note("due here", due),) if due else (),
            )


def extensions(it: Checked) -> Iterator[Diagnostic]:
    """Yield people who stand in one list of extensions twice."""
    for where, policy in policies(it.course):
        for index, extension in enumerate(policy.extensions):
            place: Where = (*where, "extensions", index, "people")
            yield from twice(extension.people, place, it.source, "person")


def held_licenses(it: Checked) -> Iterator[Diagnostic]:
    """Yield lessons that hold more licenses than there can be."""
    lessons = it.course.lessons
    for index, lesson in enumerate(lessons.weekly if lessons else ()):
        for name, number in lesson.licenses.items():
            license_ = it.campus.licenses.get(name)
            if license_ is None or license_.count is None:
                continue
            most = license_.count - license_.reserve.outside
            if number > most:
                yield it.value(
                    ("lessons", "weekly", index, "licenses", name),
                    "LEC420",
                    f"the lesson holds more licenses of `{name}` than there are",
                    label=f"the most is {most}",
                    notes=it.set_here(("licenses", name, "count")),
                )


RULES = (late_steps, closes_after_due, extensions, held_licenses)
