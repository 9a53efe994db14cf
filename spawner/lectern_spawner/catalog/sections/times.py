"""Calendars of the campus, and the lessons and exams of a course.

What is sure before any date is known is checked here and in `rules.calendar`;
what a lesson holds and what an exam closes comes with its own services.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog import moments
from lectern_spawner.catalog.reading import Many, Section
from lectern_spawner.catalog.sections.fields import (
    Clock,
    Day,
    Filled,
    Id,
    Moment,
    Percent,
    Periods,
    Person,
    TextLike,
    Weekday,
    Weeks,
    choice,
)

Zone = Annotated[str, AfterValidator(moments.time_zone)]
Seats = Annotated[int, Field(ge=1, le=10_000)]


class Holiday(Section):
    """Days without lessons."""

    first: Day = Field(
        alias="from", description="First day.", examples=["2026-10-01", "2026-12-24"]
    )
    last: Day | None = Field(
        default=None,
        alias="to",
        description="Last day, included; the first day if not set.",
        examples=["2026-10-07", "2027-01-03"],
    )
    title: TextLike | None = Field(
        default=None,
        description="What the days are for.",
        examples=[{"en": "National Day", "zh": "国庆节"}, "Winter break"],
    )


class MakeUp(Section):
    """A day on which another weekday's lessons are held."""

    date: Day = Field(description="The day.", examples=["2026-10-10", "2026-09-27"])
    as_day: Weekday = Field(
        alias="as", description="Weekday whose lessons are held.", examples=["fri", "mon"]
    )


class Period(Section):
    """One period of the timetable."""

    begins: Clock = Field(alias="from", description="When it begins.", examples=["08:00", "09:00"])
    ends: Clock = Field(alias="to", description="When it ends.", examples=["08:45", "09:45"])


class Calendar(Section):
    """A calendar that courses refer to."""

    title: TextLike | None = Field(
        default=None,
        description="What people read for this calendar.",
        examples=[{"en": "Main campus", "zh": "主校区"}, "Evening school"],
    )
    timezone: Zone = Field(
        description="Time zone of all times of its courses.",
        examples=["Asia/Shanghai", "Europe/Berlin"],
    )
    holidays: Many[Holiday] = Field(
        default=(),
        description="Days without lessons.",
        examples=[[{"from": "2026-10-01", "to": "2026-10-07"}], [{"from": "2026-12-25"}]],
    )
    make_up: Many[MakeUp] = Field(
        default=(),
        description="Days on which another weekday's lessons are held.",
        examples=[[{"date": "2026-10-10", "as": "fri"}], [{"date": "2026-09-27", "as": "mon"}]],
    )
    periods: Many[Period] = Field(
        default=(),
        description="The periods of the timetable; lessons name them by number, from 1.",
        examples=[
            [{"from": "08:00", "to": "08:45"}, {"from": "08:55", "to": "09:40"}],
            [{"from": "09:00", "to": "10:30"}],
        ],
    )

    @cached_property
    def free(self) -> tuple[tuple[date, date], ...]:
        """First and last days of the stretches without lessons, in order, none touching another."""
        found: list[tuple[date, date]] = []
        for first, last in sorted((each.first, each.last or each.first) for each in self.holidays):
            if found and first <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], last)
            else:
                found.append((first, last))
        return tuple(found)

    @cached_property
    def moved(self) -> dict[date, str]:
        """The days on which another weekday's lessons are held, and which."""
        return {day.date: day.as_day for day in self.make_up}


class WeeklyLesson(Section):
    """A lesson that is held every week, or in some weeks of the term."""

    day: Weekday = Field(description="Day of the week.", examples=["tue", "thu"])
    begins: Clock | None = Field(
        default=None, alias="from", description="When it begins.", examples=["10:00", "14:00"]
    )
    ends: Clock | None = Field(
        default=None, alias="to", description="When it ends.", examples=["11:40", "15:40"]
    )
    periods: Periods | None = Field(
        default=None,
        description="Periods of the calendar, instead of `from` and `to`.",
        examples=["1-2", "1"],
    )
    weeks: Weeks | None = Field(
        default=None,
        description="Weeks of the term; the first day of the term is in week 1. All if not set.",
        examples=["1-8, 10-16", "1-16"],
    )
    room: TextLike | None = Field(
        default=None, description="Where it is held.", examples=["B 201", "Lab 3"]
    )
    profile: Id | None = Field(
        default=None,
        description="Profile that seats are held for.",
        examples=["notebook", "gpu"],
    )
    seats: Seats | None = Field(
        default=None, description="Seats that are held during the lesson.", examples=[40, 80]
    )
    licenses: dict[Id, Seats] = Field(
        default_factory=dict,
        description="Licenses that are held during the lesson.",
        examples=[{"matlab": 20}, {"matlab": 40}],
    )


class SingleLesson(Section):
    """A lesson that is held once."""

    starts: Moment = Field(
        description="When it begins.", examples=["2026-11-14T09:00", "2026-11-15T14:00"]
    )
    ends: Moment = Field(
        description="When it ends.", examples=["2026-11-14T12:00", "2026-11-15T17:00"]
    )
    room: TextLike | None = Field(
        default=None, description="Where it is held.", examples=["B 201", "Lab 3"]
    )
    profile: Id | None = Field(
        default=None,
        description="Profile that seats are held for.",
        examples=["notebook", "gpu"],
    )
    seats: Seats | None = Field(
        default=None, description="Seats that are held during the lesson.", examples=[40, 80]
    )


class Lessons(Section):
    """The timetable of a course."""

    calendar: Id | None = Field(
        default=None,
        description="Calendar of the campus; its only one if not set.",
        examples=["main", "evening"],
    )
    weekly: Many[WeeklyLesson] = Field(
        default=(),
        description="Lessons that are held every week.",
        examples=[
            [{"day": "tue", "from": "10:00", "to": "11:40"}],
            [{"day": "thu", "from": "14:00", "to": "15:40", "weeks": "1-8"}],
        ],
    )
    once: Many[SingleLesson] = Field(
        default=(),
        description="Lessons that are held once.",
        examples=[
            [{"starts": "2026-11-14T09:00", "ends": "2026-11-14T12:00"}],
            [{"starts": "2026-11-15T14:00", "ends": "2026-11-15T17:00"}],
        ],
    )
    cancelled: Many[Day] = Field(
        default=(),
        description="Days on which lessons of this course are not held.",
        examples=[["2026-11-17"], ["2026-11-24"]],
    )


class Exam(Section):
    """A window of time in which an exam is written."""

    name: Id = Field(description="Id of the exam.", examples=["midterm", "final"])
    title: TextLike | None = Field(
        default=None,
        description="What people read for it.",
        examples=[{"en": "Midterm", "zh": "期中考试"}, "Final exam"],
    )
    starts: Moment = Field(
        description="When it begins.", examples=["2026-11-10T09:00", "2026-12-15T14:00"]
    )
    ends: Moment = Field(
        description="When it ends.", examples=["2026-11-10T11:00", "2026-12-15T16:00"]
    )
    profile: Id | None = Field(
        default=None,
        description="The only profile of the course that starts during the exam; all if not set.",
        examples=["notebook", "gpu"],
    )
    network: Annotated[str, *choice("open", "closed")] = Field(
        default="closed",
        description="Whether servers reach anything beside the hub.",
        examples=["closed", "open"],
    )
    extra_time: dict[Person, Percent] = Field(
        default_factory=dict,
        description="People who get more time, and how much.",
        examples=[{"alice": "25%"}, {"bob": "50%"}],
    )


class Window(Section):
    """Hours of the week."""

    days: Annotated[Many[Weekday], Filled] = Field(
        default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        description="Days of the week; every day if not set.",
        examples=[["mon", "tue", "wed", "thu", "fri"], ["sat", "sun"]],
    )
    begins: Clock = Field(
        alias="from", description="When it may be started.", examples=["08:00", "18:00"]
    )
    ends: Clock = Field(
        alias="to", description="Until when it may be started.", examples=["22:00", "24:00"]
    )
