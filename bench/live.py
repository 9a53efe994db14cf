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

_LAB_PATIENCE_SECONDS = 120.0
_IDLE_SECONDS = 8.0
_SETTLE_SECONDS = 8.0


def measure(order: tuple[str, str]) -> Values:
    """Measure one round of all figures of this module."""
    with hubs.scratch() as folder, contextlib.ExitStack() as stack:
        people = campuses.students(STARTS + 1)
        campus = campuses.write(folder / "campus", PROFILES, people)
        running: dict[str, Hub] = {}
        for arm in order:
            running[arm] = stack.enter_context(_start(arm, folder / arm, campus))
        first_lab = {arm: _login_to_lab(running[arm], people[0]) for arm in order}
        idle = _idle(running)
        cpu = _cpu_per_start(running, order, people[1:], idle)
        return {
            "cold_start": {arm: hub.start_seconds for arm, hub in running.items()},
            "login_to_lab": first_lab,
            "start_cpu": cpu,
            "idle_cpu": idle,
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


def _idle(running: Mapping[str, Hub]) -> dict[str, float]:
    """Return milliseconds of CPU per second that hubs use while nobody wants anything."""
    before = {arm: hub.cpu_seconds() for arm, hub in running.items()}
    time.sleep(_IDLE_SECONDS)
    return {
        arm: (hub.cpu_seconds() - before[arm]) / _IDLE_SECONDS * 1000
        for arm, hub in running.items()
    }


def _cpu_per_start(
    running: Mapping[str, Hub], order: tuple[str, str], names: list[str], idle: Mapping[str, float]
) -> dict[str, float]:
    """Return milliseconds of hub CPU per start; logins, stops and idling are not counted.

    The arms start servers in turns. Each hub is read once before and once after
    all turns, so that whatever a start causes later is counted too.
    """
    people = {arm: [hub.member(name) for name in names] for arm, hub in running.items()}
    before = {arm: hub.cpu_seconds() for arm, hub in running.items()}
    begin = time.monotonic()
    for number in range(len(names)):
        for arm in order if number % 2 == 0 else order[::-1]:
            _start_and_follow(running[arm], people[arm][number])
    time.sleep(_SETTLE_SECONDS)
    taken = time.monotonic() - begin
    used = {arm: hub.cpu_seconds() - before[arm] for arm, hub in running.items()}
    for arm in order:
        if not all(person.is_ready() for person in people[arm]):
            raise UnsteadyError(
                f"not all servers of {arm} were ready in time; the machine is busy, or starts fail"
            )
    return {arm: (used[arm] * 1000 - idle[arm] * taken) / len(names) for arm in running}


def _start_and_follow(hub: Hub, person: Person) -> None:
    """Start a server and wait for it as a browser does."""
    person.start(hub.profile)
    person.follow_start()
