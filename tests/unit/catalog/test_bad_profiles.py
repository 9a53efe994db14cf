"""Each code: an example file that produces it, and the words and the place expected."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lectern_spawner.catalog import Diagnostic, Loaded, editing, load, render
from lectern_spawner.catalog.diagnostics import CODES, Place
from lectern_spawner.catalog.shelf import Shelf

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "tests" / "data" / "profiles" / "bad").iterdir())
# Reported with `lectern check --editor chen` only.
FOR_EDITORS = {"LEC414", "LEC415", "LEC416"}
EDITOR = "chen"
# A folder in an example, with the files as a running hub read them before.
BEFORE = "before"
# There is no place to point at: no such file, an empty one, one that is not read, a whole file.
NO_PLACE = {"LEC006", "LEC010", "LEC013", "LEC428"}


def found_in(case: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of an example, with paths as in its folder."""
    monkeypatch.chdir(case)
    return all_of(Path(), case.name[:6])[0]


def all_of(folder: Path, code: str) -> tuple[tuple[Diagnostic, ...], int]:
    """Return what is found in a folder, as an editor where a code needs one; and its files."""
    loaded = reloaded(folder) if (folder / BEFORE).is_dir() else load(folder)
    found = list(loaded.diagnostics)
    if code in FOR_EDITORS:
        catalog = loaded.require()
        for course in catalog.courses.values():
            found += editing.problems(catalog, course, EDITOR)
    return tuple(found), loaded.files


def reloaded(folder: Path) -> Loaded:
    """Return what a running hub finds when the files of `before` become those of the folder."""
    origin = folder.resolve()
    with tempfile.TemporaryDirectory() as copy, contextlib.chdir(copy):
        shutil.copytree(origin / BEFORE, copy, dirs_exist_ok=True)
        shelf = Shelf(Path())
        shelf.load()
        shutil.copytree(origin, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(BEFORE))
        return shelf.refresh()


def cut(place: Place) -> str:
    """Return what a place covers, read from the file anew."""
    text = Path(place.file).read_bytes().decode("utf-8-sig", errors="replace")
    lines = text.split("\n")[place.span.line - 1 : place.span.end_line]
    lines[-1] = lines[-1][: place.span.end_column - 1]
    return "\n".join(lines)[place.span.column - 1 :]


def marked(diagnostics: tuple[Diagnostic, ...]) -> Iterator[str]:
    """Yield a line for each diagnostic: its code and the marked text, notes below it."""
    for item in diagnostics:
        yield f"{item.code} {json.dumps(cut(item.at), ensure_ascii=False) if item.at else '-'}"
        for note in item.notes:
            if note.at is not None:
                yield f"  {note.message}: {json.dumps(cut(note.at), ensure_ascii=False)}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_campus_is_reported_exactly(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    found, files = all_of(Path(), case.name[:6])
    text = render.full(found) + render.summary(found, files)
    assert f"{text}\n" == (case / "out.txt").read_text(encoding="utf-8")
    assert case.name[:6] in {item.code for item in found}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_mark_covers_exactly_its_token(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"{line}\n" for line in marked(found_in(case, monkeypatch)))
    assert lines == (case / "marked.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_message_keeps_to_the_look(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for item in found_in(case, monkeypatch):
        assert "\n" not in item.message
        assert not item.message.endswith(".")
        assert re.match(r"[a-z`0-9]|MIG", item.message)
        assert item.message.count("`") % 2 == 0
        assert item.at is not None or item.code in NO_PLACE
        assert item.label or not item.at or item.code[:4] == "LEC0" or item.code == "LEC209"


def test_every_code_has_an_example() -> None:
    assert {case.name[:6] for case in CASES} == set(CODES)


def test_every_code_in_the_sources_is_registered() -> None:
    sources = (ROOT / "spawner" / "lectern_spawner").rglob("*.py")
    used = {code for path in sources for code in re.findall(r'"(LEC\d{3})"', path.read_text())}
    assert used == set(CODES)
