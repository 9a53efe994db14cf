"""The page of profiles: what it shows, and that text stays text."""

from __future__ import annotations

from datetime import UTC, datetime

from lectern_spawner.access import Person
from lectern_spawner.form.page import render
from lectern_spawner.words import words

from .conftest import IN_TERM


def page(catalog, person, *, language="en", last=None, now=IN_TERM, notes=(), notice=""):
    return render(
        catalog, person, now, words(language), notice=notice, last=last, notes=lambda _: notes
    )


def test_titles_are_text_and_never_markup(catalog, alice):
    html = page(catalog, alice, notes=["<script>"], notice="<i>")
    assert "Machine &lt;b&gt;Learning&lt;/b&gt;" in html
    assert "<script>" not in html
    assert "<i>" not in html


def test_a_name_that_looks_like_a_template_is_shown_as_it_is(catalog):
    assert "“{{7*7}}%s”" in page(catalog, Person(name="{{7*7}}%s"))


def test_the_last_choice_comes_first(catalog, alice):
    html = page(catalog, alice, last="py-100/notebook")
    assert html.index('value="py-100/notebook"') < html.index('value="ml-101/notebook"')
    assert html.count("autofocus") == 1


def test_a_last_choice_that_is_lost_is_not_offered(catalog):
    assert "Last used" not in page(catalog, Person(name="bob"), last="py-100/notebook")


def test_closed_courses_are_explained_and_come_last(catalog, alice):
    html = page(catalog, alice, now=datetime(2027, 3, 1, tzinfo=UTC))
    assert html.index("py-100") < html.index("ml-101")
    assert "ended on 2027-01-15" in html
    assert html.count("disabled") == 2


def test_chinese_titles_are_used_where_there_are_any(catalog, alice):
    html = page(catalog, alice, language="zh")
    assert "机器学习" in html
    assert "Python" in html
    assert "启动" in html
