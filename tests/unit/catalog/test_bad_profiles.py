"""Each code: an example file that produces it, the words expected, and a page about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lectern_spawner.catalog import load, nodes, render
from lectern_spawner.catalog.diagnostics import CODES

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "tests" / "data" / "profiles" / "bad").iterdir())
PAGES = ROOT / "docs" / "diagnostics"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_campus_is_reported_exactly(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    loaded = load(Path())
    text = render.full(loaded.diagnostics) + render.summary(loaded.diagnostics, loaded.files)
    assert f"{text}\n" == (case / "out.txt").read_text(encoding="utf-8")
    assert case.name[:6] in {item.code for item in loaded.diagnostics}


def test_registry_examples_and_pages_hold_together() -> None:
    assert {case.name[:6] for case in CASES} == set(CODES)
    assert {page.stem for page in PAGES.glob("LEC*.md")} == set(CODES)
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert all(f"| [{code}]({code}.md) | {title} |" in index for code, title in CODES.items())


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_a_title_a_wrong_and_a_right_snippet(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: {CODES[code]}\n")
    wrong, right = re.findall(r"```(?:yaml|csv)\n(.*?)```", text, re.DOTALL)
    assert wrong != right
    if "```yaml" in text:
        assert nodes.parse(right, code)[1] == []


def test_every_code_in_the_sources_is_registered() -> None:
    sources = (ROOT / "spawner" / "lectern_spawner").rglob("*.py")
    used = {code for path in sources for code in re.findall(r'"(LEC\d{3})"', path.read_text())}
    assert used == set(CODES)
