"""Carry names of people over into a course."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lectern_spawner.catalog import names
from lectern_spawner.importing.hub import Found, entries, mapping
from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.paths import Where


@dataclass(slots=True)
class People:
    """The people of the course that is being made, as they were written."""

    instructors: list[str]
    assistants: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)


def carried(found: Found, instructors: Iterable[str], ledger: Ledger) -> People:
    """Return the people of the course.

    Admins of the other hub become assistants, which is less than they were: who runs
    this hub stands in lectern.yaml.
    """
    people = People(list(instructors))
    roles = {names.normalise(name): "an instructor" for name in people.instructors}
    for where, name in _listed(found, "admin_users", ("auth", "admin", "users")):
        if _accepted(where, name, roles, ledger):
            people.assistants.append(name)
            roles[names.normalise(name)] = "an assistant"
            ledger.change(where, "became an assistant; admins of a hub stand in lectern.yaml")
    for where, name in _listed(found, "allowed_users", ("auth", "whitelist", "users")):
        if _accepted(where, name, roles, ledger):
            people.students.append(name)
            roles[names.normalise(name)] = "a student"
            ledger.carry(where, "students")
    return people


def _listed(found: Found, key: str, older: tuple[str, ...]) -> Iterator[tuple[Where, str]]:
    """Yield the names below a key of any authenticator, and of the chart's older form."""
    config, where = found.section("hub", "config")
    places: list[tuple[object, Where]] = [
        (mapping(section).get(key), (*where, name, key))
        for name, section in config.items()
        if name.endswith("Authenticator")
    ]
    section, there = found.section(*older[:-1])
    places.append((section.get(older[-1]), (*there, older[-1])))
    for value, place in places:
        for index, name in entries(value) if isinstance(value, list) else ():
            if isinstance(name, str | int) and not isinstance(name, bool):
                yield (*place, index), str(name).strip()


def _accepted(where: Where, name: str, roles: dict[str, str], ledger: Ledger) -> bool:
    known = names.normalise(name)
    why = names.problem(known)
    if why is not None:
        ledger.leave(where, why)
    elif known in roles:
        ledger.change(where, f"is {roles[known]} already")
    return why is None and known not in roles
