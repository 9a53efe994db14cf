"""Every YAML example in the guides is right."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import pytest

from lectern_hub.settings import SettingsFile
from lectern_images.model import ListFile
from lectern_spawner.catalog import load, render
from lectern_spawner.catalog.reading import read_text
from tests.support import snippets

ROOT = Path(__file__).parents[2]
# The pages about codes show mistakes on purpose; the guide is followed as a whole.
ELSEWHERE = {ROOT / "docs" / "write-a-course.md"}
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("profiles/*.md")]
    if page not in ELSEWHERE
]
EXAMPLES = [
    pytest.param(found[1], id=f"{page.name}-{number}")
    for page in sorted(PAGES)
    for number, found in enumerate(
        re.finditer(
            r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    )
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_a_guide_is_right(text, tmp_path):
    if text.startswith("# lectern.yaml\n"):
        found = read_text(text, SettingsFile, "lectern.yaml").diagnostics
    elif text.startswith("# images/images.yaml\n"):
        found = read_text(text, ListFile, "images.yaml").diagnostics
    else:
        snippets.write(tmp_path, text.replace("ml-101", "art-1"))
        found = load(tmp_path).diagnostics
    assert render.full(found) == ""


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


def test_the_mistake_in_the_readme_is_reported_like_that(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    file = tmp_path / "profiles" / "ml-101.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("image: datascience", "image: datasience", 1), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    report = render.full(load(Path("profiles")).diagnostics).strip()
    assert textwrap.indent(report, "  ") in (ROOT / "README.md").read_text(encoding="utf-8")
