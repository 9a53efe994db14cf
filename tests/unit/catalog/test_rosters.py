"""Rosters, as spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lectern_spawner.catalog import rosters


def read(tmp_path: Path, content: str | bytes) -> rosters.Roster:
    path = tmp_path / "r.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return rosters.read(path)


@pytest.mark.parametrize(
    "content",
    [
        "name,display_name\nalice,A\n李雷,李\n",
        "\ufeffname;section\r\nAlice;1\r\n李雷;2\r\n",
        'section,Name\n1,alice\n"x, y",李雷\n\n,\n',
        "name\ralice\r李雷",
    ],
)
def test_spreadsheets_of_all_kinds_are_read(tmp_path: Path, content: str) -> None:
    roster = read(tmp_path, content)
    assert roster.diagnostics == []
    assert roster.names == {"alice", "李雷"}


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        ("name\nalice\nroot\n", "LEC205", 3, 1),
        ("section,name\n1,李雷\n2, root \n", "LEC205", 3, 4),
        ("section,name\n1,\n", "LEC205", 2, 3),
        ("name\nalice\nAlice\n", "LEC110", 3, 1),
        ("name,section\nalice,=1+1\n", "LEC406", 2, 7),
        ('name,section\nalice,"=1+1"\n', "LEC406", 2, 7),
        ("name\n@SUM(1)\n", "LEC406", 2, 1),
        ("login\nalice\n", "LEC111", 1, 1),
        ("name\nalice,x\n", "LEC113", 2, 7),
        (b"name\nan\xefs\n", "LEC004", 2, 3),
        ("name,mail\nalice,x\n", "LEC112", 1, 6),
    ],
)
def test_a_problem_is_shown_at_its_cell(
    tmp_path: Path, content: str | bytes, code: str, line: int, column: int
) -> None:
    found = read(tmp_path, content).diagnostics
    item = next(item for item in found if item.code == code)
    assert item.at is not None
    assert (item.at.span.line, item.at.span.column) == (line, column)


def test_a_cell_without_end_is_refused_like_any_other_name(tmp_path: Path) -> None:
    roster = read(tmp_path, 'name\n"' + "x" * 300_000 + "\n")
    assert [item.code for item in roster.diagnostics] == ["LEC205"]


def test_an_empty_roster_is_reported(tmp_path: Path) -> None:
    assert [item.code for item in read(tmp_path, "\n \n").diagnostics] == ["LEC010"]
