"""Which names of people are accepted, and which two spellings are one."""

from __future__ import annotations

import unicodedata

import pytest

from lectern_spawner.catalog import names


@pytest.mark.parametrize(
    "name", ["alice", "bob.b", "o-neil", "a_b", "x+y@example.org", "李雷", "aliçe", "7of9", "नेहा"]
)
def test_an_ordinary_name_is_accepted(name: str) -> None:
    assert names.problem(names.normalise(name)) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("root", "account"),
        ("Daemon", "account"),
        ("systemd-network", "account"),
        ("..", "begin"),
        (".", "begin"),
        ("-rf", "begin"),
        ("a\n", "contains"),
        ("a\0", "contains"),
        ("a b", "contains"),
        ("a/b", "contains"),
        ("{username}", "contains"),
        ("%2e%2e", "contains"),
        ("a\u200f", "contains"),
        ("\u202eecila", "contains"),
        ("a\ud800", "contains"),
        ("a" * 300, "longer"),
        ("𐐨" * 51, "bytes"),
        ("😀", "contains"),
    ],
)
def test_a_dangerous_name_is_refused_with_a_sentence(name: str, reason: str) -> None:
    said = names.problem(names.normalise(name))
    assert said is not None
    assert reason in said
    assert said.endswith(".")
    assert said.isprintable()


def test_the_sentence_does_not_repeat_an_endless_name() -> None:
    said = names.problem("x" * 100_000)
    assert said is not None
    assert len(said) < 120


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        (unicodedata.normalize("NFC", "aliçe"), unicodedata.normalize("NFD", "aliçe")),
        ("ａｌｉｃｅ", "alice"),
        ("ﬁona", "fiona"),
    ],
)
def test_two_spellings_are_one_person(one: str, other: str) -> None:
    assert names.normalise(one) == names.normalise(other)


def test_normalising_twice_changes_nothing_for_any_single_character() -> None:
    for point in range(0x110000):
        once = names.normalise(chr(point))
        assert names.normalise(once) == once or names.problem(once) is not None


def test_a_name_that_is_not_normalised_is_refused() -> None:
    assert names.problem("Alice") is not None
