"""Hours of profiles: whether one may be started now, and when it may.

Pure functions of a profile's `when`, its course's lessons and the campus's
calendar; `access` makes sentences of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, tzinfo
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from lectern_spawner.catalog import timetable
from lectern_spawner.catalog.model import Campus, Course, Profile, Text
from lectern_spawner.catalog.sections.course import Term
from lectern_spawner.catalog.sections.fields import WEEKDAYS
from lectern_spawner.catalog.sections.times import Calendar, Window

ALWAYS, LESSONS, OUTSIDE_LESSONS = "always", "lessons", "outside-lessons"


def is_open(profile: Profile, course: Course, campus: Campus, now: datetime) -> bool:
    """Whether a profile may be started at a moment, as far as its `when` goes.

    Args:
        profile: of the course.
        course: its lessons and term.
        campus: its calendars.
        now: the time, aware.
    """
    if profile.when == ALWAYS:
        return True
    local = now.astimezone(zone(course, campus, now))
    if isinstance(profile.when, str):
        return _in_lesson(course, campus, local) == (profile.when == LESSONS)
    return any(_within(window, local) for window in profile.when)


def zone(course: Course, campus: Campus, now: datetime) -> tzinfo | None:
    """Return the time zone of a course: its calendar's, else the one of `now`."""
    calendar = calendar_of(course, campus)
    return ZoneInfo(calendar.timezone) if calendar else now.tzinfo


def calendar_of(course: Course, campus: Campus) -> Calendar | None:
    """Return the calendar of a course, the campus's only one where none is named."""
    named = course.lessons.calendar if course.lessons else None
    return timetable.choose(named, campus.calendars)


def next_lesson(course: Course, campus: Campus, now: datetime) -> datetime | None:
    """Return the beginning of the next lesson, as wall-clock time of the course's zone."""
    local = now.astimezone(zone(course, campus, now)).replace(tzinfo=None)
    return min((begin for begin, _ in _lessons(course, campus) if begin > local), default=None)


def _in_lesson(course: Course, campus: Campus, local: datetime) -> bool:
    moment = local.replace(tzinfo=None)
    return any(begin <= moment < end for begin, end in _lessons(course, campus))


def _lessons(course: Course, campus: Campus) -> Iterator[tuple[datetime, datetime]]:
    """Yield beginning and end of every lesson of the term."""
    lessons = course.lessons
    if lessons is None:
        return
    calendar = calendar_of(course, campus)
    term = Term.model_construct(starts=course.starts, ends=course.ends)
    for weekly in lessons.weekly:
        if hours := timetable.hours(weekly, calendar):
            for day in timetable.dates(weekly, term, calendar, lessons.cancelled):
                yield datetime.combine(day, hours.begins), datetime.combine(day, hours.ends)
    for single in lessons.once:
        yield single.starts, single.ends


def _within(window: Window, local: datetime) -> bool:
    clock = local.time()
    return WEEKDAYS[local.weekday()] in window.days and window.begins <= clock < window.ends


def times(windows: tuple[Window, ...]) -> Text:
    """Return hours of the week as people write them, in every language."""
    texts = [(language, _times(windows, language)) for language in ("en", "zh")]
    return Text(tuple(texts), "en")


def _times(windows: tuple[Window, ...], language: str) -> str:
    between = {"zh": "；"}.get(language, "; ")
    return between.join(_window(window, language) for window in windows)


def _window(window: Window, language: str) -> str:
    hours = f"{_clock(window.begins)}–{_clock(window.ends)}"
    if len(set(window.days)) == len(WEEKDAYS):
        return hours
    names = get_day_names("abbreviated", locale=language)
    days = [names[WEEKDAYS.index(day)] for day in sorted(window.days, key=WEEKDAYS.index)]
    return f"{'、'.join(days) if language == 'zh' else ', '.join(days)} {hours}"


def _clock(moment: time) -> str:
    return "24:00" if moment == time.max else f"{moment:%H:%M}"
