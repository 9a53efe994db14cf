"""`lectern diff OLD NEW`: what changes for whom between two campus folders."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lectern_spawner.catalog import Campus, Catalog, Course, Profile, Role, load, shown
from lectern_spawner.commands import Command
from lectern_spawner.describe import plain

SAME, DIFFERENT, CANNOT_RUN = 0, 1, 2

# How values are written again that the catalog keeps as numbers.
_SIZES = frozenset({"memory", "reserve", "quota", "max_size"})
_NOUNS = {Role.STUDENT: "student", Role.ASSISTANT: "assistant", Role.INSTRUCTOR: "instructor"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and whom it concerns."""

    course: str
    """Empty for the campus."""

    what: str
    """A sentence without a full stop."""

    people: tuple[str, ...] = ()
    """Who gains, loses or sees it, as far as the files know."""


def changes(old: Catalog, new: Catalog) -> Iterator[Change]:
    """Yield what differs between two catalogs, the campus first, then course by course."""
    yield from _campus(old.campus, new.campus)
    for course in sorted(old.courses.keys() | new.courses.keys()):
        before, after = old.courses.get(course), new.courses.get(course)
        if before is None or after is None:
            yield _whole(course, before or after, old if before else new, gone=after is None)
        else:
            yield from _course(before, after, old, new)


def _whole(course: str, there: Course | None, catalog: Catalog, *, gone: bool) -> Change:
    people = _members(there, catalog) if there else ()
    if gone:
        return Change(course, f"{_number(people)} {_verb('lose', people)} course {course}", people)
    return Change(course, f"course {course} is new for {_number(people)}", people)


def _course(before: Course, after: Course, old: Catalog, new: Catalog) -> Iterator[Change]:
    yield from _roles(before, after, old, new)
    for profile in [*before.profiles, *(p for p in after.profiles if p not in before.profiles)]:
        yield from _profile(profile, before, after, old, new)
    everybody = _members(after, new)
    for path, left, right in _leaves(plain(before), plain(after)):
        what = f"{after.id}: {path} {_turned(path, left, right)}"
        yield Change(after.id, what, everybody)


def _roles(before: Course, after: Course, old: Catalog, new: Catalog) -> Iterator[Change]:
    was, now = _by_person(before, old), _by_person(after, new)
    moves: dict[tuple[Role | None, Role | None], list[str]] = {}
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            moves.setdefault((was.get(name), now.get(name)), []).append(name)
    for (left, right), names in moves.items():
        yield Change(after.id, _move(after.id, left, right, names), tuple(names))


def _move(course: str, left: Role | None, right: Role | None, names: list[str]) -> str:
    who = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    people = tuple(names)
    if left is None and right is not None:
        number = _number(people, dict.fromkeys(names, right))
        return f"{number} {_verb('join', people)} {course}: {who}"
    if right is None and left is not None:
        number = _number(people, dict.fromkeys(names, left))
        return f"{number} {_verb('leave', people)} {course}: {who}"
    return f"{who}: {left} of {course} before, {right} now"


def _verb(verb: str, people: tuple[str, ...]) -> str:
    return f"{verb}s" if len(people) == 1 else verb


def _profile(
    name: str, before: Course, after: Course, old: Catalog, new: Catalog
) -> Iterator[Change]:
    was, now = before.profiles.get(name), after.profiles.get(name)
    full = f"{after.id}/{name}"
    could = _starters(before, was, old)
    can = _starters(after, now, new)
    if lost := tuple(sorted(could - can)):
        who = _number(lost, _by_person(before, old))
        what = f"{who} of {after.id} {_verb('lose', lost)} profile {name}"
        yield Change(after.id, what, lost)
    if gained := tuple(sorted(can - could)):
        who = _number(gained, _by_person(after, new))
        what = f"{who} of {after.id} {_verb('get', gained)} profile {name}"
        yield Change(after.id, what, gained)
    if was is None or now is None:
        return
    for path, left, right in _leaves(plain(was), plain(now)):
        if path != "who":
            what = f"profile {full}: {path} {_turned(path, left, right)}"
            yield Change(after.id, what, tuple(sorted(can)))


def _campus(old: Campus, new: Campus) -> Iterator[Change]:
    for path, left, right in _leaves(_as_written(old), _as_written(new)):
        if not path.startswith("groups"):  # seen as people who join and leave
            yield Change("", f"campus: {path} {_turned(path, left, right)}")


def _as_written(campus: Campus) -> Any:  # noqa: ANN401 - JSON
    """Return a campus with paths that its folder does not change."""
    data = plain(campus)
    for storage in data["storage"].values():
        if storage["path"]:
            storage["path"] = os.path.relpath(storage["path"], os.path.realpath(campus.file.parent))
    return data


def _leaves(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401
    """Yield path, old and new of everything that differs between two pieces of plain data."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _leaves(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
    elif old != new:
        yield path, old, new


def _turned(path: str, left: Any, right: Any) -> str:  # noqa: ANN401 - JSON
    if left in (None, [], {}, ""):
        return f"is now {_value(path, right)}"
    if right in (None, [], {}, ""):
        return f"is gone, was {_value(path, left)}"
    return f"{_value(path, left)} → {_value(path, right)}"


def _value(path: str, value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, int) and not isinstance(value, bool) and _SIZES & set(path.split(".")):
        return shown.size(value)
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _by_person(course: Course, catalog: Catalog) -> dict[str, Role]:
    """Return the strongest role of everybody in a course whom the files name."""
    found: dict[str, Role] = {}
    for role in Role:  # from the weakest to the strongest
        holders = course.people.get(role)
        if holders is None:
            continue
        group = catalog.campus.groups.get(holders.group or "", frozenset())
        found.update(dict.fromkeys(holders.names | group, role))
    return found


def _members(course: Course, catalog: Catalog) -> tuple[str, ...]:
    return tuple(sorted(_by_person(course, catalog)))


def _starters(course: Course, profile: Profile | None, catalog: Catalog) -> frozenset[str]:
    roles = _by_person(course, catalog) if profile else {}
    return frozenset(n for n, role in roles.items() if profile and role in profile.who)


def _number(people: tuple[str, ...], roles: Mapping[str, Role] | None = None) -> str:
    """Return how many people, by their role where all have the same."""
    kinds = {_NOUNS[roles[name]] for name in people} if roles else set()
    if len(kinds) == 1:
        return f"{len(people)} {kinds.pop()}{'s' * (len(people) != 1)}"
    return f"{len(people)} {'person' if len(people) == 1 else 'people'}"


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("old", type=Path, metavar="OLD", help="campus folder as it was")
    parser.add_argument("new", type=Path, metavar="NEW", help="campus folder as it will be")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.epilog = (
        "Ends with 0 when nothing changes, 1 when something does, 2 when it could not run."
    )


def _run(options: Namespace) -> int:
    catalogs = []
    for folder in (options.old, options.new):
        loaded = load(folder)
        if loaded.files == 0:
            sys.stderr.write(f"lectern diff: {loaded.diagnostics[0].message}: {folder}\n")
            return CANNOT_RUN
        # A course that is left out for a mistake would look like one that is gone.
        if loaded.catalog is None or any(item.is_error for item in loaded.diagnostics):
            sys.stderr.write(f"lectern diff: {folder} has errors; see `lectern check {folder}`\n")
            return CANNOT_RUN
        catalogs.append(loaded.catalog)
    found = list(changes(*catalogs))
    if options.format == "json":
        sys.stdout.write("".join(f"{json.dumps(asdict(c), ensure_ascii=False)}\n" for c in found))
    else:
        sys.stdout.write("".join(f"{change.what}\n" for change in found) or "nothing changes\n")
    return DIFFERENT if found else SAME


command = Command(
    name="diff",
    help="say what changes for whom between two campus folders",
    configure=_configure,
    run=_run,
)
