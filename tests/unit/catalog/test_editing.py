"""Editors: who may edit which course, and what their courses may use."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from lectern_spawner.commands import check

CAMPUS = """\
languages: [en]
images:
  plain: {title: Plain, ref: lectern/plain:1}
  large: {title: Large, ref: lectern/large:1}
gpu_pools:
  lab: {backend: hami, cards: {model: T4, memory: 16Gi, per_node: 2, nodes: 2}}
  dgx: {backend: hami, cards: {model: A100, memory: 80Gi, per_node: 8, nodes: 1}}
groups: {staff/ml-101: [zhao]}
editors:
  - people: [chen]
    courses: [ml-101, py-100]
    images: [plain]
    gpu_pools: [lab]
    largest: {cpu: 2, memory: 4Gi, share: 1/4, cards: 1, hours: 8}
  - people: {group: staff/ml-101}
    courses: [ml-101]
"""
COURSE = """\
course: ml-101
title: Machine Learning
instructors: [chen]
profiles:
  notebook:
    title: Notebook
    image: {image}
    cpu: {cpu}
    memory: {memory}
    gpu: {gpu}
    idle: {{longest: {longest}}}
"""
INSIDE = {
    "image": "plain",
    "cpu": "2",
    "memory": "4Gi",
    "gpu": "{share: 1/4, pool: lab}",
    "longest": "8h",
}


@pytest.fixture
def run(tmp_path, capsys):
    folder = tmp_path / "campus"
    folder.mkdir()
    (folder / "campus.yaml").write_text(CAMPUS)
    plain = "course: py-100\ntitle: Python\ninstructors: [wang]\nprofiles: {a: {title: A, "
    small = "image: plain, cpu: 1, memory: 1Gi, idle: {longest: 8h}}}\n"
    (folder / "py-100.yaml").write_text(plain + small)
    (folder / "art-1.yaml").write_text(
        plain.replace("py-100", "art-1") + "image: plain, cpu: 1, memory: 1Gi}}\n"
    )

    (folder / "rosters").mkdir()
    (folder / "rosters" / "alone.yaml").write_text("course: alone\n")
    (folder / "notes.md").write_text("# Notes\n")

    def command(*arguments, **changed):
        (folder / "ml-101.yaml").write_text(COURSE.format(**(INSIDE | changed)))
        parser = ArgumentParser()
        check.configure(parser)
        paths = [a if a.startswith("-") or "." not in a else str(folder / a) for a in arguments]
        paths = [str(folder) if a == "FOLDER" else a for a in paths]
        code = check.run(parser.parse_args([*paths, "--format", "concise"]))
        out, err = capsys.readouterr()
        return code, out.replace(f"{folder}/", ""), err

    return command


def test_what_an_editor_may_use_is_right(run):
    code, out, _ = run("FOLDER", "--editor", "chen")
    assert (code, out.splitlines()[0]) == (0, "4 files, no problems")


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"image": "large"}, "ml-101.yaml:7:12: error[LEC414] image `large` is not for"),
        ({"gpu": "{share: 1/4, pool: dgx}"}, "[LEC414] GPU pool `dgx` is not for the editors"),
        ({"gpu": "{share: 1/4}"}, "[LEC414] any GPU pool is not for the editors"),
        ({"cpu": "3"}, "ml-101.yaml:8:10: error[LEC415] profile `notebook` asks for more cpu"),
        ({"memory": "8Gi"}, "[LEC415] profile `notebook` asks for more memory"),
        ({"gpu": "{share: 1/2, pool: lab}"}, "[LEC415] profile `notebook` asks for more share"),
        ({"gpu": "{count: 2, pool: lab}"}, "[LEC415] profile `notebook` asks for more cards"),
        ({"longest": "9h"}, "[LEC415] profile `notebook` asks for more hours"),
    ],
)
def test_more_than_an_editor_may_use_is_refused(run, changed, found):
    code, out, _ = run("FOLDER", "--editor", "Chen", **changed)
    assert code == 1
    assert found in out
    # The campus itself would allow it, and so would the other entry.
    assert run("FOLDER", **changed)[0] == 0
    assert run("FOLDER", "--editor", "zhao", **changed)[0] == 0


def test_a_whole_card_counts_as_a_card_and_not_as_a_share(run):
    assert run("FOLDER", "--editor", "chen", gpu="{count: 1, pool: lab}")[0] == 0


def test_an_editor_edits_their_own_courses_only(run):
    code, out, _ = run("art-1.yaml", "--editor", "chen")
    assert code == 1
    assert "art-1.yaml:1:9: error[LEC416] `chen` may not edit course `art-1`" in out
    assert run("py-100.yaml", "--editor", "chen")[0] == 0
    code, out, _ = run("py-100.yaml", "--editor", "zhao")
    assert code == 1
    assert "`zhao` may not edit course `py-100`" in out


def test_an_editor_does_not_edit_the_campus(run):
    code, out, _ = run("campus.yaml", "--editor", "chen")
    assert code == 1
    assert "campus.yaml: error[LEC416] `chen` may not edit the campus" in out


def test_somebody_who_edits_nothing_is_told(run):
    code, out, err = run("FOLDER", "--editor", "alice")
    assert (code, out) == (2, "")
    assert "`alice` may edit no course" in err


def test_some_files_are_checked_alone(run):
    code, out, _ = run("py-100.yaml", image="nothing")
    assert (code, out.splitlines()[0]) == (0, "1 file, no problems")
    code, out, _ = run("ml-101.yaml", "py-100.yaml", image="nothing")
    assert code == 1
    assert "unknown image `nothing`" in out


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        (("notes.md",), "is neither a course file (.yaml) nor a roster (.csv)"),
        (("nothing.yaml",), "there is no file"),
        (("/nowhere",), "there is no folder /nowhere"),
        (("FOLDER", "py-100.yaml"), "give one folder, or files of one folder"),
        (("/etc/hostname",), "is neither a course file"),
        (("rosters/alone.yaml",), "is no campus folder"),
    ],
)
def test_what_cannot_be_checked_is_said(run, paths, why):
    code, out, err = run(*paths)
    assert (code, out) == (2, "")
    assert why in err


def test_an_editor_of_limited_hours_says_how_long_servers_run(run, tmp_path):
    course = tmp_path / "campus" / "py-100.yaml"
    course.write_text(course.read_text().replace(", idle: {longest: 8h}", ""))
    code, out, _ = run("py-100.yaml", "--editor", "chen")
    assert code == 1
    assert "[LEC415] profile `a` has no `longest`, and its editors may give 8 hours" in out
    assert run("py-100.yaml")[0] == 0


def test_a_course_is_checked_with_its_rosters(run, tmp_path):
    roster = tmp_path / "campus" / "rosters" / "py.csv"
    roster.write_text("login,mail\nalice,a@b.c\n")
    course = tmp_path / "campus" / "py-100.yaml"
    course.write_text(course.read_text() + "students: {csv: rosters/py.csv}\n")
    for path in ("py-100.yaml", "rosters/py.csv"):
        code, out, _ = run(path)
        assert (code, "rosters/py.csv:1:1: error[LEC111]" in out) == (1, True)
    roster.write_text("name\nalice\n")
    assert run("py-100.yaml")[1] == "2 files, no problems\n"
    assert run("rosters/py.csv")[1] == "1 file, no problems\n"
