"""Durations, times of day, dates with a time, weeks: what they look like and what they become.

Used by the models. Times in a campus's files are wall-clock times of a calendar's
time zone; they become aware times only where a date is known too.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from lectern_spawner.catalog import messages
from lectern_spawner.catalog.diagnostics import closest

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST_SECONDS = 400 * 86_400
MOST_WEEKS = 60
FIRST_YEAR, LAST_YEAR = 1990, 2199

DURATION_PATTERN = r"([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,7}s)?"
_DURATION = re.compile(DURATION_PATTERN)
_DURATION_LIKE = re.compile(
    r"\+?\s*([0-9]{1,5})\s*(d|h|m|s|min|mins|minutes?|hours?|hrs?|days?|sec|seconds?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_CLOCK_LIKE = re.compile(r"([0-9]{1,2})[:.h]([0-9]{2})")
_DATE_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})")
_NUMBERS = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")


def duration(value: object) -> timedelta:
    """Return a length of time from text such as ``45m``, ``8h`` or ``1h30m``."""
    if isinstance(value, str) and value and (found := _DURATION.fullmatch(value)):
        parts = [part for part in found.groups() if part]
        seconds = sum(int(part[:-1]) * SECONDS[part[-1]] for part in parts)
        if 0 < seconds <= LONGEST_SECONDS:
            return timedelta(seconds=seconds)
        words = "must be more than 0 and at most 400d"
        raise messages.fault("LEC106", words, got=f"got {value}")
    got = f"got {messages.describe(value)}"
    words = "must be a length of time with the units d, h, m, s"
    raise messages.fault("LEC210", words, got=got, help=_duration_help(value))


def _duration_help(value: object) -> str:
    like = _DURATION_LIKE.fullmatch(str(value)) if isinstance(value, int | str) else None
    if like is None or isinstance(value, bool) or not int(like[1]):
        return "write for example `45m` or `1h30m`"
    # A bare number is meant in minutes, a large one in seconds, as other systems count.
    usual = "m" if int(like[1]) < 600 else "s"
    return f"write `{int(like[1])}{(like[2] or usual)[0].lower()}`"


def offset(value: object) -> timedelta:
    """Return a length of time after a moment, from text such as ``+24h``."""
    if isinstance(value, str) and value.startswith("+"):
        return duration(value[1:])
    got = f"got {messages.describe(value)}"
    help_ = "write for example `+24h`"
    if isinstance(value, str) and _DURATION.fullmatch(value) and value:
        help_ = f"write `+{value}`"
    raise messages.fault("LEC210", "must be a `+` and a length of time", got=got, help=help_)


def clock(value: object) -> time:
    """Return a time of day from text such as ``08:00``; ``24:00`` is the end of the day."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return time.max if value == "24:00" else time.fromisoformat(value)
    got = f"got {messages.describe(value)}"
    like = _CLOCK_LIKE.fullmatch(str(value)) if isinstance(value, str) else None
    help_ = "write for example `08:00`, in quotes"
    if like and int(like[1]) < 24 and int(like[2]) < 60:
        help_ = f'write `"{int(like[1]):02}:{like[2]}"`'
    raise messages.fault("LEC211", "must be a time of day", got=got, help=help_)


def day(value: date) -> date:
    """Check that a date can belong to a course; arithmetic with others may overflow."""
    if FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    words = f"must be a day of the years {FIRST_YEAR} to {LAST_YEAR}"
    raise messages.fault("LEC106", words, got=f"got {value}")


def date_time(value: object) -> datetime:
    """Return a wall-clock time of some day from text such as ``2026-11-10T09:00``."""
    if isinstance(value, str) and (found := _DATE_TIME.fullmatch(value)):
        try:
            moment = datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]
        except ValueError:
            words = "is a moment that no calendar has"
            raise messages.fault("LEC209", words, got=f"got {value}") from None
        day(moment.date())
        return moment
    got = f"got {messages.describe(value)}"
    help_ = "write for example `2026-11-10T09:00`"
    if isinstance(value, date):
        help_ = f"write `{value}T09:00`, with the time that is meant"
    raise messages.fault("LEC212", "must be a date with a time", got=got, help=help_)


def weeks(value: object) -> tuple[int, ...]:
    """Return numbers of weeks from text such as ``1-8, 10-16``, or from one number."""
    return _numbers(value, "weeks")


def periods(value: object) -> tuple[int, ...]:
    """Return numbers of periods from text such as ``1-2``, or from one number."""
    return _numbers(value, "periods")


def _numbers(value: object, what: str) -> tuple[int, ...]:
    parts = str(value).split(",") if isinstance(value, int | str) else []
    found: set[int] = set()
    for part in parts:
        match = _NUMBERS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if isinstance(value, bool) or not 1 <= first <= last <= MOST_WEEKS:
            break
        found |= set(range(first, last + 1))
    else:
        if found:
            return tuple(sorted(found))
    got = f"got {messages.describe(value)}"
    words = f"must be numbers of {what} from 1 to {MOST_WEEKS}"
    raise messages.fault("LEC213", words, got=got, help="write for example `1-8, 10-16`")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(value: str) -> str:
    """Check the name of a time zone."""
    if value in _zones():
        ZoneInfo(value)
        return value
    close = closest(value, _zones())
    help_ = f"did you mean `{close}`?" if close else "write for example `Asia/Shanghai`"
    got = f"got {messages.describe(value)}"
    raise messages.fault(
        "LEC306", "is not a time zone that this machine knows", got=got, help=help_
    )
