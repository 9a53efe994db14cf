"""For any document and any place: one change is one change, and the rest stays byte for byte."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lectern_spawner.catalog import nodes
from lectern_spawner.edit.change import RefusedChangeError, Wish, plan
from lectern_spawner.edit.data import UNSET, changed, same
from lectern_spawner.paths import Where

from .documents import documents

VALUES = st.one_of(
    st.text(max_size=12).filter(lambda text: text.isprintable()),
    st.sampled_from(["12:30", "yes", "010", "a: b", "x # y", "- a", "", "{", "中 文", "*a", "😀"]),
    st.integers(-5, 5000),
    st.booleans(),
    st.none(),
    st.sampled_from([0.5, 1e20]),
    st.lists(st.sampled_from(["a", 1, "x, y"]), max_size=2),
    st.dictionaries(
        st.sampled_from(["share", "键", "a b"]), st.sampled_from(["1/2", 2]), max_size=2
    ),
)


def read(text: str) -> object:
    source, found = nodes.parse(text, "x.yaml")
    assert not found, (text, found)
    return source.data


def places(data: object, where: Where = ()) -> list[Where]:
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    found = [where] if where else []
    for part, value in inner:
        here = (*where, part)
        found += places(value, here) if isinstance(value, dict | list) else [here]
    return found


def untouched(old: str, new: str) -> tuple[str, str]:
    """Return what the texts have in common at their beginning and at their end."""
    head = os.path.commonprefix([old, new])
    tail = os.path.commonprefix([old[len(head) :][::-1], new[len(head) :][::-1]])
    return head, tail


@settings(max_examples=150, deadline=None)
@given(documents(), VALUES, st.data())
def test_a_value_is_replaced_and_nothing_else(text, value, data) -> None:
    before = read(text)
    where = data.draw(st.sampled_from(places(before)))
    made = plan(text, Wish(where=where, value=value))
    assert same(read(made.new_text), changed(before, where, value))
    old, new = (lines.splitlines(keepends=True) for lines in (text, made.new_text))
    assert old[: made.line - 1] == new[: made.line - 1]
    if not isinstance(made.old, dict | list | str) and old != new:
        # A number, a date or nothing stands on one line, so that only this line differs.
        assert old[made.line :] == new[made.line :]


@settings(max_examples=150, deadline=None)
@given(documents(), VALUES, st.data())
def test_a_new_key_is_added_and_every_old_character_stays(text, value, data) -> None:
    before = read(text)
    sections = [w for w in [(), *places(before)] if isinstance(look(before, w), dict)]
    where = (*data.draw(st.sampled_from(sections)), "new")
    made = plan(text, Wish(where=where, value=value))
    assert same(read(made.new_text), changed(before, where, value))
    head, tail = untouched(text, made.new_text)
    assert len(head) + len(tail) >= len(text)


@settings(max_examples=150, deadline=None)
@given(documents(), st.data())
def test_what_is_unset_is_gone_unless_the_file_would_be_empty(text, data) -> None:
    before = read(text)
    where = data.draw(st.sampled_from(places(before)))
    if len(where) == 1 and len(before) == 1:
        with pytest.raises(RefusedChangeError, match="change it by hand"):
            plan(text, Wish(where=where, value=UNSET))
        return
    made = plan(text, Wish(where=where, value=UNSET))
    assert same(read(made.new_text), changed(before, where, UNSET))
    assert made.new_text.endswith(("\n", "\r")) or not text.endswith(("\n", "\r"))


@settings(max_examples=100, deadline=None)
@given(documents(), VALUES, VALUES, st.data())
def test_a_change_and_its_reverse_give_the_same_data(text, value, other, data) -> None:
    before = read(text)
    where = data.draw(st.sampled_from(places(before)))
    assume(not same(look(before, where), value))
    there = plan(text, Wish(where=where, value=value))
    back = plan(there.new_text, Wish(where=where, value=there.old))
    assert same(read(back.new_text), before)


@settings(max_examples=250, deadline=None)
@given(documents(anchors=True), VALUES, st.booleans(), st.booleans(), st.data())
def test_among_anchors_too_one_change_is_one_change_or_refused_with_a_line(
    text, value, here, unset, data
) -> None:
    before = read(text)
    where = data.draw(st.sampled_from(places(before)))
    wish = Wish(where=where, value=UNSET if unset else value, here=here)
    try:
        made = plan(text, wish)
    except RefusedChangeError as refused:
        said = str(refused)
    else:
        said = "on line 1"
        assert same(read(made.new_text), changed(before, where, wish.value))
    assert re.search(r"on line \d+|merged in", said), said


def look(data: object, where: Where) -> object:
    for part in where:
        data = data[part]
    return data


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_the_last_line_ends_as_it_did(ending) -> None:
    text = f"a: 1{ending or chr(10)}b: 2{ending}"
    assert plan(text, Wish(where=("b",), value=3)).new_text == text.replace("2", "3")
    added = plan(text, Wish(where=("c",), value=3)).new_text
    assert added == f"{text}c: 3{ending}" if ending else f"{text}\nc: 3"
    assert plan(added, Wish(where=("c",), value=UNSET)).new_text == text
