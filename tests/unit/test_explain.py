"""`lectern explain`, `schema`, `new` and `diff`, as somebody at a terminal uses them."""

from __future__ import annotations

import json
import re
import shutil
from argparse import ArgumentParser
from pathlib import Path

import pytest

from lectern_spawner import diff, explain, new, schema
from lectern_spawner.catalog import load
from lectern_spawner.catalog.diagnostics import CODES

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "tests" / "data" / "profiles" / "good" / "everything"


@pytest.fixture
def run(capsys):
    def command(verb, *arguments):
        parser = ArgumentParser()
        verb.command.configure(parser)
        code = verb.command.run(parser.parse_args([str(a) for a in arguments]))
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def campus(tmp_path):
    folder = tmp_path / "campus"
    shutil.copytree(ROOT / "profiles", folder)
    return folder


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained(run, code):
    status, out, err = run(explain, code.lower())
    assert (status, err) == (0, "")
    assert out.startswith(f"# {code}: {CODES[code]}\n")


def test_every_key_is_explained_with_an_example(run):
    for file in schema.FILES:
        for key in explain.keys(file):
            status, out, err = run(explain, f"{file}.{key.path}")
            assert (status, err) == (0, "")
            assert str(key.field.description) in out
            assert "  written   " in out
            assert "  example   " in out


def test_the_page_about_all_keys_is_what_the_program_makes(run):
    page = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert page == run(explain, "keys")[1], "run `lectern explain keys > docs/keys.md`"


def test_a_key_shows_its_forms_default_and_the_keys_below(run):
    _, out, _ = run(explain, "profiles.gpu")
    assert "profiles.gpu, in a course file\n" in out
    assert "  written   none | section | list of section\n" in out
    assert "  example   gpu: {share: 1/2}\n" in out
    assert "    share      Part of a card, an exact fraction.\n" in out
    assert '  if unset  "jupyter"\n' in run(explain, "profiles.app")[1]
    assert "  needed    yes\n" in run(explain, "profiles.image")[1]


def test_a_key_of_both_files_is_explained_for_both(run):
    _, out, _ = run(explain, "title")
    assert out.count("title, in a course file") == 1
    status, out, _ = run(explain, "--format", "json", "profiles.gpu.share")
    (found,) = json.loads(out)
    assert (status, found["key"], found["file"]) == (0, "profiles.gpu.share", "course")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("profiles.gpu.shre", "did you mean `profiles.gpu.share`?"),
        ("LEC402x", "did you mean `LEC402`?"),
        ("x" * 500, "codes look like LEC401"),
        ("", "codes look like LEC401"),
    ],
)
def test_what_is_not_there_is_said_with_a_hint(run, wrong, hint):
    status, out, err = run(explain, wrong)
    assert (status, out) == (2, "")
    assert hint in err
    assert len(err) < 300


def test_schemas_are_printed_and_written(run, tmp_path):
    status, out, _ = run(schema, "campus")
    assert (status, json.loads(out)["$id"]) == (0, "campus.schema.json")
    assert run(schema)[0] == 2
    assert run(schema, "--out", tmp_path / "schema")[0] == 0
    assert sorted(file.name for file in (tmp_path / "schema").iterdir()) == [
        "campus.schema.json",
        "course.schema.json",
    ]
    (tmp_path / "file").write_text("")
    status, _, err = run(schema, "--out", tmp_path / "file")
    assert status == 2
    assert "cannot write" in err


def test_a_new_course_passes_and_is_in_the_catalog(run, campus):
    status, out, err = run(new, "course", "ml-201", "--instructor", "Chen", "--campus", campus)
    assert (status, err) == (0, "")
    assert "Edit it, then run" in out
    loaded = load(campus)
    assert [d for d in loaded.diagnostics if "ml-201" in d.file] == []
    assert loaded.require().roles("chen")["ml-201"] == "instructor"


def test_a_new_course_without_an_instructor_passes_too(run, campus):
    assert run(new, "course", "ml-201", "--campus", campus)[0] == 0
    assert "ml-201" in load(campus).require().courses


def test_every_comment_of_a_new_course_is_right_when_it_is_taken_in(tmp_path):
    shutil.copytree(EVERYTHING, tmp_path / "campus")
    catalog = load(tmp_path / "campus").require()
    text = new.course_text("ml-201", ["chen"], catalog.campus)
    # Descriptions are sentences; everything else behind a # is YAML.
    lines = [
        re.sub(r"^( *)# ", r"\1", line)
        for line in text.splitlines()[3:]
        if not re.fullmatch(r" *# [A-Z`y].*", line)
    ]
    file = tmp_path / "campus" / "ml-201.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = [d for d in load(tmp_path / "campus").diagnostics if d.file == str(file)]
    # What it refers to is another campus's; its form is right.
    assert [d.message for d in found if d.code < "LEC300"] == []
    assert len(lines) > 30


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("course", "Ml_201"), "the id `Ml_201` must begin with a-z"),
        (("course", "ml-101"), "course `ml-101` is in"),
        (("course", "ml-201", "--instructor", "root"), "belongs to an account of the system"),
        (("course", "ml-201", "--campus", "/nowhere"), "/nowhere has errors"),
    ],
)
def test_a_new_course_that_cannot_be_is_refused(run, campus, arguments, why):
    before = sorted(campus.rglob("*"))
    status, out, err = run(new, "--campus", campus, *arguments)
    assert (status, out) == (2, "")
    assert why in err
    assert sorted(campus.rglob("*")) == before


def test_a_file_that_is_there_is_not_overwritten(run, campus):
    (campus / "ml-201.yaml").write_text("course: other-1\n")
    status, _, err = run(new, "course", "ml-201", "--campus", campus)
    assert status == 2
    assert "is there already" in err
    assert (campus / "ml-201.yaml").read_text() == "course: other-1\n"


def edit(folder, file, *pairs):
    text = (folder / file).read_text(encoding="utf-8")
    for old, fresh in pairs:
        assert old in text
        text = text.replace(old, fresh, 1)
    (folder / file).write_text(text, encoding="utf-8")


def test_a_difference_says_what_changes_for_whom(run, campus):
    edit(campus, "ml-101.yaml", ("who: [assistant, instructor]", "who: [instructor]"))
    edit(campus, "ml-101.yaml", ("memory: {guarantee: 1Gi, limit: 2Gi}", "memory: 4Gi"))
    edit(campus, "ml-101.yaml", ("2036-12-31", "2030-01-01"))
    edit(campus, "campus.yaml", ("servers: 2", "servers: 3"))
    edit(campus, "py-100.yaml", ("alice, ", ""), ("  small:", "  little:"))
    (campus / "history-2025.yaml").unlink()
    status, out, err = run(diff, ROOT / "profiles", campus)
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        "campus: limits.servers_per_person 2 → 3",
        "3 people lose course history-2025",
        "profile ml-101/project: memory.guarantee 1Gi → 4Gi",
        "profile ml-101/project: memory.limit 2Gi → 4Gi",
        "1 assistant of ml-101 loses profile grading-desk",
        "ml-101: ends 2036-12-31 → 2030-01-01",
        "1 student leaves py-100: alice",
        "6 people of py-100 lose profile small",
        "1 student of py-100 loses profile notebook",
        "5 people of py-100 get profile little",
    ]
    status, out, _ = run(diff, "--format", "json", ROOT / "profiles", campus)
    found = [json.loads(line) for line in out.splitlines()]
    (left,) = [change for change in found if "leaves" in change["what"]]
    assert left == {
        "course": "py-100",
        "what": "1 student leaves py-100: alice",
        "people": ["alice"],
    }


def test_a_folder_does_not_differ_from_its_copy(run, campus):
    assert run(diff, ROOT / "profiles", campus) == (0, "nothing changes\n", "")


def test_a_broken_folder_cannot_be_compared(run, campus):
    (campus / "campus.yaml").write_text("languages: nothing\n")
    status, _, err = run(diff, ROOT / "profiles", campus)
    assert status == 2
    assert "lectern check" in err


def test_a_folder_that_is_not_there_is_said_to_be_missing(run, tmp_path):
    status, out, err = run(diff, ROOT / "profiles", tmp_path / "none")
    assert (status, out) == (2, "")
    assert "the campus folder cannot be read: no such file or directory" in err


def test_times_are_quoted_for_readers_of_older_yaml(run):
    assert "from: '10:00'" in run(explain, "lessons.weekly")[1]
    assert "  written   text | whole number\n" in run(explain, "lessons.weekly.weeks")[1]
