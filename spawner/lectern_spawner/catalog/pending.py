"""What is written in a campus's files, checked, and without effect in this version.

Each entry goes when its machinery comes. `lectern check` prints them in one note,
so that nothing is accepted and ignored in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lectern_spawner.catalog.model import Campus, Catalog, Course, Profile


def without_effect(catalog: Catalog) -> Counter[str]:
    """Return the keys that are used and do nothing yet, with the number of their uses."""
    found: Counter[str] = Counter(_campus(catalog.campus))
    for course in catalog.courses.values():
        found.update(_course(course))
        for profile in course.profiles.values():
            found.update(f"profiles.{key}" for key in _profile(profile))
    return found


def _campus(campus: Campus) -> Iterator[str]:
    used = {
        "gpu_pools": campus.gpu_pools,
        "licenses": campus.licenses,
        "limits.per_person.gpu": campus.limits.gpu_servers_per_person is not None,
        "storage.nfs": any(storage.nfs for storage in campus.storage.values()),
    }
    yield from (key for key, value in used.items() if value)


def _course(course: Course) -> Iterator[str]:
    lessons = course.lessons
    weekly = lessons.weekly if lessons else ()
    once = lessons.once if lessons else ()
    used = {
        "home": course.home,
        "shared": course.shared,
        "data.write": any(data.write != "nobody" for data in course.data),
        "lessons.seats": any(lesson.seats for lesson in weekly) or any(x.seats for x in once),
        "lessons.licenses": any(lesson.licenses for lesson in weekly),
        "exams": course.exams,
        "grading": course.grading,
    }
    yield from (key for key, value in used.items() if value)


def _profile(profile: Profile) -> Iterator[str]:
    used = {
        "gpu": profile.gpu,
        "app": profile.app != "jupyter",
        "idle": profile.idle,
        "license": profile.licenses,
        "instead": profile.instead,
    }
    yield from (key for key, value in used.items() if value)


def note(found: Counter[str]) -> str:
    """Return one sentence about all of them; empty when there is nothing to say."""
    if not found:
        return ""
    keys = ", ".join(f"`{key}`" for key in sorted(found))
    return f"checked, and without effect in this version: {keys}"
