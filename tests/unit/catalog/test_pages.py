"""The pages about diagnostic codes: what they show is really reported, or really accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support import snippets
from tests.unit.catalog.test_bad_profiles import BEFORE, all_of

from lectern_spawner.catalog import render
from lectern_spawner.catalog.diagnostics import CODES

PAGES = Path(__file__).parents[3] / "docs" / "diagnostics"
SHOWN = list(CODES)
# Reported when a running hub finds the wrong snippet in the right one's place.
RELOADED = {"LEC428"}
# Their pages show in words what no snippet can: a byte that is not UTF-8, a file that is not there.
IN_WORDS = {"LEC004", "LEC006"}


def fences(code: str) -> tuple[str, list[str]]:
    """Return the language and the snippets of a page."""
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(yaml|csv)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return found[0][0], [snippet for _, snippet in found]


def reported(folder: Path, code: str, number: int) -> tuple[set[str], str]:
    """Return the codes that a snippet of a page gives, and the report."""
    language, found = fences(code)
    folder.mkdir()
    snippets.write(folder, found[number], is_roster=language == "csv")
    if code in RELOADED:
        (folder / BEFORE).mkdir()
        snippets.write(folder / BEFORE, found[1])
    diagnostics, _ = all_of(folder, code)
    return {item.code for item in diagnostics}, render.full(diagnostics)


@pytest.mark.parametrize("code", SHOWN)
def test_a_page_has_a_title_an_explanation_a_wrong_and_a_right_snippet(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    head, headings = parts[0], parts[1::2]
    assert headings == ["Wrong", "Right"]
    assert head.startswith(f"# {code}: {CODES[code]}\n\n")
    assert len(head.splitlines()[2:]) >= 1
    _, (wrong, right) = fences(code)
    assert wrong != right


@pytest.mark.parametrize("code", [code for code in SHOWN if code not in IN_WORDS])
def test_the_wrong_snippet_of_a_page_gives_its_code_and_no_other(code: str, tmp_path: Path) -> None:
    codes, report = reported(tmp_path / "wrong", code, 0)
    assert codes == {code}, report


@pytest.mark.parametrize("code", SHOWN)
def test_the_right_snippet_of_a_page_gives_nothing(code: str, tmp_path: Path) -> None:
    codes, report = reported(tmp_path / "right", code, 1)
    assert codes == set(), report


def test_the_index_lists_every_page_with_its_title() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert {page.stem for page in PAGES.glob("LEC*.md")} == set(SHOWN)
    assert all(f"| [{code}]({code}.md) | {CODES[code]} |" in index for code in SHOWN)
