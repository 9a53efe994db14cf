"""From a timetable to dates: when the lessons of a course are held.

Pure functions of a course's `lessons` and `term` and of the campus's calendar.
The rules check with them; what acts during a lesson will read them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from lectern_spawner.catalog.sections.course import Term
from lectern_spawner.catalog.sections.fields import WEEKDAYS
from lectern_spawner.catalog.sections.times import Calendar, Holiday, WeeklyLesson

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """From when to when on one day, wall-clock time."""

    begins: time
    ends: time


def choose(named: str | None, calendars: Mapping[str, Calendar]) -> Calendar | None:
    """Return the named calendar; where none is named, the only one."""
    if named is not None:
        return calendars.get(named)
    return next(iter(calendars.values())) if len(calendars) == 1 else None


def hours(lesson: WeeklyLesson, calendar: Calendar | None) -> Hours | None:
    """Return the hours of a lesson; None when its periods are not in the calendar."""
    if lesson.begins is not None and lesson.ends is not None:
        return Hours(lesson.begins, lesson.ends)
    periods = calendar.periods if calendar else ()
    if not lesson.periods or lesson.periods[-1] > len(periods):
        return None
    first, last = periods[lesson.periods[0] - 1], periods[lesson.periods[-1] - 1]
    return Hours(first.begins, last.ends)


def first_monday(term: Term) -> date | None:
    """Return the Monday of week 1, the week of the term's first day."""
    return term.starts - DAY * term.starts.weekday() if term.starts else None


def last_week(term: Term) -> int | None:
    """Return the number of the week in which the term ends."""
    monday = first_monday(term)
    return (term.ends - monday) // WEEK + 1 if monday and term.ends else None


def dates(
    lesson: WeeklyLesson, term: Term, calendar: Calendar | None, cancelled: tuple[date, ...] = ()
) -> Iterator[date]:
    """Yield the days on which a weekly lesson is held, in order.

    Args:
        lesson: the lesson.
        term: first and last day; without both there are no dates.
        calendar: holidays, and days on which another weekday's lessons are held.
        cancelled: days on which no lesson of the course is held.
    """
    monday, last = first_monday(term), last_week(term)
    if monday is None or last is None or term.starts is None or term.ends is None:
        return
    weeks = lesson.weeks or range(1, last + 1)
    usual = monday + DAY * WEEKDAYS.index(lesson.day)
    weekly = {usual + WEEK * (number - 1) for number in weeks}
    moved = calendar.moved if calendar else {}
    held = {day for day in weekly - moved.keys() if not is_holiday(day, calendar)}
    held |= {
        day
        for day, weekday in moved.items()
        if weekday == lesson.day and (day - monday) // WEEK + 1 in weeks
    }
    for day in sorted(held - set(cancelled)):
        if term.starts <= day <= term.ends:
            yield day


def is_holiday(day: date, calendar: Calendar | None) -> bool:
    """Whether no lessons are held on a day."""
    free = calendar.free if calendar else ()
    before = bisect_right(free, day, key=itemgetter(0))
    return before > 0 and day <= free[before - 1][1]


def last_day(holiday: Holiday) -> date:
    """Return the last day of a holiday, which is its first when nothing else is said."""
    return holiday.last or holiday.first


def exists(moment: datetime, zone: str) -> bool:
    """Whether a wall-clock time comes up in a time zone; not so where clocks are put forward."""
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment


def is_ambiguous(moment: datetime, zone: str) -> bool:
    """Whether a wall-clock time comes up twice, where clocks are put back."""
    first = moment.replace(tzinfo=ZoneInfo(zone), fold=0).utcoffset()
    second = moment.replace(tzinfo=ZoneInfo(zone), fold=1).utcoffset()
    return exists(moment, zone) and first != second
