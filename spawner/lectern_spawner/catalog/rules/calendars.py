"""What must hold inside a calendar of the campus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lectern_spawner.catalog import timetable
from lectern_spawner.catalog.diagnostics import Diagnostic, Note
from lectern_spawner.catalog.messages import at_value
from lectern_spawner.catalog.rules.common import order
from lectern_spawner.catalog.sections.times import Calendar, Holiday
from lectern_spawner.catalog.source import Source, Where


def calendar_problems(name: str, calendar: Calendar, source: Source) -> Iterator[Diagnostic]:
    """Yield what is wrong with one calendar."""
    where: Where = ("calendars", name)
    for rule in (_holidays, _make_up, _periods):
        yield from rule(where, calendar, source)


def _holidays(where: Where, calendar: Calendar, source: Source) -> Iterator[Diagnostic]:
    for index, holiday in enumerate(calendar.holidays):
        place: Where = (*where, "holidays", index)
        if holiday.last is not None and holiday.last < holiday.first:
            yield order(source, (*place, "from"), (*place, "to"), "holiday")
    known = sorted(enumerate(calendar.holidays), key=lambda item: item[1].first)
    longest: tuple[int, Holiday] | None = None
    for index, holiday in known:
        if longest is not None and holiday.first <= timetable.last_day(longest[1]):
            other = source.value((*where, "holidays", longest[0]))
            yield at_value(
                source,
                (*where, "holidays", index, "from"),
                "LEC511",
                "two holidays have a day in common",
                label="already a holiday",
                severity="warning",
                notes=(Note("the other one", other),) if other else (),
            )
        if longest is None or timetable.last_day(holiday) > timetable.last_day(longest[1]):
            longest = index, holiday


def _make_up(where: Where, calendar: Calendar, source: Source) -> Iterator[Diagnostic]:
    first: dict[object, Where] = {}
    for index, day in enumerate(calendar.make_up):
        place: Where = (*where, "make_up", index, "date")
        if day.date in first:
            other = source.value(first[day.date])
            message = f"day `{day.date}` is listed twice"
            notes = (Note("first listed here", other),) if other else ()
            yield at_value(source, place, "LEC110", message, label="again here", notes=notes)
        first.setdefault(day.date, place)


def _periods(where: Where, calendar: Calendar, source: Source) -> Iterator[Diagnostic]:
    for index, period in enumerate(calendar.periods):
        place: Where = (*where, "periods", index)
        if period.ends <= period.begins:
            yield order(source, (*place, "from"), (*place, "to"), "period")
    for index, (before, after) in enumerate(pairwise(calendar.periods), start=1):
        if after.begins < before.ends:
            other = source.value((*where, "periods", index - 1, "to"))
            yield at_value(
                source,
                (*where, "periods", index, "from"),
                "LEC514",
                f"period {index + 1} begins before period {index} has ended",
                label="too early",
                notes=(Note("ends here", other),) if other else (),
            )
