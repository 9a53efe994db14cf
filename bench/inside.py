"""Figures from inside one process: the spawn page, a decision, memory per user.

CPU time, on fresh people every time, so that nothing kept per person helps.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from jupyterhub.user import User
from traitlets.config import Config

from bench import campuses, kube
from bench.record import Values
from bench.society import Society
from lectern_spawner import access
from lectern_spawner.access import Person
from lectern_spawner.catalog import Catalog
from lectern_spawner.local.spawner import CourseLocalSpawner
from lectern_spawner.plan import make_plan
from lectern_spawner.spawning import LiveCatalog

SIZES = (20, 200, 2000)
PEOPLE = 24
"""Different people behind one value of ours; what is slower gets fewer."""

FEW_PEOPLE = 4
_ROUNDS = 8
OBJECTS = 100
"""User objects behind one value of memory."""

_OBJECTS_AT = 200


class Inside:
    """Our arm at every size, loaded once; both arms measured again and again."""

    def __init__(self, folder: Path) -> None:
        """Write and load the campuses below a folder, and warm up what all people share."""
        everybody = campuses.students(PEOPLE * _ROUNDS)
        starts = range(0, len(everybody), PEOPLE)
        self.classes = itertools.cycle([everybody[start : start + PEOPLE] for start in starts])
        self.state = folder / "state"
        self.state.mkdir()
        self.state.chmod(0o755)
        self.foreign = {
            size: campuses.read(campuses.write(folder / f"foreign-{size}", size, everybody))
            for size in SIZES
        }
        all_visible = folder / "visible"
        self.visible = campuses.read(
            campuses.write(all_visible, SIZES[-1], everybody, visible=True)
        )
        self.society = {size: self._society(catalog) for size, catalog in self.foreign.items()}
        self.all_visible = self._society(self.visible)
        for made in (*self.society.values(), self.all_visible):
            _page_ms(made, ["teacher"])

    def _society(self, catalog: Catalog) -> Society:
        config = Config()
        config.CourseLocalSpawner.live = LiveCatalog(catalog)
        config.CourseLocalSpawner.state_dir = str(self.state)
        return Society(CourseLocalSpawner, config)

    def pages(self, order: tuple[str, str]) -> Values:
        """Return milliseconds of CPU per spawn page, at every size."""
        values: dict[str, dict[str, float]] = {}
        people = next(self.classes)
        for arm in order:
            for size in SIZES:
                if taken := self._page(arm, size, people):
                    values.setdefault(f"page_{size}", {})[arm] = taken
        values["page_growth"] = {"ours": growth([values[f"page_{s}"]["ours"] for s in SIZES])}
        values["page_visible"] = {"ours": _page_ms(self.all_visible, people[:FEW_PEOPLE])}
        if peer := values[f"page_{SIZES[-1]}"].get("peer"):
            values["page_visible"]["peer"] = peer
        return values

    def _page(self, arm: str, size: int, people: list[str]) -> float | None:
        if arm == "ours":
            return _page_ms(self.society[size], people)
        if not kube.is_installed():
            return None
        return _page_ms(kube.society(size), people[:FEW_PEOPLE])

    def decisions(self, order: tuple[str, str]) -> Values:
        """Return milliseconds of CPU per decision and plan, at every size; no peer has any."""
        sizes = SIZES if order[0] == "ours" else SIZES[::-1]
        people = next(self.classes)
        taken = {size: _decide_ms(self.foreign[size], people) for size in sizes}
        values = {f"decide_{size}": {"ours": taken[size]} for size in SIZES}
        values["decide_growth"] = {"ours": growth([taken[size] for size in SIZES])}
        values["decide_visible"] = {"ours": _decide_ms(self.visible, people)}
        return values

    def memory(self, order: tuple[str, str]) -> Values:
        """Return KiB per user object with its spawner, with 200 profiles."""
        taken: dict[str, float] = {}
        for arm in order:
            if arm == "ours":
                taken[arm] = _kibibytes(self._society(self.foreign[_OBJECTS_AT]), OBJECTS)
            elif kube.is_installed():
                taken[arm] = _kibibytes(kube.society(_OBJECTS_AT), OBJECTS // 5)
        return {"memory": taken}


def growth(values: list[float]) -> float:
    """Return the exponent of growth over `SIZES`: 0 is flat, 1 is proportional.

    The slope of the least-squares line through the logarithms.
    """
    slope = statistics.linear_regression(
        [math.log(s) for s in SIZES], [math.log(v) for v in values]
    )
    return slope.slope


def _cpu_ms(work: Callable[[], object], count: int) -> float:
    gc.collect()
    begin = time.process_time()
    work()
    return (time.process_time() - begin) / count * 1000


def _page_ms(society: Society, names: list[str]) -> float:
    """Return milliseconds of CPU per page; the people and their objects are fresh."""
    society.db.expunge_all()
    users = society.users(society.rows(names))
    return _cpu_ms(lambda: asyncio.run(_render(users)), len(users))


async def _render(users: list[User]) -> None:
    for user in users:
        if not await user.spawners[""].get_options_form():
            raise RuntimeError(f"{user.name} saw an empty spawn page")


def _decide_ms(catalog: Catalog, names: list[str]) -> float:
    now = datetime.now().astimezone()
    people = [Person(name=name) for name in names]

    def decide() -> None:
        for person in people:
            grant = access.decide(catalog, person, {"profile": campuses.PROFILE}, now)
            make_plan(grant, person, catalog.campus, now)

    return _cpu_ms(decide, len(people))


def _kibibytes(society: Society, count: int) -> float:
    """Return the growth of memory per user object that has shown its spawn page once.

    The database's rows are there before, and so is what all users share.
    """
    asyncio.run(_render(society.users(society.rows(["teacher"]))))
    rows = society.rows([f"user-{number}" for number in range(count)])
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        users = society.users(rows)
        asyncio.run(_render(users))
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    return grown / len(users) / 1024
