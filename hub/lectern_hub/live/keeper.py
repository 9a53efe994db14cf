"""Keep the hub's catalog the one that lies in the campus folder.

Started by `app` with the hub, and runs as long as the hub does, whatever becomes of
the folder. Everything that takes time happens in a thread; the new catalog is given
to everybody in one assignment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from logging import Logger
from typing import Any

from lectern_hub.live import figures, news
from lectern_hub.live.moments import Moments
from lectern_hub.live.paths import Traces, traces
from lectern_spawner.catalog import Loaded, Shelf
from lectern_spawner.spawning import LiveCatalog

_QUIET_SECONDS = 0.2
_MOST_WAITS = 15
_MOST_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with the catalog."""

    loaded: Loaded
    revision: int
    """Grows with every difference."""

    since: datetime
    """When this difference was found."""

    took_seconds: float
    """How long reading it took."""

    looked: datetime
    """When the folder was looked at last."""


class Keeper:
    """Holds what the campus folder is now, and takes over what changes there."""

    def __init__(self, shelf: Shelf, *, poll: bool = False, every_seconds: float = 5.0) -> None:
        """Read the campus folder.

        Args:
            shelf: the campus folder.
            poll: whether to do without inotify.
            every_seconds: time between two looks where inotify does not work.

        Raises:
            CatalogError: when there is no catalog to begin with.
        """
        begin = time.perf_counter()
        loaded = shelf.load()
        now = datetime.now().astimezone()
        self.shelf = shelf
        self.live = LiveCatalog(loaded.require())
        self.standing = Standing(
            loaded=loaded,
            revision=1,
            since=now,
            took_seconds=time.perf_counter() - begin,
            looked=now,
        )
        self.log: Logger = logging.getLogger(__name__)
        self.changed: Callable[[], None] = lambda: None
        """Called when there is a new catalog."""

        self.moments = Moments(
            shelf.folder,
            lambda: shelf.rosters,
            poll=poll,
            every_seconds=every_seconds,
            log=self.log,
        )
        figures.show_errors(news.errors(loaded, shelf.folder))

    def __deepcopy__(self, memo: dict[int, Any]) -> Keeper:
        """Stay one object: traitlets copies configuration values."""
        return self

    def __repr__(self) -> str:
        """Stay short: traitlets writes configuration values to logs."""
        return f"<Keeper of {self.shelf.folder}>"

    async def run(self, log: Logger) -> None:
        """Look at the folder whenever something may have changed, until cancelled.

        Args:
            log: the hub's log.
        """
        self.log = self.moments.log = log
        while True:
            try:
                async with aclosing(self.moments.all()) as moments:
                    async for _ in moments:
                        await self.look()
            except Exception:  # whatever it was, the next change must be seen
                figures.count(figures.FAILED)
                log.exception("catalog: a look at %s went wrong", self.shelf.folder)
            await asyncio.sleep(self.moments.every_seconds)

    async def look(self) -> None:
        """Take over what lies in the folder now."""
        old = self.standing.loaded
        for _ in range(_MOST_LOOKS):
            before = await self._settled()
            begin = time.perf_counter()
            loaded = await self.shelf.refreshed()
            took = time.perf_counter() - begin
            # Files that moved under our eyes may show a state that never was.
            if await self._traces() == before:
                break
        self.standing = replace(self.standing, looked=datetime.now().astimezone())
        found = await asyncio.to_thread(news.between, old, loaded)
        if found.is_any:
            self._take(loaded, took)
            # In a thread, for hundreds of files can break at once.
            await asyncio.to_thread(self._tell, loaded, found)

    async def _settled(self) -> Traces:
        """Wait until nobody writes, at most for a few seconds, and return the traces."""
        found = await self._traces()
        for _ in range(_MOST_WAITS):
            await asyncio.sleep(_QUIET_SECONDS)
            before, found = found, await self._traces()
            if before == found:
                break
        return found

    async def _traces(self) -> Traces:
        return await asyncio.to_thread(traces, self.shelf.folder, self.shelf.rosters)

    def _take(self, loaded: Loaded, took_seconds: float) -> None:
        """Give everybody the new catalog."""
        if loaded.catalog is not None:
            self.live.current = loaded.catalog
        self.standing = Standing(
            loaded=loaded,
            revision=self.standing.revision + 1,
            since=self.standing.looked,
            took_seconds=took_seconds,
            looked=self.standing.looked,
        )
        wrong = news.errors(loaded, self.shelf.folder)
        figures.show_errors(wrong)
        figures.count(figures.BROKEN if wrong else figures.OK, took_seconds)
        self.changed()

    def _tell(self, loaded: Loaded, found: news.News) -> None:
        for file, problems in found.problems.items():
            level = logging.ERROR if any(item.is_error for item in problems) else logging.WARNING
            kept = file in loaded.kept or file == str(self.shelf.folder)
            self.log.log(level, "%s", news.problems(problems, kept=kept))
        for file in found.mended:
            still = "has no more errors" if os.path.exists(file) else "is gone, and its errors too"
            self.log.info("catalog: %s %s", file, still)
        if said := found.changes():
            self.log.info("catalog: %s", said)
