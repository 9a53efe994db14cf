"""From a timetable to dates: whatever the term and the calendar, the days are right."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lectern_spawner.catalog import timetable
from lectern_spawner.catalog.sections.course import Term
from lectern_spawner.catalog.sections.fields import WEEKDAYS
from lectern_spawner.catalog.sections.times import Calendar, WeeklyLesson

# So few that holidays, moved days and lessons meet each other often.
DAYS = st.dates(date(2026, 9, 1), date(2026, 11, 30))
SPANS = st.tuples(DAYS, st.integers(0, 60)).map(
    lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Return a calendar with some holidays and some days that were moved."""
    holidays = [{"from": first, "to": last} for first, last in draw(st.lists(SPANS, max_size=4))]
    moved = draw(st.dictionaries(DAYS, st.sampled_from(WEEKDAYS), max_size=12))
    make_up = [{"date": day, "as": weekday} for day, weekday in moved.items()]
    data = {"timezone": "Asia/Shanghai", "holidays": holidays, "make_up": make_up}
    return Calendar.model_validate(data)


@st.composite
def lessons(draw: st.DrawFn) -> WeeklyLesson:
    """Return a lesson on some weekday, in all weeks or in some."""
    data = {"day": draw(st.sampled_from(WEEKDAYS)), "from": "08:00", "to": "09:30"}
    weeks = draw(st.none() | st.sets(st.integers(1, 10), min_size=1))
    if weeks is not None:
        data["weeks"] = ",".join(str(week) for week in weeks)
    return WeeklyLesson.model_validate(data)


@given(lessons(), SPANS, calendars(), st.sets(DAYS, max_size=5))
def test_lessons_are_held_in_the_term_on_their_day_or_where_it_was_moved_to(
    lesson: WeeklyLesson, span: tuple[date, date], calendar: Calendar, cancelled: set[date]
) -> None:
    term = Term(starts=span[0], ends=span[1])
    held = list(timetable.dates(lesson, term, calendar, tuple(cancelled)))
    assert held == sorted(set(held))
    moved = {day.date: day.as_day for day in calendar.make_up}
    monday = span[0] - timedelta(days=span[0].weekday())
    every = [span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1)]
    # The same in other words, day by day.
    assert held == [
        day
        for day in every
        if (moved[day] if day in moved else WEEKDAYS[day.weekday()]) == lesson.day
        and (day in moved or not timetable.is_holiday(day, calendar))
        and (lesson.weeks is None or (day - monday).days // 7 + 1 in lesson.weeks)
        and day not in cancelled
    ]


def test_a_tuesday_on_which_fridays_lessons_are_held_has_none_of_its_own() -> None:
    moved = {"date": date(2026, 10, 13), "as": "fri"}
    calendar = Calendar.model_validate({"timezone": "UTC", "make_up": [moved]})
    lesson = WeeklyLesson.model_validate({"day": "tue", "from": "08:00", "to": "09:30"})
    term = Term(starts=date(2026, 10, 5), ends=date(2026, 10, 25))
    assert list(timetable.dates(lesson, term, calendar)) == [date(2026, 10, 6), date(2026, 10, 20)]


@given(lessons(), SPANS)
def test_without_a_calendar_a_lesson_is_held_every_week(
    lesson: WeeklyLesson, span: tuple[date, date]
) -> None:
    term = Term(starts=span[0], ends=span[1])
    held = list(timetable.dates(lesson, term, None))
    assert {WEEKDAYS[day.weekday()] for day in held} <= {lesson.day}
    if lesson.weeks is None:
        assert all(after - before == timetable.WEEK for before, after in pairwise(held))
        assert len(held) >= (span[1] - span[0]).days // 7


@given(lessons(), DAYS)
def test_a_term_that_is_open_at_an_end_has_no_dates(lesson: WeeklyLesson, day: date) -> None:
    assert not list(timetable.dates(lesson, Term(starts=day), None))
    assert not list(timetable.dates(lesson, Term(ends=day), None))


@given(SPANS)
def test_the_last_day_lies_in_the_last_week(span: tuple[date, date]) -> None:
    term = Term(starts=span[0], ends=span[1])
    monday, last = timetable.first_monday(term), timetable.last_week(term)
    assert monday is not None
    assert last is not None
    assert monday.weekday() == 0
    assert monday <= span[0] < monday + timetable.WEEK
    assert timetable.WEEK * (last - 1) <= span[1] - monday < timetable.WEEK * last
