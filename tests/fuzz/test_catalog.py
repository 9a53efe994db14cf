"""Whatever lies in a campus folder, reading it gives sentences and right places, never a crash."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.yamls import FILES, ROOT, assert_places, damaged, texts

from lectern_spawner.catalog import Shelf, events, load, nodes, render, walk
from lectern_spawner.catalog.diagnostics import Diagnostic
from lectern_spawner.catalog.loader import Loaded

LONGEST = timedelta(seconds=20)
EXAMPLES_AT_ONCE = 200
GOOD = ROOT / "profiles"
NAMES = ["campus.yaml", "ml-101.yaml", "py-100.yaml", "rosters/ml-101.csv"]
contents = st.one_of(damaged((".yaml", ".yml", ".csv")), texts.map(str.encode), st.binary())


def for_a_while(seconds: float, target: Callable[[], None]) -> None:
    """Run a target with fresh examples until the time is over."""
    fuzz = settings(
        max_examples=EXAMPLES_AT_ONCE,
        deadline=LONGEST,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        # Making an example small can take longer than finding it.
        phases=[Phase.generate],
    )(target)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        fuzz()


@contextmanager
def campus() -> Iterator[Path]:
    """Make a folder with a copy of the example campus."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "rosters").mkdir()
        for path in [*GOOD.glob("*.yaml"), *GOOD.glob("rosters/*.csv")]:
            (folder / path.relative_to(GOOD)).write_bytes(path.read_bytes())
        yield folder


def put(folder: Path, name: str, content: bytes | None) -> None:
    path = folder / name
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(content)


def assert_told(loaded: Loaded) -> None:
    """Assert that a report can be printed."""
    assert render.full(loaded.diagnostics) or not loaded.diagnostics


def assert_shown(item: Diagnostic) -> None:
    """Assert that each place of a diagnostic shows what is in its file."""
    for place in [item.at, *(note.at for note in item.notes)]:
        if place is None:
            continue
        text = Path(place.file).read_bytes().decode("utf-8-sig", errors="replace")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if item.code != "LEC004":
            assert lines[place.span.line - 1][:2000] == place.text
        assert place.span.column <= len(lines[place.span.line - 1]) + 1


def test_any_content_of_any_file_is_told_in_sentences(seconds: float) -> None:
    @given(st.dictionaries(st.sampled_from(NAMES), contents, min_size=1))
    def target(files: dict[str, bytes]) -> None:
        with campus() as folder:
            for name, content in files.items():
                put(folder, name, content)
            loaded = load(folder)
            assert_told(loaded)
            for item in loaded.diagnostics:
                assert_shown(item)

    for_a_while(seconds, target)


def test_every_place_shows_its_token_and_both_parsers_agree(seconds: float) -> None:
    @given(st.one_of(texts, st.text(max_size=40)))
    def target(text: str) -> None:
        walk.document.cache_clear()
        source, found = nodes.parse(text, "x.yaml")
        usual = (repr(source.data), dict(source.keys), dict(source.values), dict(source.uses))
        assert_places(source)
        with patch.object(events, "quick", lambda _text: None):
            walk.document.cache_clear()
            careful, problems = nodes.parse(text, "x.yaml")
            rest = (dict(careful.keys), dict(careful.values), dict(careful.uses))
            assert (repr(careful.data), *rest) == usual
            assert problems == found
        walk.document.cache_clear()

    for_a_while(seconds, target)


def test_no_change_takes_a_course_away_whose_file_is_there(seconds: float) -> None:
    good = {name: (GOOD / name).read_bytes() for name in NAMES if (GOOD / name).is_file()}
    whole = {name: st.just(content) for name, content in good.items()}

    @given(st.data())
    def target(data: st.DataObject) -> None:
        with campus() as folder:
            shelf = Shelf(folder)
            offered = {course.file for course in shelf.load().require().courses.values()}
            for _ in range(data.draw(st.integers(1, 4))):
                name = data.draw(st.sampled_from(NAMES))
                put(folder, name, data.draw(st.none() | contents | whole.get(name, contents)))
                loaded = shelf.refresh()
                assert_told(loaded)
                now = {course.file for course in loaded.require().courses.values()}
                stolen = {item.file for item in loaded.diagnostics if item.code == "LEC108"}
                there = {path for path in offered if path.exists() and str(path) not in stolen}
                assert there <= now
                offered = now

    for_a_while(seconds, target)


def test_the_files_that_are_damaged_are_there() -> None:
    assert all((GOOD / name).is_file() for name in NAMES)
    assert len(FILES) > len(NAMES)
