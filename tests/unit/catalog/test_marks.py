"""Marks stay on their token behind anchors and merges, beside Chinese and emoji, with CRLF.

In the table ⟦ and ⟧ enclose what is to be marked, ⟪ and ⟫ where an anchor's
content is used.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support import snippets
from tests.unit.catalog.test_bad_profiles import cut

from lectern_spawner.catalog import load
from lectern_spawner.catalog.diagnostics import Place, Span

PROFILE = "title: {en: Notebook 🙂🙂, zh: 笔记本}, cpu: 1"
OLD_IMAGE = (
    "# campus.yaml\nimages:\n"
    "  datascience: {title: 数据 🙂, ref: lectern/datascience:1, status: deprecated}\n"
    "# art-1.yaml\n"
)
ANCHORS = {
    "LEC002": "x-t: &t {starts: 2026-09-07, ⟦starts⟧: 2026-09-08}\nterm: *t\n",
    "LEC007": "x-t: &t {starts: ⟦!date⟧ 2026-09-07}\nterm: *t\n",
    "LEC101": f"x-p: &p {{{PROFILE}, memory: 1Gi, image: datascience, ⟦memori⟧: 2}}\n"
    "profiles:\n  notebook: ⟪*p⟫\n",
    "LEC103": "x-people: &people ⟦alice⟧\nstudents: ⟪*people⟫\n",
    "LEC201": f"x-m: &m ⟦4⟧\nprofiles:\n"
    f"  notebook: {{{PROFILE}, image: datascience, memory: ⟪*m⟫}}\n",
    "LEC210": f"x-i: &i {{warn: 5m, stop: ⟦45⟧}}\nprofiles:\n"
    f"  notebook: {{{PROFILE}, image: datascience, memory: 1Gi, idle: ⟪*i⟫}}\n",
    "LEC301": f"x-p: &p {{{PROFILE}, memory: 1Gi, image: ⟦datasience⟧}}\n"
    "profiles:\n  notebook: ⟪*p⟫\n",
    "LEC302": "x-d: &d\n  - {name: iris, from: ⟦teching:/鸢尾花🙂⟧}\ndata: ⟪*d⟫\n",
    "LEC404": f"x-e: &e {{A: 数据🙂, ⟦LD_PRELOAD⟧: x}}\nprofiles:\n"
    f"  notebook: {{{PROFILE}, image: datascience, memory: 1Gi, env: ⟪*e⟫}}\n",
    "LEC501": "x-t: &t {starts: 2026-09-07, ends: ⟦2026-01-15⟧}\nterm: ⟪*t⟫\n",
    "LEC901": f"{OLD_IMAGE}x-i: &i ⟦datascience⟧\nprofiles:\n"
    f"  notebook: {{{PROFILE}, memory: 1Gi, image: ⟪*i⟫}}\n",
}
MERGES = {
    "LEC012": "x-t: &t {⟦2026⟧: 1}\nterm:\n  <<: *t\n",
    "LEC101": f"x-p: &p {{{PROFILE}, memory: 1Gi, ⟦memori⟧: 2}}\n"
    "profiles:\n  notebook:\n    ⟪<<⟫: *p\n    image: datascience\n",
    "LEC201": f"x-p: &p {{{PROFILE}, memory: ⟦4⟧}}\n"
    "profiles:\n  notebook: {⟪<<⟫: *p, image: datascience}\n",
    "LEC301": f"x-p: &p\n  image: ⟦datasience⟧ # 注释 🙂\n  memory: 1Gi\n"
    f"profiles:\n  notebook: {{⟪<<⟫: *p, {PROFILE}}}\n",
    "LEC401": f"x-a: &a {{memory: ⟦16Gi⟧}}\nx-b: &b {{image: datascience}}\n"
    f"profiles:\n  notebook: {{⟪<<⟫: [*a, *b], {PROFILE}}}\n",
    "LEC501": "x-t: &t {ends: ⟦2026-01-15⟧}\nterm:\n  ⟪<<⟫: *t\n  starts: 2026-09-07\n",
    "LEC901": f"{OLD_IMAGE}x-p: &p {{memory: 1Gi, image: ⟦datascience⟧}}\n"
    f"profiles:\n  notebook: {{⟪<<⟫: *p, {PROFILE}}}\n",
}
WIDE = {
    "LEC002": "title: {zh: 标题 🙂👩‍🏫, ⟦zh⟧: 素描}\n",
    "LEC102": f"# 第一行 🙂\nprofiles: {{⟦notebook⟧: {{{PROFILE}, memory: 1Gi}}}}\n",
    "LEC110": "students: [李雷, 韩梅梅, ⟦李雷⟧]\n",
    "LEC205": "students: [李雷, ⟦韩🙂⟧]\n",
    "LEC304": "title: {zh: 素描 🙂, ⟦法语⟧: Dessin}\n",
    "LEC305": "students: {csv: ⟦rosters/名单 🙂.csv⟧}\n",
    "LEC405": "students: {csv: ⟦../名单 🙂.csv⟧}\n",
    "LEC501": "x-注: {标题: 🙂}\nterm: {starts: 2026-09-07, ends: ⟦2026-01-15⟧} # 🙂\n",
    "LEC901": f"{OLD_IMAGE}profiles:\n  notebook: {{{PROFILE}, memory: 1Gi, image: ⟦datascience⟧}}\n",
}
ROWS = [
    pytest.param(code, text, id=f"{code}-{way}")
    for way, table in (("anchor", ANCHORS), ("merge", MERGES), ("wide", WIDE))
    for code, text in table.items()
]


def enclosed(text: str, brackets: str) -> tuple[str, Span] | None:
    """Return the text between two brackets, and its span once all brackets are gone."""
    found = re.search(f"{brackets[0]}(.*){brackets[1]}", text)
    if found is None:
        return None
    before = re.sub("[⟦⟧⟪⟫]", "", text[: found.start()])
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return found[1], Span(line, column, line, column + len(found[1]))


def campus(folder: Path, text: str, line_end: str) -> str:
    """Write a campus with a snippet, brackets removed, and return the course with brackets."""
    snippets.write(folder, text)
    course = (folder / "art-1.yaml").read_text(encoding="utf-8")
    for path in folder.glob("*.yaml"):
        plain = re.sub("[⟦⟧⟪⟫]", "", path.read_text(encoding="utf-8"))
        path.write_bytes(plain.replace("\n", line_end).encode())
    return course


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("code", "text"), ROWS)
def test_the_mark_is_on_its_token(code: str, text: str, line_end: str, tmp_path: Path) -> None:
    course = campus(tmp_path, text, line_end)
    (item,) = load(tmp_path).diagnostics
    expected = enclosed(course, "⟦⟧")
    assert item.code == code
    assert item.at is not None
    assert expected is not None
    assert (cut(item.at), item.at.span) == expected
    uses = [note.at for note in item.notes if note.message == "used here"]
    assert [(cut(at), at.span) for at in uses if at] == list(filter(None, [enclosed(course, "⟪⟫")]))


def test_a_fault_behind_an_anchor_is_reported_once_with_every_use(tmp_path: Path) -> None:
    text = (
        f"x-p: &p {{{PROFILE}, memory: 4, image: datascience}}\n"
        "profiles: {a: *p, b: *p, c: {<<: *p, cpu: 2}}\n"
    )
    snippets.write(tmp_path, text)
    (item,) = load(tmp_path).diagnostics
    places: list[Place] = [note.at for note in item.notes if note.at]
    assert [cut(place) for place in places] == ["*p", "*p", "<<"]
    assert len({place.span for place in places}) == 3
