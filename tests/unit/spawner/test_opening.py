"""Hours of profiles: what a student may start when, and the sentence when not."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lectern_spawner import access
from lectern_spawner.access import Person, RefusedError
from lectern_spawner.catalog import load
from lectern_spawner.words import words

CAMPUS = """\
languages: [en, zh]
images: {plain: {title: Plain, ref: lectern/plain:1}}
calendars:
  main:
    timezone: Asia/Shanghai
    holidays: [{from: 2026-10-01, to: 2026-10-07}]
    make_up: [{date: 2026-10-10, as: thu}]
    periods: [{from: "08:00", to: "08:45"}, {from: "08:55", to: "09:40"}]
"""
COURSE = """\
course: ml-101
title: Machine Learning
term: {starts: 2026-09-07, ends: 2026-12-20}
instructors: [chen]
students: [alice]
lessons:
  weekly:
    - {day: thu, periods: 1-2}
    - {day: mon, from: "14:00", to: "15:40", weeks: 1-2}
  once: [{starts: 2026-12-19T10:00, ends: 2026-12-19T12:00}]
  cancelled: [2026-09-17]
profiles:
  any: {title: Any, image: plain, cpu: 1, memory: 1Gi}
  lab: {title: {en: Lab, zh: 实验}, image: plain, cpu: 1, memory: 1Gi, when: lessons}
  home: {title: Home, image: plain, cpu: 1, memory: 1Gi, when: outside-lessons}
  night:
    title: Night
    image: plain
    cpu: 1
    memory: 1Gi
    when: [{days: [fri, mon], from: "18:00", to: "24:00"}, {days: [sat], from: "08:00", to: "12:00"}]
"""
ALICE, CHEN = Person(name="alice"), Person(name="chen")


@pytest.fixture
def catalog(tmp_path):
    (tmp_path / "campus.yaml").write_text(CAMPUS, encoding="utf-8")
    (tmp_path / "ml-101.yaml").write_text(COURSE, encoding="utf-8")
    loaded = load(tmp_path)
    assert loaded.diagnostics == ()
    return loaded.require()


def shanghai(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def refusal(catalog, profile, moment, person=ALICE):
    try:
        access.decide(catalog, person, {"profile": f"ml-101/{profile}"}, moment)
    except RefusedError as refused:
        return refused
    return None


@pytest.mark.parametrize(
    ("moment", "in_lesson"),
    [
        ("2026-09-10T08:00", True),
        ("2026-09-10T07:59", False),
        ("2026-09-10T09:39", True),  # the break between two periods belongs to the lesson
        ("2026-09-10T09:40", False),
        ("2026-09-17T08:30", False),  # cancelled
        ("2026-10-01T08:30", False),  # a holiday
        ("2026-10-10T08:30", True),  # a Saturday on which Thursday is made up for
        ("2026-09-14T14:30", True),
        ("2026-09-21T14:30", False),  # week 3
        ("2026-12-19T11:00", True),
        ("2026-12-17T08:30", True),
        ("2026-09-11T08:30", False),
    ],
)
def test_a_profile_for_lessons_starts_in_lessons_only(catalog, moment, in_lesson):
    assert (refusal(catalog, "lab", shanghai(moment)) is None) == in_lesson
    assert (refusal(catalog, "home", shanghai(moment)) is None) == (not in_lesson)
    assert refusal(catalog, "any", shanghai(moment)) is None


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-09-11T18:00", True),
        ("2026-09-11T23:59", True),
        ("2026-09-12T00:00", False),
        ("2026-09-12T11:59", True),
        ("2026-09-12T12:00", False),
        ("2026-09-10T19:00", False),
    ],
)
def test_hours_of_the_week_are_kept(catalog, moment, is_open):
    assert (refusal(catalog, "night", shanghai(moment)) is None) == is_open


def test_hours_are_those_of_the_calendar_wherever_the_hub_stands(catalog):
    lesson = shanghai("2026-09-10T08:30").astimezone(ZoneInfo("America/New_York"))
    assert refusal(catalog, "lab", lesson) is None


def test_staff_start_at_any_time(catalog):
    moment = shanghai("2026-09-11T03:00")
    assert refusal(catalog, "lab", moment, CHEN) is None
    assert refusal(catalog, "night", moment, CHEN) is None


@pytest.mark.parametrize(
    ("profile", "moment", "english", "chinese"),
    [
        (
            "lab",
            "2026-09-11T03:00",
            "“Lab” can only be started during lessons; the next one begins on 2026-09-14 14:00.",
            "“实验”只能在上课时启动，下次课开始于 2026-09-14 14:00。",
        ),
        (
            "lab",
            "2026-12-20T03:00",
            "“Lab” can only be started during lessons, and no more are planned.",
            "“实验”只能在上课时启动，目前没有后续课程安排。",
        ),
        (
            "home",
            "2026-09-10T08:30",
            "“Home” cannot be started during the lessons of the course.",
            "课程上课期间不能启动“Home”。",
        ),
        (
            "night",
            "2026-09-10T08:30",
            "“Night” can be started at these times: Mon, Fri 18:00–24:00; Sat 08:00–12:00.",
            "“Night”可在以下时间启动：周一、周五 18:00–24:00；周六 08:00–12:00。",
        ),
    ],
)
def test_a_refusal_says_when(catalog, profile, moment, english, chinese):
    refused = refusal(catalog, profile, shanghai(moment))
    assert refused is not None
    assert refused.sentence(words("en")) == english
    assert refused.sentence(words("zh")) == chinese
    assert (refused.status, refused.reason) == (403, "hours")
