"""Figures from running hubs: cold start, the way into JupyterLab, hub CPU per start.

Each round starts both arms afresh and lets them take turns, person by person.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from bench import campuses, hubs
from bench.browser import Person
from bench.hubs import Hub
from bench.record import Values
from bench.rounds import UnsteadyError

STARTS = 8
"""Starts per arm and round that hub CPU is taken over."""

PROFILES = 20
"""Profiles of the campus, beside the people's own."""

POLLS = 2
"""Questions about one start, at the same moments for both arms; they cost, so they are few."""

_LAB_PATIENCE_SECONDS = 120.0
_SLACK = 1.2
_SETTLE_SECONDS = 6.0


def measure(order: tuple[str, str]) -> Values:
    """Measure one round of all figures of this module."""
    with hubs.scratch() as folder, contextlib.ExitStack() as stack:
        people = campuses.students(STARTS + 1)
        campus = campuses.write(folder / "campus", PROFILES, people)
        running: dict[str, Hub] = {}
        for arm in order:
            running[arm] = stack.enter_context(_start(arm, folder / arm, campus))
        first_lab = {arm: _login_to_lab(running[arm], people[0]) for arm in order}
        cpu = _cpu_per_start(running, order, people[1:], max(first_lab.values()) * _SLACK)
        return {
            "cold_start": {arm: hub.start_seconds for arm, hub in running.items()},
            "login_to_lab": first_lab,
            "start_cpu": cpu,
        }


def _start(arm: str, folder: Path, campus: Path) -> contextlib.AbstractContextManager[Hub]:
    if arm == "ours":
        return hubs.ours(folder, campus, campuses.PROFILE)
    return hubs.peer(folder)


def _login_to_lab(hub: Hub, name: str) -> float:
    """Return the seconds from sending the login form to JupyterLab's page."""
    person = hub.person(name)
    begin = time.perf_counter()
    person.log_in(hub.password)
    person.start(hub.profile)
    person.wait_for_lab(_LAB_PATIENCE_SECONDS)
    return time.perf_counter() - begin


def _cpu_per_start(
    running: Mapping[str, Hub], order: tuple[str, str], names: list[str], seconds: float
) -> dict[str, float]:
    """Return milliseconds of hub CPU per start; logins and stops are not counted.

    The arms start servers in turns. A hub that does nothing costs nothing worth
    counting, so each is read once before and once after all turns.
    """
    people = {arm: [hub.member(name) for name in names] for arm, hub in running.items()}
    before = {arm: hub.cpu_seconds() for arm, hub in running.items()}
    for number in range(len(names)):
        for arm in order if number % 2 == 0 else order[::-1]:
            _start_and_poll(running[arm], people[arm][number], max(seconds, 2.0))
    time.sleep(_SETTLE_SECONDS)
    for arm in order:
        ready = [person.is_ready() for person in people[arm]]  # all of them, for both arms
        if not all(ready):
            raise UnsteadyError(f"not all servers of {arm} were ready in time")
    return {
        arm: (hub.cpu_seconds() - before[arm]) / len(names) * 1000 for arm, hub in running.items()
    }


def _start_and_poll(hub: Hub, person: Person, seconds: float) -> None:
    """Start a server and ask for it at fixed moments, whether it is ready or not."""
    begin = time.monotonic()
    person.start(hub.profile)
    for poll in range(1, POLLS + 1):
        due = begin + seconds * poll / POLLS
        time.sleep(max(0.0, due - time.monotonic()))
        person.is_ready()
