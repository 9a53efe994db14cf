"""Write campuses of any size as real YAML files, for `lectern_spawner.catalog.load`.

One course has the people whose servers and pages are measured; the other
courses have people of their own, so that their profiles are foreign to them.
"""

from __future__ import annotations

from pathlib import Path

from lectern_spawner.catalog import Catalog, load

COURSE = "lab-100"
PROFILE = f"{COURSE}/notebook-0"
"""What the measured people start."""

OWN = 3
"""Profiles in the course of the measured people."""

PER_COURSE = 20
_CAMPUS = """\
languages: [en, zh]
images:
  datascience:
    title: {en: Data science, zh: 数据科学}
    ref: lectern/datascience:1
"""


def students(count: int) -> list[str]:
    """Return the names of the measured people."""
    return [f"student-{number}" for number in range(count)]


def write(
    folder: Path,
    profiles: int,
    people: list[str],
    *,
    visible: bool = False,
    each: int = PER_COURSE,
) -> Path:
    """Write a campus and return its folder.

    Args:
        folder: is made.
        profiles: how many there are beside the measured people's own three.
        people: the measured people.
        visible: whether they are in all the other courses too.
        each: profiles in each of the other courses.
    """
    folder.mkdir(parents=True)
    (folder / "campus.yaml").write_text(_CAMPUS, encoding="utf-8")
    _course(folder, COURSE, OWN, people)
    for number in range(profiles // each):
        own_people = [f"person-{number}-{person}" for person in range(30)]
        _course(folder, f"course-{number}", each, people if visible else own_people)
    return folder


def read(folder: Path) -> Catalog:
    """Load a campus that `write` made.

    Raises:
        RuntimeError: when there is anything wrong with it.
    """
    loaded = load(folder)
    if loaded.diagnostics:
        raise RuntimeError(f"the made-up campus has mistakes: {loaded.diagnostics[0]}")
    return loaded.require()


def _course(folder: Path, name: str, profiles: int, people: list[str]) -> None:
    lines = [
        f"course: {name}",
        f"title: {{en: Course {name}, zh: 课程 {name}}}",
        "term: {starts: 2026-01-01, ends: 2036-12-31}",
        "instructors: [teacher]",
        f"students: [{', '.join(people)}]",
        "profiles:",
    ]
    for number in range(profiles):
        lines += [
            f"  notebook-{number}:",
            f"    title: {{en: Notebook {number}, zh: 笔记本 {number}}}",
            f"    description: For the exercises of week {number}",
            "    image: datascience",
            "    cpu: 1",
            "    memory: 1Gi",
        ]
    (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
