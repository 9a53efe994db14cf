"""Both ways of parsing say the same of every file, so that nobody needs to know which it was."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from tests.support.yamls import FILES, assert_places, texts

from lectern_spawner.catalog import events, nodes, walk
from lectern_spawner.catalog.diagnostics import Diagnostic
from lectern_spawner.catalog.source import Source

COURSE = """# 注释 🙂
course: art-1
title: {en: "Dra\\u0077ing", zh: '素描'}
description: on
  two lines

x-a: &a {cpu: 1, memory: 1Gi}
profiles:
  p: {<<: *a, title: P}   # why
  q:
    <<: *a
    title: "Q

      R"
    empty:
  r: *a
"""


def everything(source: Source, found: list[Diagnostic]) -> tuple[object, ...]:
    places = (dict(source.keys), dict(source.values), dict(source.uses))
    return (repr(source.data), *places, source.broken, found)


def both(text: str) -> tuple[object, object]:
    """Return what the usual way and ruamel.yaml alone make of a text."""
    walk.document.cache_clear()
    usual = everything(*nodes.parse(text, "x.yaml"))
    with patch.object(events, "quick", lambda _text: None):
        walk.document.cache_clear()
        careful = everything(*nodes.parse(text, "x.yaml"))
    walk.document.cache_clear()
    return usual, careful


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_an_ordinary_course_is_read_quickly_and_all_the_same(end: str) -> None:
    text = COURSE.replace("\n", end)
    assert walk._quickly(text) is not None
    usual, careful = both(text)
    assert usual == careful
    source, found = nodes.parse(text, "x.yaml")
    assert found == []
    assert_places(source)


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix != ".csv"], ids=lambda path: str(path.name)
)
def test_both_parsers_agree_on_every_file(path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    usual, careful = both(text)
    assert usual == careful


def test_blocks_of_text_are_left_to_the_careful_parser() -> None:
    assert walk._quickly("a: >\n  folded\n\n  text\nb: |-\n  kept\n") is None


@settings(max_examples=300, deadline=None, database=None)
@example("title: {en: !Drawing, zh: x}\n")
@example("a: &b:\n  - x\n")
@example("&12:30")
@example('?{"a":1}\n...\n...\n')
@example("a:\t1\n")
@example("a: >+# b")
@example("a: |#b\n  c\n")
@example("|-\n#a")
@example(">\n \n  'a")
@example("a: b\u2028c: d\n")
@example("{a: , b}")
@given(text=texts)
def test_both_parsers_agree_on_made_up_texts(text: str) -> None:
    usual, careful = both(text)
    assert usual == careful


def test_a_file_is_read_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "cyaml", None)
    walk.document.cache_clear()
    source, found = nodes.parse(COURSE, "x.yaml")
    assert found == []
    assert source.data["profiles"]["r"] == {"cpu": 1, "memory": "1Gi"}  # type: ignore[index]


def test_a_folded_text_has_no_marks_of_the_parser() -> None:
    source, _ = nodes.parse(COURSE + "\ttab: 1", "x.yaml")
    assert source.data is None
    source, found = nodes.parse("a: >\n  one\n  two\n# \t\n", "x.yaml")
    assert (source.data, found) == ({"a": "one two\n"}, [])
