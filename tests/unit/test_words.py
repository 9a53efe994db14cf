"""Every sentence that a person can read exists in both languages."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from lectern_spawner.words import LOCALE, negotiate, words

ROOT = Path(__file__).resolve().parents[2]
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"say": None, "N_": None, "count": (1, 2)}
SLOT = re.compile(r"%\(\w+\)s")


def sentences() -> set[str]:
    """Return the messages in the code, a tuple's parts separately."""
    found = set()
    for package in ("hub/lectern_hub", "spawner/lectern_spawner"):
        for _, _, message, _, _ in extract_from_dir(
            str(ROOT / package), METHODS, keywords=KEYWORDS
        ):
            found.update([message] if isinstance(message, str) else message)
    return found


@pytest.fixture(scope="module")
def chinese():
    with (LOCALE / "zh" / "LC_MESSAGES" / "lectern.po").open("rb") as file:
        return {m.id: m for m in read_po(file) if m.id}


def test_every_sentence_has_a_translation_and_no_translation_is_left_over(chinese):
    assert {m for m in chinese if chinese[m].string} == sentences()
    assert not [m for m in chinese.values() if m.fuzzy]


def test_translations_have_the_same_slots(chinese):
    for message in chinese.values():
        assert sorted(SLOT.findall(message.id)) == sorted(SLOT.findall(message.string)), message.id


def test_values_are_never_searched_for_slots():
    said = words("zh").say("“%(course)s” begins on %(date)s.", course="%(date)s {0} %s", date="1")
    assert "%(date)s {0} %s" in said


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.2", "en"),
        ("fr,de;q=0.5", "en"),
        ("zh;q=0,en;q=0.1", "en"),
        ("", "en"),
        (";;;,,q=zh\x00", "en"),
        ("zh" * 5000, "en"),
    ],
)
def test_the_reader_is_answered_in_the_best_offered_language(header, language):
    assert negotiate(header, ("en", "zh")) == language


def test_sizes_and_cores_are_said_as_people_write_them():
    english = words("en")
    assert english.size(1536 * 2**20) == "1.5 GiB"
    assert english.size(512 * 2**20) == "512 MiB"
    assert english.cores(Fraction(1, 2)) == "0.5 CPU"
