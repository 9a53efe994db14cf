"""Terms, timetables, exams and due times: which are refused, and for what."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.support import snippets

from lectern_spawner.catalog import load, timetable

CALENDAR = """# campus.yaml
calendars:
  main:
    timezone: Europe/Berlin
    holidays:
      - {from: 2026-10-01, to: 2026-10-07}
      - {from: 2026-12-21, to: 2027-01-03}
    make_up:
      - {date: 2026-10-03, as: tue}
    periods:
      - {from: "08:00", to: "08:45"}
      - {from: "08:55", to: "09:40"}
"""
TERM = "# art-1.yaml\nterm: {starts: 2026-09-07, ends: 2027-01-15}\n"
OCTOBER = "{from: 2026-10-01, to: 2026-10-31}"
LATE = 'from: "20:00", to: "21:00"'


def codes(folder: Path, snippet: str) -> list[str]:
    """Return the codes of what is wrong with a campus that holds a snippet."""
    snippets.write(folder, snippet)
    return [item.code for item in load(folder).diagnostics]


@pytest.mark.parametrize(
    ("lesson", "expected"),
    [
        ("day: tue, periods: 1", []),
        ("day: tue, periods: 1-2", []),
        ('day: tue, periods: "2"', []),
        ("day: tue, periods: 3", ["LEC313"]),
        ("day: tue, periods: 2-3", ["LEC313"]),
        ("day: tue, periods: 0", ["LEC213"]),
        ("day: tue, periods: 2-1", ["LEC213"]),
        ("day: tue", ["LEC118"]),
        ('day: tue, from: "10:00"', ["LEC118"]),
        ('day: tue, to: "10:00"', ["LEC118"]),
        ('day: tue, periods: 1, from: "10:00"', ["LEC115"]),
        ('day: tue, periods: 1, to: "10:00"', ["LEC115"]),
        ('day: tue, periods: 1, from: "10:00", to: "11:00"', ["LEC115"]),
        ('day: tue, from: "10:00", to: "10:00"', ["LEC501"]),
        ('day: tue, from: "22:00", to: "24:00"', []),
        ('day: tue, from: "22:00", to: "02:00"', ["LEC501"]),
        ("day: tue, periods: 1, weeks: 1-8", []),
        ("day: tue, periods: 1, weeks: 19", []),
        ("day: tue, periods: 1, weeks: 20", ["LEC502"]),
        ('day: tue, periods: 1, weeks: "1-8, 10-16"', []),
        ("day: tue, periods: 1, weeks: 61", ["LEC213"]),
        ("day: tue, periods: 1, weeks: true", ["LEC213"]),
        ('day: tue, periods: 1, weeks: ""', ["LEC213"]),
        ('day: tue, periods: 1, weeks: "1,,2"', ["LEC213"]),
        # Both weeks of the winter holidays.
        ("day: tue, periods: 1, weeks: 16-17", ["LEC510"]),
        # The first day of October is a Thursday and free, as is its whole week ...
        ("day: wed, periods: 1, weeks: 5", ["LEC510"]),
        # ... and Tuesday's lessons are held on its Saturday before.
        ("day: tue, periods: 1, weeks: 4", []),
        ("day: sat, periods: 1, weeks: 4", ["LEC510"]),
        ("day: sat, periods: 1, weeks: 6", []),
        ("day: Tuesday, periods: 1", ["LEC104"]),
        ("day: tue, periods: 1, profile: notebok", ["LEC310"]),
        ("day: tue, periods: 1, seats: 0", ["LEC106"]),
    ],
)
def test_a_weekly_lesson(lesson: str, expected: list[str], tmp_path: Path) -> None:
    text = f"{CALENDAR}{TERM}lessons:\n  weekly:\n    - {{{lesson}}}\n"
    assert codes(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ('day: tue, from: "08:00", to: "09:30"', 'day: tue, from: "09:30", to: "10:00"', []),
        (
            'day: tue, from: "08:00", to: "09:30"',
            'day: tue, from: "09:29", to: "10:00"',
            ["LEC503"],
        ),
        (
            'day: tue, from: "09:29", to: "10:00"',
            'day: tue, from: "08:00", to: "09:30"',
            ["LEC503"],
        ),
        (
            'day: tue, from: "08:00", to: "12:00"',
            'day: tue, from: "09:00", to: "10:00"',
            ["LEC503"],
        ),
        ('day: tue, from: "08:00", to: "12:00"', 'day: wed, from: "09:00", to: "10:00"', []),
        ("day: tue, periods: 1-2", 'day: tue, from: "09:00", to: "10:00"', ["LEC503"]),
        ("day: tue, periods: 1", "day: tue, periods: 2", []),
        ("day: tue, periods: 1-2", "day: tue, periods: 2", ["LEC503"]),
        ("day: tue, periods: 1, weeks: 1-4", "day: tue, periods: 1, weeks: 5-8", []),
        ("day: tue, periods: 1, weeks: 1-5", "day: tue, periods: 1, weeks: 5-8", ["LEC503"]),
        ("day: tue, periods: 1, weeks: 1-5", "day: tue, periods: 1", ["LEC503"]),
        ("day: tue, periods: 1", "day: tue, periods: 9", ["LEC313"]),
    ],
)
def test_two_weekly_lessons(first: str, second: str, expected: list[str], tmp_path: Path) -> None:
    text = f"{CALENDAR}{TERM}lessons:\n  weekly:\n    - {{{first}}}\n    - {{{second}}}\n"
    assert codes(tmp_path, text) == expected


def test_each_lesson_that_overlaps_is_reported_once(tmp_path: Path) -> None:
    same = f"    - {{day: tue, {LATE}}}\n"
    assert codes(tmp_path, f"{CALENDAR}{TERM}lessons:\n  weekly:\n{same * 4}") == ["LEC503"] * 3


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("{starts: 2026-09-07, ends: 2026-09-07}", ["LEC510"]),
        ("{starts: 2026-09-08, ends: 2026-09-08}", []),
        # Nothing else follows from a term that is wrong itself.
        ("{starts: 2026-09-07, ends: 2026-01-15}", ["LEC501"]),
        ("{starts: 1999-09-07, ends: 2027-01-15}", ["LEC106"]),
        ("{starts: 0001-01-01, ends: 9999-12-31}", ["LEC106", "LEC106"]),
        ("{starts: 2026-09-07}", []),
        ("{ends: 2027-01-15}", []),
        ("{}", []),
        ("{starts: 2026-13-01}", ["LEC209"]),
        ('{starts: "2026-09-07"}', ["LEC103"]),
        ("{starts: 2026}", ["LEC103"]),
        ("[2026-09-07, 2027-01-15]", ["LEC103"]),
    ],
)
def test_a_term(term: str, expected: list[str], tmp_path: Path) -> None:
    text = (
        f"{CALENDAR}# art-1.yaml\nterm: {term}\nlessons:\n  weekly:\n"
        f"    - {{day: tue, {LATE}}}\n  cancelled: []\n"
        "exams:\n  - {name: final, starts: 2026-09-08T14:00, ends: 2026-09-08T16:00}\n"
    )
    assert codes(tmp_path, text) == [*expected, *(["LEC502"] if expected == ["LEC510"] else [])]


def test_weeks_need_the_first_day_of_the_term(tmp_path: Path) -> None:
    lesson = "{day: tue, periods: 1, weeks: 1-8}"
    text = f"{CALENDAR}# art-1.yaml\nterm: {{ends: 2027-01-15}}\nlessons: {{weekly: [{lesson}]}}\n"
    assert codes(tmp_path, text) == ["LEC507"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-09-15", []),
        # Tuesday's lessons are held on this Saturday, and on no day of the holidays.
        ("2026-10-03", []),
        ("2026-10-06", ["LEC512"]),
        ("2026-09-16", ["LEC512"]),
        ("2027-01-19", ["LEC512"]),
        ("2026-11-14", []),
        ("2026-11-31", ["LEC209"]),
    ],
)
def test_a_cancelled_day(day: str, expected: list[str], tmp_path: Path) -> None:
    text = (
        f"{CALENDAR}{TERM}lessons:\n  weekly:\n    - {{day: tue, {LATE}}}\n"
        "  once:\n    - {starts: 2026-11-14T09:00, ends: 2026-11-14T12:00}\n"
        f"  cancelled: [{day}]\n"
    )
    assert codes(tmp_path, text) == expected


def test_an_unknown_calendar_is_the_only_thing_said(tmp_path: Path) -> None:
    text = (
        f"{CALENDAR}{TERM}lessons:\n  calendar: mian\n  weekly:\n    - {{day: tue, periods: 1}}\n"
        "  cancelled: [2026-10-03]\n"
    )
    assert codes(tmp_path, text) == ["LEC308"]


@pytest.mark.parametrize(
    ("campus", "course", "expected"),
    [
        ("", "", []),
        ("", "grading: {late: [{until: +24h, penalty: 10%}]}\n", []),
        ("", "grading: {assignments: {ps1: {due: 2026-11-20T23:59}}}\n", ["LEC308"]),
        ("", "exams: [{name: a, starts: 2026-11-20T10:00, ends: 2026-11-20T11:00}]\n", ["LEC308"]),
        ("", f"lessons: {{weekly: [{{day: tue, {LATE}}}]}}\n", ["LEC308"]),
        ("", "lessons: {weekly: []}\n", []),
        ("one: {timezone: UTC}", f"lessons: {{weekly: [{{day: tue, {LATE}}}]}}\n", []),
        (
            "one: {timezone: UTC}, two: {timezone: UTC}",
            f"lessons: {{weekly: [{{day: tue, {LATE}}}]}}\n",
            ["LEC308"],
        ),
        (
            "one: {timezone: UTC}, two: {timezone: UTC}",
            f"lessons: {{calendar: two, weekly: [{{day: tue, {LATE}}}]}}\n",
            [],
        ),
        ("one: {timezone: Mars/Olympus}", "", ["LEC306"]),
        ("one: {timezone: UTC+8}", "", ["LEC306"]),
        ("one: {timezone: ../../etc/passwd}", "", ["LEC306"]),
        ("one: {}", "", ["LEC102"]),
    ],
)
def test_times_need_one_calendar(
    campus: str, course: str, expected: list[str], tmp_path: Path
) -> None:
    text = f"# campus.yaml\ncalendars: {{{campus}}}\n# art-1.yaml\n{course}"
    assert codes(tmp_path, text) == expected


# Clocks go forward and back on these days: last Sunday in Europe, second and first in America.
@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("Europe/Berlin", "2027-03-28T01:59", []),
        ("Europe/Berlin", "2027-03-28T02:00", ["LEC505"]),
        ("Europe/Berlin", "2027-03-28T02:59", ["LEC505"]),
        ("Europe/Berlin", "2027-03-28T03:00", []),
        ("Europe/Berlin", "2026-10-25T01:59", []),
        ("Europe/Berlin", "2026-10-25T02:00", ["LEC506"]),
        ("Europe/Berlin", "2026-10-25T02:59", ["LEC506"]),
        ("Europe/Berlin", "2026-10-25T03:00", []),
        ("America/New_York", "2027-03-14T01:59", []),
        ("America/New_York", "2027-03-14T02:00", ["LEC505"]),
        ("America/New_York", "2027-03-14T02:59", ["LEC505"]),
        ("America/New_York", "2027-03-14T03:00", []),
        ("America/New_York", "2026-11-01T00:59", []),
        ("America/New_York", "2026-11-01T01:00", ["LEC506"]),
        ("America/New_York", "2026-11-01T01:59", ["LEC506"]),
        ("America/New_York", "2026-11-01T02:00", []),
        ("America/New_York", "2027-03-28T02:30", []),
        ("Asia/Shanghai", "2027-03-28T02:30", []),
        ("UTC", "2026-10-25T02:30", []),
        # Half an hour, and a whole day that was left out.
        ("Australia/Lord_Howe", "2026-10-04T02:15", ["LEC505"]),
        ("Australia/Lord_Howe", "2026-10-04T02:30", []),
        ("Pacific/Apia", "2011-12-30T12:00", ["LEC505"]),
        ("Europe/Berlin", "2026-02-30T12:00", ["LEC209"]),
        ("Europe/Berlin", "2026-11-20T24:00", ["LEC209"]),
        ("Europe/Berlin", "0001-01-01T00:00", ["LEC106"]),
        ("Europe/Berlin", "9999-12-31T23:59", ["LEC106"]),
        ("Europe/Berlin", "2026-11-20", ["LEC212"]),
        ("Europe/Berlin", "2026-11-20T12:00:00", ["LEC212"]),
        ("Europe/Berlin", "2026-11-20T12:00Z", ["LEC212"]),
        ("Europe/Berlin", "2026-11-20 12:00", []),
        ("Europe/Berlin", "tomorrow", ["LEC212"]),
    ],
)
def test_a_due_time_on_the_clock(
    zone: str, moment: str, expected: list[str], tmp_path: Path
) -> None:
    text = f"# campus.yaml\ncalendars: {{main: {{timezone: {zone}}}}}\n# art-1.yaml\n"
    assert (
        codes(tmp_path, f"{text}grading: {{assignments: {{ps1: {{due: {moment}}}}}}}\n") == expected
    )


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-11-10T09:00", "2026-11-10T11:00", []),
        ("2026-11-10T11:00", "2026-11-10T09:00", ["LEC501"]),
        ("2026-11-10T11:00", "2026-11-10T11:00", ["LEC501"]),
        ("2026-09-07T00:00", "2027-01-15T23:59", []),
        ("2026-09-06T23:59", "2026-09-07T01:00", ["LEC502"]),
        ("2027-01-15T23:00", "2027-01-16T01:00", ["LEC502"]),
        # One exam in the wrong year is one mistake.
        ("2027-11-10T09:00", "2027-11-10T11:00", ["LEC502"]),
        ("2026-10-25T02:30", "2026-10-25T04:00", ["LEC506"]),
    ],
)
@pytest.mark.parametrize("section", ["exams: [{{name: a, {}}}]", "lessons: {{once: [{{{}}}]}}"])
def test_an_exam_or_a_lesson_that_is_held_once(
    section: str, starts: str, ends: str, expected: list[str], tmp_path: Path
) -> None:
    entry = section.format(f"starts: {starts}, ends: {ends}")
    assert codes(tmp_path, f"{CALENDAR}{TERM}{entry}\n") == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (["09-11", "11-13", "13-15"], []),
        (["09-11", "10-12"], ["LEC504"]),
        (["10-12", "09-11"], ["LEC504"]),
        # The long one covers both, though they do not touch each other.
        (["09-17", "10-11", "12-13"], ["LEC504", "LEC504"]),
    ],
)
def test_exams_at_the_same_time(hours: list[str], expected: list[str], tmp_path: Path) -> None:
    exams = "".join(
        f"  - {{name: e{n}, starts: 2026-11-10T{h[:2]}:00, ends: 2026-11-10T{h[3:]}:00}}\n"
        for n, h in enumerate(hours)
    )
    assert codes(tmp_path, f"{CALENDAR}{TERM}exams:\n{exams}") == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("holidays: [{from: 2026-10-07, to: 2026-10-01}]", ["LEC501"]),
        ("holidays: [{from: 2026-10-01}, {from: 2026-10-01}]", ["LEC511"]),
        ("holidays: [{from: 2026-10-01, to: 2026-10-07}, {from: 2026-10-08}]", []),
        ("holidays: [{from: 2026-10-08}, {from: 2026-10-01, to: 2026-10-08}]", ["LEC511"]),
        (f"holidays: [{OCTOBER}, {{from: 2026-10-05}}, {{from: 2026-10-09}}]", ["LEC511"] * 2),
        ("make_up: [{date: 2026-10-10, as: fri}, {date: 2026-10-10, as: mon}]", ["LEC110"]),
        ("make_up: [{date: 2026-10-10, as: friday}]", ["LEC104"]),
        ("make_up: [{date: 2026-10-10}]", ["LEC102"]),
        ('periods: [{from: "08:45", to: "08:00"}]', ["LEC501"]),
        ('periods: [{from: "08:00", to: "09:00"}, {from: "09:00", to: "10:00"}]', []),
        ('periods: [{from: "08:00", to: "09:00"}, {from: "08:59", to: "10:00"}]', ["LEC514"]),
        ('periods: [{from: "8:00", to: "09:00"}]', ["LEC211"]),
        ('periods: [{from: "08:00", to: "24:01"}]', ["LEC211"]),
        ("holidays: [{from: 2026-10-01, title: {fr: Pause}}]", ["LEC304"]),
    ],
)
def test_a_calendar(part: str, expected: list[str], tmp_path: Path) -> None:
    text = f"# campus.yaml\ncalendars: {{main: {{timezone: UTC, {part}}}}}\n"
    assert codes(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("late: [{until: +24h, penalty: 10%}, {until: +72h, penalty: 30%}]", []),
        ("late: [{until: +24h, penalty: 10%}, {until: +72h, penalty: 10%}]", []),
        ("late: [{until: +1d, penalty: 10%}, {until: +24h, penalty: 20%}]", ["LEC509"]),
        ("late: [{until: +72h, penalty: 10%}, {until: +24h, penalty: 30%}]", ["LEC509"]),
        ("late: [{until: +24h, penalty: 30%}, {until: +72h, penalty: 10%}]", ["LEC509"]),
        ("late: [{until: +72h, penalty: 30%}, {until: +24h, penalty: 10%}]", ["LEC509"] * 2),
        ("late: [{until: 24h, penalty: 10%}]", ["LEC210"]),
        ("late: [{until: +24h, penalty: 101%}]", ["LEC106"]),
        ("late: [{until: +24h, penalty: 0.1}]", ["LEC215"]),
        ("late: [{until: +0h, penalty: 10%}]", ["LEC106"]),
        ("extensions: [{people: [chen, Chen], until: +48h}]", ["LEC110"]),
        ("extensions: [{people: [], until: +48h}]", ["LEC105"]),
        ("grace: 10", ["LEC210"]),
        ("files: [../secret.py]", ["LEC405"]),
        ("files: [/etc/passwd]", ["LEC405"]),
        ("files: ['data/*.csv']", []),
        ("attempts: 0", ["LEC106"]),
        ("max_size: 20MB", ["LEC201"]),
    ],
)
@pytest.mark.parametrize("place", ["grading: {{{}}}", "grading: {{assignments: {{ps1: {{{}}}}}}}"])
def test_a_policy_of_handing_in(
    place: str, policy: str, expected: list[str], tmp_path: Path
) -> None:
    assert codes(tmp_path, place.format(policy) + "\n") == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("due: 2026-11-20T23:59, closes: 2026-11-20T23:59", []),
        ("due: 2026-11-20T23:59, closes: 2026-11-20T23:58", ["LEC508"]),
        ("closes: 2026-11-20T23:58", ["LEC118"]),
        # Work may be handed in after the term, and not before.
        ("due: 2027-02-20T23:59", []),
        ("due: 2026-09-01T23:59", ["LEC502"]),
    ],
)
def test_an_assignment(times: str, expected: list[str], tmp_path: Path) -> None:
    text = f"{CALENDAR}{TERM}grading: {{assignments: {{ps1: {{{times}}}}}}}\n"
    assert codes(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("lessons", []),
        ("sometimes", ["LEC104"]),
        ('[{from: "08:00", to: "22:00"}]', []),
        ('[{from: "18:00", to: "24:00"}, {days: [sat, sun], from: "00:00", to: "24:00"}]', []),
        ('[{from: "22:00", to: "06:00"}]', ["LEC501"]),
        ('[{from: "08:00", to: "08:00"}]', ["LEC501"]),
        ('[{days: [], from: "08:00", to: "09:00"}]', ["LEC105"]),
        ("[]", ["LEC105"]),
        ("[lessons]", ["LEC103"]),
    ],
)
def test_when_a_profile_may_be_started(when: str, expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, f"when: {when}\n") == expected


def test_exactly_one_hour_is_missing_in_spring_and_comes_twice_in_autumn() -> None:
    moments = [datetime(2027, 3, 28, hour, minute) for hour in range(24) for minute in range(60)]
    missing = [m for m in moments if not timetable.exists(m, "Europe/Berlin")]
    assert missing == [m for m in moments if m.hour == 2]
    moments = [m.replace(year=2026, month=10, day=25) for m in moments]
    twice = [m for m in moments if timetable.is_ambiguous(m, "Europe/Berlin")]
    assert twice == [m for m in moments if m.hour == 2]
