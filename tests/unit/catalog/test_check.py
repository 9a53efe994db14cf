"""`lectern check`: what it prints in each format, and how it ends."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from lectern_spawner.catalog import Diagnostic, load, nodes, render
from lectern_spawner.commands import check

BAD = Path(__file__).parents[2] / "data" / "profiles" / "bad"
GOOD = Path(__file__).parents[3] / "profiles"


def run(*arguments: str) -> int:
    parser = ArgumentParser()
    check.configure(parser)
    return check.run(parser.parse_args(arguments))


def test_a_clean_campus_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(GOOD)) == 0
    assert capsys.readouterr().out == "6 files, no problems\n"


def test_errors_end_with_1_and_no_colour_when_it_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(str(BAD / "LEC301-unknown-image")) == 1
    out = capsys.readouterr().out
    assert "error[LEC301]" in out
    assert "\x1b" not in out


def test_a_missing_folder_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("/nowhere/at/all") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no folder" in captured.err


def test_a_warning_is_an_error_only_when_strict() -> None:
    folder = str(BAD / "LEC114-two-roles")
    assert run(folder) == 0
    assert run(folder, "--strict") == 1


def test_concise_has_one_line_per_problem(capsys: pytest.CaptureFixture[str]) -> None:
    run(str(BAD / "LEC201-no-unit"), "--format", "concise")
    first, last = capsys.readouterr().out.splitlines()
    assert first.endswith(
        "art-1.yaml:9:13: error[LEC201] `profiles.notebook.memory` needs a unit; write `4Gi`"
    )
    assert last == "1 error in 1 of 2 files"


def test_json_has_one_object_per_line_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    run(str(BAD / "LEC401-too-large"), "--format", "json")
    (item,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert item["code"] == "LEC401"
    assert item["span"] == {"line": 9, "col": 13, "end_line": 9, "end_col": 17}
    assert item["notes"][0]["file"].endswith("campus.yaml")
    assert item["path"] == "profiles.notebook.memory"


def test_github_escapes_what_its_commands_would_read() -> None:
    item = Diagnostic(code="LEC101", message="100%\nof a", file="a:b,c.yaml")
    assert render.github([item]) == "::error file=a%3Ab%2Cc.yaml,title=LEC101::100%25\\nof a\n"


def test_colour_is_only_added_when_asked() -> None:
    found = load(BAD / "LEC301-unknown-image").diagnostics
    coloured = render.full(found, colour=True)
    assert coloured != render.full(found)
    assert "\x1b[1;31m" in coloured


def test_marks_stand_under_wide_characters() -> None:
    (item,) = nodes.parse("标题: {嗯: 1, 嗯: 2}\n", "x.yaml")[1]
    lines = render.full([item]).splitlines()
    # The columns of a terminal: two for each Chinese character.
    assert lines[3] == "1 | 标题: {嗯: 1, 嗯: 2}"
    assert lines[4] == "  |        -- first set here"
    assert lines[5] == "  |               ^^ second value"


def test_a_file_cannot_steer_the_terminal() -> None:
    _source, found = nodes.parse('a: "x" \x1b[31m\n', "x\x1b[2J.yaml")
    assert "\x1b" not in render.full(found) + render.concise(found) + render.github(found)


def test_a_very_long_line_is_cut_around_the_mark() -> None:
    _source, found = nodes.parse("a: '" + "x" * 1500 + "'\nb: [" + "1, " * 500 + "!x 1]\n", "x")
    shown = render.full(found)
    assert max(len(line) for line in shown.splitlines()) < 200
    assert "!x" in shown
