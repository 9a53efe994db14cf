"""Figures of a hub whose course files change: how long its event loop stands still.

In one process, with all that a hub imports, because what holds the loop is the
interpreter. A clock in the loop ticks every millisecond; its longest pause counts.
"""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import jupyterhub.app  # noqa: F401 - a hub's objects are what a collection walks over

from bench import campuses
from bench.catalog import COURSES, PROFILES
from bench.record import Values
from lectern_hub.live.keeper import Keeper
from lectern_spawner.catalog import Shelf
from lectern_spawner.catalog.gently import settle_memory

_TICK_SECONDS = 0.001


class Reload:
    """A campus of many courses, kept by the hub's own keeper."""

    def __init__(self, folder: Path) -> None:
        """Write the campus and read it once."""
        self.campus = campuses.write(folder / "campus", COURSES * PROFILES, [], each=PROFILES)
        self.keeper = Keeper(Shelf(self.campus))
        self.round = 0

    def measure(self, order: tuple[str, str]) -> Values:
        """Return milliseconds of the longest pauses; no peer reads its courses again."""
        del order
        settle_memory()
        try:
            one = asyncio.run(self._pause_ms(1))
            every = asyncio.run(self._pause_ms(COURSES))
        finally:
            gc.unfreeze()
        return {"reload_one": {"ours": one}, "reload_all": {"ours": every}}

    async def _pause_ms(self, count: int) -> float:
        """Change some files and return the longest pause of the loop while they are taken over.

        Raises:
            RuntimeError: when the change was not taken over as it is.
        """
        self._change(count)
        revision = self.keeper.standing.revision
        pauses: list[float] = []
        ticking = asyncio.create_task(_tick(pauses))
        await self.keeper.look()
        # The collection that was put off would come now.
        await asyncio.sleep(0.2)
        ticking.cancel()
        standing = self.keeper.standing
        if standing.revision != revision + 1 or standing.loaded.diagnostics:
            raise RuntimeError(f"{count} changed files were not taken over")
        return max(pauses) * 1000

    def _change(self, count: int) -> None:
        self.round += 1
        for number in range(count):
            file = self.campus / f"course-{number}.yaml"
            text = file.read_text(encoding="utf-8").partition("# round")[0]
            file.write_text(f"{text}# round {self.round}\n", encoding="utf-8")


async def _tick(pauses: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        now = time.perf_counter()
        pauses.append(now - last - _TICK_SECONDS)
        last = now
