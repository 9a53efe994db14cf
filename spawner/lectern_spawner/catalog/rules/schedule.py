"""Terms, lessons, exams and due times of a course: order, overlap, days that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from lectern_spawner.catalog import timetable
from lectern_spawner.catalog.diagnostics import Diagnostic, Note
from lectern_spawner.catalog.rules.common import Checked, exactly_one, needs, order
from lectern_spawner.catalog.sections.course import Term
from lectern_spawner.catalog.sections.times import Exam, Lessons, SingleLesson, WeeklyLesson
from lectern_spawner.catalog.source import Where

Weeks = tuple[int, ...] | None

# A longer term has a misspelt year; the lessons in it are counted one by one.
_LONGEST_TERM = timedelta(days=20 * 366)


def term(it: Checked) -> Iterator[Diagnostic]:
    """Yield a term that ends before it starts, or goes on for too long."""
    starts, ends = it.course.term.starts, it.course.term.ends
    if not starts or not ends:
        return
    if ends < starts:
        yield order(it.source, ("term", "starts"), ("term", "ends"), "term")
    elif ends - starts > _LONGEST_TERM:
        message = "the term is longer than twenty years"
        label = "a course that goes on needs no last day"
        yield it.value(("term", "ends"), "LEC106", message, label=label)


def _sound_term(it: Checked) -> Term:
    """Return the term, or one without days if it is wrong: nothing more follows from that."""
    return Term() if any(term(it)) else it.course.term


def windows(it: Checked) -> Iterator[Diagnostic]:
    """Yield hours of the week that end before they start."""
    for profile, entry in it.course.profiles.items():
        for index, window in enumerate(entry.when if not isinstance(entry.when, str) else ()):
            where: Where = ("profiles", profile, "when", index)
            if window.ends <= window.begins:
                yield order(it.source, (*where, "from"), (*where, "to"), "window")


def lesson_hours(it: Checked) -> Iterator[Diagnostic]:
    """Yield lessons whose hours are not there, or not in the calendar."""
    lessons, calendar = it.course.lessons, it.calendar()
    for index, lesson in enumerate(lessons.weekly if lessons else ()):
        where: Where = ("lessons", "weekly", index)
        # Either of the two hours stands for both; what is missing comes after.
        hour = "from" if lesson.begins is not None or lesson.ends is None else "to"
        given = {hour: lesson.begins or lesson.ends, "periods": lesson.periods}
        wrong = list(exactly_one(given, where, it.source, (hour, "periods")))
        yield from wrong
        if not wrong and (lesson.begins is None) != (lesson.ends is None):
            yield needs(where, it.source, "both `from` and `to`")
        if lesson.begins and lesson.ends and lesson.ends <= lesson.begins:
            yield order(it.source, (*where, "from"), (*where, "to"), "lesson")
        if lesson.periods and calendar and lesson.periods[-1] > len(calendar.periods):
            yield it.value(
                (*where, "periods"),
                "LEC313",
                f"the calendar has no period {lesson.periods[-1]}",
                label=f"it has {len(calendar.periods)}",
            )


def lesson_weeks(it: Checked) -> Iterator[Diagnostic]:
    """Yield weeks that cannot be counted or lie outside the term, and lessons never held."""
    lessons, calendar, course = it.course.lessons, it.calendar(), it.course
    days = _sound_term(it)
    last = timetable.last_week(days)
    held: dict[tuple[str, Weeks], bool] = {}
    for index, lesson in enumerate(lessons.weekly if lessons else ()):
        where: Where = ("lessons", "weekly", index)
        if lesson.weeks and course.term.starts is None:
            message = "weeks cannot be counted without the first day of the term"
            label = "needs `term: {starts: …}`"
            yield it.value((*where, "weeks"), "LEC507", message, label=label)
            continue
        if lesson.weeks and last is not None and lesson.weeks[-1] > last:
            message = f"week {lesson.weeks[-1]} is outside the term"
            place = it.source.value(("term", "ends"))
            notes = (Note("the term ends here", place),) if place else ()
            label = f"the term has {last} weeks"
            yield it.value((*where, "weeks"), "LEC502", message, label=label, notes=notes)
            continue
        same = (lesson.day, lesson.weeks)
        if last is not None and same not in held:
            held[same] = any(timetable.dates(lesson, days, calendar))
        if not held.get(same, True):
            message = "this lesson is never held"
            label = "no such day in the term, holidays left out"
            yield it.value((*where, "day"), "LEC510", message, label=label)


def overlaps(it: Checked) -> Iterator[Diagnostic]:
    """Yield lessons at the same time, and exams at the same time."""
    for first, second in _at_the_same_time(it):
        place = it.source.value(("lessons", "weekly", first))
        yield it.value(
            ("lessons", "weekly", second),
            "LEC503",
            "two lessons are held at the same time",
            label="begins before the other has ended",
            notes=(Note("the other one", place),) if place else (),
        )
    exams = sorted(enumerate(it.course.exams), key=lambda item: item[1].starts)
    longest: tuple[int, Exam] | None = None
    for index, exam in exams:
        if longest is not None and exam.starts < longest[1].ends:
            place = it.source.value(("exams", longest[0]))
            yield it.value(
                ("exams", index, "starts"),
                "LEC504",
                "two exams are written at the same time",
                label="begins before the other has ended",
                notes=(Note("the other one", place),) if place else (),
            )
        if longest is None or exam.ends > longest[1].ends:
            longest = index, exam


def _at_the_same_time(it: Checked) -> Iterator[tuple[int, int]]:
    """Yield the positions of two lessons that overlap, one pair for each lesson at most."""
    calendar = it.calendar()
    timed: list[tuple[timetable.Hours, int, WeeklyLesson]] = []
    for index, lesson in enumerate(it.course.lessons.weekly if it.course.lessons else ()):
        hours = timetable.hours(lesson, calendar)
        if hours is not None:
            timed.append((hours, index, lesson))
    timed.sort(key=lambda entry: (entry[0].begins, entry[1]))
    running: dict[str, list[tuple[timetable.Hours, int, WeeklyLesson]]] = {}
    for hours, index, lesson in timed:
        still = [entry for entry in running.get(lesson.day, []) if entry[0].ends > hours.begins]
        other = next((i for _, i, each in still if _share_weeks(each, lesson)), None)
        if other is not None:
            yield min(index, other), max(index, other)
        running[lesson.day] = [*still, (hours, index, lesson)]


def _share_weeks(one: WeeklyLesson, other: WeeklyLesson) -> bool:
    if one.weeks is None or other.weeks is None:
        return True
    return not set(one.weeks).isdisjoint(other.weeks)


def spans(it: Checked) -> Iterator[Diagnostic]:
    """Yield lessons held once, and exams, that end before they start."""
    for where, entry in _once(it):
        if entry.ends <= entry.starts:
            what = "exam" if where[0] == "exams" else "lesson"
            yield order(it.source, (*where, "starts"), (*where, "ends"), what)


def _once(it: Checked) -> Iterator[tuple[Where, SingleLesson | Exam]]:
    """Yield the lessons that are held once, and the exams."""
    for index, lesson in enumerate(it.course.lessons.once if it.course.lessons else ()):
        yield ("lessons", "once", index), lesson
    for index, exam in enumerate(it.course.exams):
        yield ("exams", index), exam


def cancelled(it: Checked) -> Iterator[Diagnostic]:
    """Yield cancelled days on which there is no lesson anyway."""
    lessons, days = it.course.lessons, _sound_term(it)
    # Without the calendar nobody knows the days on which other weekdays' lessons are held.
    if not lessons or not days.starts or not days.ends or it.calendar() is None:
        return
    held = _held(lessons, it)
    for index, day in enumerate(lessons.cancelled):
        if day not in held:
            yield it.value(
                ("lessons", "cancelled", index),
                "LEC512",
                f"there is no lesson on `{day}`",
                label="nothing to cancel",
                severity="warning",
            )


def _held(lessons: Lessons, it: Checked) -> set[date]:
    weekly = {
        day
        for lesson in {(each.day, each.weeks): each for each in lessons.weekly}.values()
        for day in timetable.dates(lesson, it.course.term, it.calendar())
    }
    return weekly | {lesson.starts.date() for lesson in lessons.once}


def moments(it: Checked) -> Iterator[Diagnostic]:
    """Yield times outside the term, and times that clocks skip or show twice."""
    calendar = it.calendar()
    outside: set[Where] = set()
    for where, moment, is_work in _moments(it):
        if where[:-1] not in outside:
            found = list(_in_term(it, where, moment, is_work))
            outside |= {where[:-1]} if found else set()
            yield from found
        if calendar is not None:
            yield from _on_the_clock(it, where, moment, calendar.timezone)


def _on_the_clock(it: Checked, where: Where, moment: datetime, zone: str) -> Iterator[Diagnostic]:
    if not timetable.exists(moment, zone):
        message = f"there is no `{moment:%H:%M}` on `{moment:%Y-%m-%d}` in {zone}"
        yield it.value(where, "LEC505", message, label="clocks are put forward then")
    elif timetable.is_ambiguous(moment, zone):
        yield it.value(
            where,
            "LEC506",
            f"`{moment:%H:%M}` comes twice on `{moment:%Y-%m-%d}` in {zone}",
            label="the first one counts",
            severity="warning",
        )


def _moments(it: Checked) -> Iterator[tuple[Where, datetime, bool]]:
    """Yield every date with a time: where, when, whether it is a time to hand in."""
    for where, entry in _once(it):
        yield (*where, "starts"), entry.starts, False
        yield (*where, "ends"), entry.ends, False
    assignments = it.course.grading.assignments if it.course.grading else {}
    for name, assignment in assignments.items():
        for field in ("due", "closes"):
            if (moment := getattr(assignment, field)) is not None:
                yield ("grading", "assignments", name, field), moment, True


def _in_term(it: Checked, where: Where, moment: datetime, is_work: bool) -> Iterator[Diagnostic]:
    days = _sound_term(it)
    starts, ends = days.starts, days.ends
    early = starts is not None and moment.date() < starts
    # Work may be handed in after the last lesson.
    late = ends is not None and moment.date() > ends and not is_work
    if early or late:
        key = "starts" if early else "ends"
        place = it.source.value(("term", key))
        yield it.value(
            where,
            "LEC502",
            f"`{moment:%Y-%m-%d}` is outside the term",
            label="before the first day" if early else "after the last day",
            notes=(Note(f"the term {key} here", place),) if place else (),
        )


RULES = (
    term, windows, lesson_hours, lesson_weeks, overlaps, spans, cancelled, moments,
)  # fmt: skip
