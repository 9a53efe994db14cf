"""Figures from running hubs of three sizes: hub CPU per spawn page, through real HTTP.

The hubs stay up for all rounds; every page is somebody's first. The peer is plain
JupyterHub with a spawn page of one line: what any page costs.
"""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

from bench import campuses, hubs
from bench.hubs import Hub
from bench.inside import SIZES, growth
from bench.record import Values

PEOPLE = 40
"""Different people behind one value."""

_ROUNDS = 8


class Pages:
    """Hubs of every size, and people who have not seen their spawn page yet."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        """Start the hubs; the stack stops them."""
        people = campuses.students(PEOPLE * _ROUNDS)
        starts = range(0, len(people), PEOPLE)
        self.classes = itertools.cycle([people[start : start + PEOPLE] for start in starts])
        self.running: dict[str, Hub] = {}
        for size in SIZES:
            place = folder / f"hub-{size}"
            campus = campuses.write(place / "campus", size, people)
            self.running[f"http_page_{size}"] = stack.enter_context(
                hubs.ours(place, campus, campuses.PROFILE)
            )
        self.peer = stack.enter_context(hubs.peer(folder / "peer", with_form=True))
        for hub in (*self.running.values(), self.peer):
            _page_ms(hub, ["student-0"])

    def measure(self, order: tuple[str, str]) -> Values:
        """Return milliseconds of hub CPU per spawn page."""
        people = next(self.classes)
        values: dict[str, dict[str, float]] = {name: {} for name in self.running}
        for arm in order:
            if arm == "peer":
                taken = _page_ms(self.peer, people)
                for value in values.values():
                    value["peer"] = taken
            else:
                for name, hub in self.running.items():
                    values[name]["ours"] = _page_ms(hub, people)
        values["http_page_growth"] = {"ours": growth([v["ours"] for v in values.values()])}
        return values


def _page_ms(hub: Hub, names: list[str]) -> float:
    """Return milliseconds of hub CPU per spawn page; the logins are not counted."""
    people = [hub.member(name) for name in names]
    before = hub.cpu_seconds()
    for person in people:
        if b"<form" not in person.get("/hub/spawn"):
            raise RuntimeError(f"{person.name} saw no spawn page at {hub.base}")
    return (hub.cpu_seconds() - before) / len(people) * 1000
