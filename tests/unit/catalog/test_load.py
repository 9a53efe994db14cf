"""A whole campus folder: what the catalog holds and who has which role."""

from __future__ import annotations

import os
import time
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from lectern_spawner.catalog import Catalog, CatalogError, Role, load

EXAMPLE = Path(__file__).parents[3] / "profiles"
CAMPUS = """languages: [en, zh]
images: {ds: {title: Data, ref: lectern/ds:1}}
storage: {nas: {path: data}, far: {path: /srv/far}}
groups: {staff: [Zhao], ldap: []}
limits: {per_person: {servers: 2}}
"""
COURSE = """course: art-1
title: {en: Drawing, zh: 素描}
instructors: [chen]
assistants: {group: staff}
students: [alice]
data: [{name: iris, from: nas:/iris}]
profiles:
  b:
    title: B
    image: ds
    cpu: {guarantee: 0.5, limit: 1}
    memory: 1Gi
    env: {A: "1"}
    who: [instructor]
  a: {title: A, image: ds, cpu: 1, memory: 1Gi}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "campus.yaml").write_text(CAMPUS)
    (tmp_path / "art-1.yaml").write_text(COURSE)
    return tmp_path


def catalog(folder: Path) -> Catalog:
    loaded = load(folder)
    assert loaded.diagnostics == ()
    return loaded.require()


def test_the_example_campus_is_clean_and_varied() -> None:
    loaded = load(EXAMPLE)
    assert loaded.diagnostics == ()
    courses = loaded.require().courses
    assert list(courses) == ["dl-301", "history-2025", "ml-101", "py-100"]
    assert courses["dl-301"].title.get("zh") == "数据可视化与深度学习"
    assert courses["ml-101"].profiles["grading-desk"].who == {Role.ASSISTANT, Role.INSTRUCTOR}
    assert courses["history-2025"].ends == date(2025, 7, 4)
    assert loaded.require().roles("李雷") == dict.fromkeys(
        ["dl-301", "ml-101", "py-100"], "student"
    )


def test_the_data_of_the_example_campus_is_there() -> None:
    found = load(EXAMPLE).require()
    for course in found.courses.values():
        for data in course.data:
            assert (found.campus.storage[data.storage].path / data.path.lstrip("/")).is_dir()


def test_values_are_exact_and_paths_absolute(folder: Path) -> None:
    found = catalog(folder)
    course = found.courses["art-1"]
    assert list(course.profiles) == ["b", "a"]
    profile = course.profiles["b"]
    assert profile.cpu.guarantee == Fraction(1, 2)
    assert profile.cpu.limit == 1
    assert profile.memory.guarantee == profile.memory.limit == 2**30
    assert profile.env == {"A": "1"}
    assert found.campus.storage["nas"].path == Path(os.path.realpath(folder)) / "data"
    assert found.campus.storage["far"].path == Path("/srv/far")
    assert found.campus.limits.servers_per_person == 2
    assert (course.data[0].storage, course.data[0].path) == ("nas", "/iris")
    assert course.source.values["profiles", "b", "memory"].line == 12


def test_nothing_in_a_catalog_can_be_changed(folder: Path) -> None:
    found = catalog(folder)
    profile = found.courses["art-1"].profiles["a"]
    with pytest.raises(AttributeError):
        profile.image = "other"  # type: ignore[misc]
    for mapping in (found.courses, found.campus.images, profile.env, found.campus.groups):
        with pytest.raises(TypeError):
            mapping["x"] = None  # type: ignore[index]


def test_a_text_falls_back_to_the_first_language_then_to_any(folder: Path) -> None:
    course = catalog(folder).courses["art-1"]
    assert [course.title.get(language) for language in ("zh", "en", "fr")] == [
        "素描",
        "Drawing",
        "Drawing",
    ]
    assert course.profiles["a"].title.get("zh") == "A"


def test_a_stronger_role_compares_as_greater() -> None:
    assert Role.STUDENT < Role.ASSISTANT < Role.INSTRUCTOR
    assert max(Role) is Role.INSTRUCTOR
    assert f"{Role.STUDENT}" == "student"


def test_roles_come_from_lists_groups_and_the_login(folder: Path) -> None:
    found = catalog(folder)
    assert found.roles("chen") == {"art-1": Role.INSTRUCTOR}
    assert found.roles("zhao") == {"art-1": Role.ASSISTANT}
    assert found.roles("nobody-here") == {}
    assert found.roles("nobody-here", ["staff", "unknown"]) == {"art-1": Role.ASSISTANT}
    assert found.roles("alice", ["staff"]) == {"art-1": Role.ASSISTANT}
    assert found.roles("chen", ["staff"]) == {"art-1": Role.INSTRUCTOR}
    assert found.people() == {"chen", "zhao", "alice"}


def test_the_answer_about_a_person_cannot_change_the_catalog(folder: Path) -> None:
    found = catalog(folder)
    answer = found.roles("alice")
    assert isinstance(answer, dict)
    answer["art-1"] = Role.INSTRUCTOR
    assert found.roles("alice") == {"art-1": Role.STUDENT}


def test_a_course_with_errors_is_left_out_and_others_stay(folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        COURSE.replace("art-1", "bad").replace("image: ds", "image: x")
    )
    loaded = load(folder)
    assert list(loaded.require().courses) == ["art-1"]
    assert {item.code for item in loaded.diagnostics} == {"LEC301"}


def test_a_course_with_a_bad_roster_is_left_out(folder: Path) -> None:
    (folder / "r.csv").write_text("name\nroot\n")
    text = COURSE.replace("[alice]", "{csv: r.csv}")
    (folder / "art-1.yaml").write_text(text)
    assert list(load(folder).require().courses) == []


def test_of_two_files_with_one_id_the_one_named_like_it_counts(folder: Path) -> None:
    (folder / "a-copy.yaml").write_text(COURSE.replace("Drawing", "Copy"))
    loaded = load(folder)
    assert loaded.require().courses["art-1"].file.name == "art-1.yaml"
    assert [item.file for item in loaded.diagnostics] == [str(folder / "a-copy.yaml")]


def test_without_a_campus_there_is_no_catalog(folder: Path) -> None:
    (folder / "campus.yaml").write_text("languages: [en, en]\nimages: {}\n")
    loaded = load(folder)
    assert loaded.catalog is None
    with pytest.raises(CatalogError, match="1 error"):
        loaded.require()
    assert load(folder / "nowhere").catalog is None


def test_a_roster_outside_the_folder_is_refused_even_through_a_link(folder: Path) -> None:
    outside = folder.parent / "outside.csv"
    outside.write_text("name\nalice\n")
    (folder / "link.csv").symlink_to(outside)
    for name in ("link.csv", "../outside.csv", str(outside)):
        (folder / "art-1.yaml").write_text(COURSE.replace("[alice]", f"{{csv: {name}}}"))
        assert [item.code for item in load(folder).diagnostics] == ["LEC405"]


ODD = (
    "",
    "~",
    "-1",
    "1.5",
    "true",
    "x",
    "'x\\0'",
    "[]",
    "{}",
    "[1]",
    "[[]]",
    "{a: 1}",
    "2026-01-01",
)


@pytest.mark.parametrize("name", ["campus.yaml", "art-1.yaml"])
def test_no_odd_value_anywhere_ends_in_a_traceback(folder: Path, name: str) -> None:
    good = (folder / name).read_text()
    source = catalog(folder).campus.source if name == "campus.yaml" else None
    source = source or catalog(folder).courses["art-1"].source
    for where, span in source.values.items():
        if span.line != span.end_line or not where:
            continue
        lines = good.split("\n")
        line = lines[span.line - 1]
        for odd in ODD:
            changed = line[: span.column - 1] + odd + line[span.end_column - 1 :]
            lines[span.line - 1] = changed
            (folder / name).write_text("\n".join(lines))
            loaded = load(folder)
            assert loaded.catalog is None or loaded.catalog.campus.languages
            assert all(item.at is None or item.at.span.line for item in loaded.diagnostics)


def test_the_cost_of_a_person_does_not_grow_with_foreign_courses(folder: Path) -> None:
    small = catalog(folder)
    for number in range(60):
        text = (
            COURSE.replace("art-1", f"c-{number}").replace("alice", "bob").replace("chen", "wang")
        )
        (folder / f"c-{number}.yaml").write_text(text.replace("group: staff", "group: ldap"))
    large = catalog(folder)
    assert large.roles("alice") == small.roles("alice")
    assert _seconds(large) < 5 * _seconds(small) + 0.005


def _seconds(found: Catalog) -> float:
    samples = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(500):
            found.roles("alice", ["staff"])
        samples.append(time.perf_counter() - start)
    return min(samples)
