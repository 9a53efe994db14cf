"""`lectern set`: what it changes, what it refuses, and how it ends."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
from argparse import ArgumentParser
from pathlib import Path

import pytest

from lectern_spawner.catalog import load
from lectern_spawner.edit import store
from lectern_spawner.edit.command import set_

CAMPUS = """\
languages: [en, zh]   # 语言
images: {ds: {title: Data, ref: lectern/ds:1}}
limits:
  largest: {memory: 8Gi}
"""
COURSE = """\
# 课程 😀
course: art-1
title: 'Drawing'
instructors: [chen]
students: {csv: rosters/art.csv}

x-common: &common
    memory: 1Gi   # for all
    env: &env {A: "1"}
profiles:
    small:
        <<: *common
        title: Small
        image: ds
        cpu: 1
    big:
        title: "大 \\u00e9"   # big one
        image: ds
        cpu: {guarantee: 0.5, limit: 1}

        memory:   4Gi
        env: *env
        description: Long text
            on two lines
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rosters").mkdir()
    (tmp_path / "rosters" / "art.csv").write_text("name\nalice\n")
    (tmp_path / "campus.yaml").write_text(CAMPUS)
    (tmp_path / "art-1.yaml").write_text(COURSE)
    assert load(tmp_path).diagnostics == ()
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    def call(*arguments: str, campus: Path = folder) -> tuple[int, str, str]:
        parser = ArgumentParser()
        set_.configure(parser)
        code = set_.run(parser.parse_args([*arguments, "--campus", str(campus)]))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def lines_changed(old: str, new: str) -> list[tuple[str, str]]:
    before, after = old.splitlines(), new.splitlines()
    assert len(before) == len(after)
    return [(a, b) for a, b in zip(before, after, strict=True) if a != b]


@pytest.mark.parametrize(
    ("place", "value", "old", "new"),
    [
        ("profiles.big.memory", "2Gi", "        memory:   4Gi", "        memory:   2Gi"),
        ("title", "画画", "title: 'Drawing'", "title: '画画'"),
        ("title", "It's: #1", "title: 'Drawing'", "title: 'It''s: #1'"),
        ("title", "{en: A, zh: 画}", "title: 'Drawing'", "title: {en: A, zh: 画}"),
        (
            "profiles.big.cpu.limit",
            "1.5",
            "        cpu: {guarantee: 0.5, limit: 1}",
            "        cpu: {guarantee: 0.5, limit: 1.5}",
        ),
        ("instructors[1]", "zhao", "instructors: [chen]", "instructors: [chen, zhao]"),
        (
            "profiles.big.title",
            "12:30",
            '        title: "大 \\u00e9"   # big one',
            '        title: "12:30"   # big one',
        ),
    ],
)
def test_only_the_line_of_the_value_changes(run, folder, place, value, old, new) -> None:
    code, out, _ = run("art-1", place, value)
    assert code == 0
    assert lines_changed(COURSE, (folder / "art-1.yaml").read_text()) == [(old, new)]
    assert out.startswith(f"{folder}/art-1.yaml:{COURSE.splitlines().index(old) + 1}: {place}: ")
    assert load(folder).diagnostics == ()


def test_the_campus_file_is_changed_by_its_name(run, folder) -> None:
    assert run("campus", "limits.largest.memory", "16Gi")[0] == 0
    assert (folder / "campus.yaml").read_text() == CAMPUS.replace("8Gi", "16Gi")


def test_windows_line_ends_and_a_byte_order_mark_stay(run, folder) -> None:
    content = b"\xef\xbb\xbf" + COURSE.replace("\n", "\r\n").encode()
    (folder / "art-1.yaml").write_bytes(content)
    assert run("art-1", "profiles.big.memory", "2Gi")[0] == 0
    assert run("art-1", "profiles.big.who", "[instructor]")[0] == 0
    expected = content.replace(b"  4Gi", b"  2Gi") + b"        who: [instructor]\r\n"
    assert (folder / "art-1.yaml").read_bytes() == expected


def test_a_key_that_is_not_there_yet_becomes_a_line_of_its_own(run, folder) -> None:
    assert run("art-1", "profiles.small.env.B", "010", "--text", "--here")[0] == 0
    added = '        cpu: 1\n        env: {A: "1", B: "010"}\n    big:'
    assert added in (folder / "art-1.yaml").read_text()
    assert run("art-1", "term.ends", "2027-01-15")[0] == 0
    assert (folder / "art-1.yaml").read_text().endswith("\nterm: {ends: 2027-01-15}\n")


def test_unset_takes_the_lines_of_a_key_away(run, folder) -> None:
    assert run("art-1", "profiles.big.description", "--unset")[0] == 0
    kept = COURSE[: COURSE.index("        description")]
    assert (folder / "art-1.yaml").read_text() == kept


def test_an_alias_goes_with_its_key_and_the_anchor_stays(run, folder) -> None:
    assert run("art-1", "profiles.big.env", "--unset")[0] == 0
    assert (folder / "art-1.yaml").read_text() == COURSE.replace("        env: *env\n", "")


@pytest.mark.parametrize(
    ("place", "value"), [("profiles.small.memory", "2Gi"), ("profiles.big.env.A", '"2"')]
)
def test_what_an_anchor_brings_is_refused_with_the_line_of_the_anchor(
    run, folder, place, value
) -> None:
    code, out, err = run("art-1", place, value)
    assert (code, out) == (1, "")
    line = 7 if "memory" in place else 9
    assert f"on line {line}" in err
    assert "--here" in err
    assert (folder / "art-1.yaml").read_text() == COURSE


def test_here_gives_a_place_a_value_of_its_own(run, folder) -> None:
    assert run("art-1", "profiles.small.memory", "2Gi", "--here")[0] == 0
    assert run("art-1", "profiles.big.env.A", '"2"', "--here")[0] == 0
    profiles = load(folder).require().courses["art-1"].profiles
    assert profiles["small"].memory.limit == 2 * 2**30
    assert (profiles["small"].env["A"], profiles["big"].env["A"]) == ("1", "2")
    assert "memory: 1Gi   # for all" in (folder / "art-1.yaml").read_text()


def test_a_change_that_would_reach_other_places_is_refused(run, folder) -> None:
    code, _, err = run("art-1", "x-common.memory", "2Gi")
    assert code == 1
    assert "`&common` on line 7, which line 12 uses too" in err
    assert (folder / "art-1.yaml").read_text() == COURSE


def test_a_change_that_breaks_something_is_shown_and_not_made(run, folder) -> None:
    code, out, _ = run("art-1", "profiles.big.memory", "64Gi")
    assert code == 1
    assert "error[LEC401]" in out
    assert f"--> {folder}/art-1.yaml:21:19" in out
    assert "memory:   64Gi" in out
    assert "not changed" in out
    assert (folder / "art-1.yaml").read_text() == COURSE


def test_a_campus_change_that_breaks_a_course_is_not_made(run, folder) -> None:
    code, out, _ = run("campus", "limits.largest.memory", "2Gi")
    assert code == 1
    assert f"{folder}/art-1.yaml:21" in out
    assert (folder / "campus.yaml").read_text() == CAMPUS


def test_errors_that_were_there_before_do_not_count(run, folder) -> None:
    broken = COURSE.replace("image: ds", "image: dx")
    (folder / "art-1.yaml").write_text(broken)
    assert run("art-1", "profiles.big.memory", "2Gi")[0] == 0
    assert run("art-1", "profiles.big.image", "ds")[0] == 0
    assert [item.code for item in load(folder).diagnostics] == ["LEC301"]


def test_dry_run_prints_the_difference_and_writes_nothing(run, folder) -> None:
    code, out, _ = run("art-1", "profiles.big.memory", "2Gi", "--dry-run")
    assert code == 0
    changed = [
        line for line in out.splitlines() if line[0] in "+-" and line[:3] not in ("---", "+++")
    ]
    assert changed == ["-        memory:   4Gi", "+        memory:   2Gi"]
    assert (folder / "art-1.yaml").read_text() == COURSE


def test_json_says_what_was_done(run, folder) -> None:
    code, out, _ = run("art-1", "profiles.big.memory", "2Gi", "--format", "json")
    said = json.loads(out)
    assert (code, said["written"], said["line"]) == (0, True, 21)
    assert (said["old"], said["new"], said["problems"]) == ("4Gi", "2Gi", [])
    refused = json.loads(run("art-1", "profiles.big.image", "dx", "--format", "json")[1])
    assert not refused["written"]
    assert [item["code"] for item in refused["problems"]] == ["LEC301"]


def test_the_same_value_again_changes_nothing(run, folder) -> None:
    (folder / "art-1.yaml").chmod(0o444)
    code, out, _ = run("art-1", "profiles.big.memory", "4Gi")
    assert code == 0
    assert "is 4Gi already" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("art-2", "title", "x"), "there is no course `art-2`"),
        (("art-1", "title"), "either a VALUE or --unset"),
        (("art-1", "title", "x", "--unset"), "either a VALUE or --unset"),
        (("art-1", "a..b", "x"), "`a..b` is not a place"),
        (("art-1", "", "x"), "the place is empty"),
        (("art-1", "title", "[a"), "the value is not valid YAML"),
    ],
)
def test_what_cannot_be_run_ends_with_2_and_a_sentence(run, arguments, sentence) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("title.en", "x"), "`title` is one value, not a section with keys"),
        (("instructors.a", "x"), "`instructors` is a list, not a section with keys"),
        (("instructors[7]", "x"), "`instructors` has 1 item; [1] would add one"),
        (("profiles.gone", "--unset"), "there is no `profiles.gone`"),
        (("profiles.small.env", "--unset", "--here"), "cannot be taken away here alone"),
    ],
)
def test_a_place_that_does_not_fit_is_refused_with_a_sentence(run, arguments, sentence) -> None:
    code, out, err = run("art-1", *arguments)
    assert (code, out) == (1, "")
    assert sentence in err


def test_a_missing_folder_ends_with_2(run) -> None:
    assert run("art-1", "title", "x", campus=Path("/nowhere/at/all"))[0] == 2


def test_a_course_is_found_by_its_id_whatever_its_file_is_called(run, folder) -> None:
    (folder / "art-1.yaml").rename(folder / "drawing.yaml")
    assert run("art-1", "title", "New")[0] == 0
    assert "title: 'New'" in (folder / "drawing.yaml").read_text()


def test_two_files_with_one_id_are_named(run, folder) -> None:
    (folder / "copy.yaml").write_text(COURSE)
    code, _, err = run("art-1", "title", "New")
    assert code == 2
    assert "art-1.yaml and copy.yaml" in err
    assert run("copy.yaml", "title", "New")[0] == 0


def test_mode_owner_and_link_stay(run, folder, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "real.yaml"
    (folder / "art-1.yaml").rename(target)
    (folder / "art-1.yaml").symlink_to(target)
    target.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(target, 1234, 4321)
    before = target.stat()
    assert run("art-1", "title", "New")[0] == 0
    after = target.stat()
    assert (folder / "art-1.yaml").is_symlink()
    assert "title: 'New'" in target.read_text()
    same = [(s.st_mode, s.st_uid, s.st_gid) for s in (before, after)]
    assert same[0] == same[1]
    assert os.listdir(elsewhere) == ["real.yaml"]


def test_a_change_by_somebody_else_meanwhile_is_noticed(folder) -> None:
    path = folder / "art-1.yaml"
    stored = store.read(path)
    path.write_text(COURSE + "# by another editor\n")
    with pytest.raises(store.StoreError, match="changed by somebody else"):
        store.write(stored, COURSE.replace("4Gi", "2Gi"))
    assert path.read_text().endswith("# by another editor\n")
    assert sorted(os.listdir(folder)) == ["art-1.yaml", "campus.yaml", "rosters"]


def test_of_two_writers_with_one_old_text_exactly_one_wins(folder, monkeypatch) -> None:
    path = folder / "art-1.yaml"
    stored = store.read(path)
    compared = threading.Barrier(2)
    digest = store._digest
    wins: list[int] = []

    def slow(content: bytes) -> bytes:
        # Without a lock both have compared before either replaces the file.
        found = digest(content)
        with contextlib.suppress(threading.BrokenBarrierError):
            compared.wait(timeout=0.5)
        return found

    def write(number: int) -> None:
        try:
            store.write(stored, f"{COURSE}# {number}\n")
        except store.StoreError:
            return
        wins.append(number)

    monkeypatch.setattr(store, "_digest", slow)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
    assert path.read_text() == f"{COURSE}# {wins[0]}\n"


def test_a_full_disk_leaves_the_old_file(folder, monkeypatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    path = folder / "art-1.yaml"
    stored = store.read(path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(store.StoreError, match="no space left on device"):
        store.write(stored, "x")
    assert path.read_text() == COURSE
    assert sorted(os.listdir(folder)) == ["art-1.yaml", "campus.yaml", "rosters"]


def test_nothing_is_changed_while_the_campus_cannot_be_checked(run, folder):
    for broken in ("", "languages: nothing\n"):
        (folder / "campus.yaml").write_text(broken)
        code, out, err = run("art-1", "profiles.small.image", "nope")
        assert (code, out) == (2, "")
        assert "campus.yaml has errors; mend it first" in err
        assert (folder / "art-1.yaml").read_text() == COURSE
    # The campus itself can be mended.
    (folder / "campus.yaml").write_text(CAMPUS.replace("[en, zh]", "[en, fr]"))
    assert run("campus", "languages", "[en, zh]")[0] == 0


@pytest.mark.parametrize(("closed", "code"), [("other.yaml", 0), ("campus.yaml", 2)])
def test_a_file_that_is_closed_is_said_or_left_out(run, folder, monkeypatch, closed, code):
    (folder / "other.yaml").write_text("course: other-1\n")
    copy = shutil.copyfile

    def refuse(source, target):
        if Path(source).name == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(source))
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", refuse)
    found, _, err = run("art-1", "title", "Painting")
    assert (found, "cannot be read: Permission denied" in err) == (code, code == 2)
    assert ("Painting" in (folder / "art-1.yaml").read_text()) == (code == 0)
