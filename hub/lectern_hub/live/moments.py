"""When it is worth to look at a campus folder again.

inotify tells at once where it works. It does not on network file systems, nor where
the kernel's watches are used up: there the folder is looked at every few seconds.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from logging import Logger
from pathlib import Path

from watchfiles import awatch
from watchfiles.main import FileChange

from lectern_hub.database import NETWORK_FILE_SYSTEMS, file_system
from lectern_hub.live.paths import Ways, ways

ANYWAY_SECONDS = 60.0
"""The longest time without a look, whatever inotify says: its queue can overflow."""

_TOGETHER_MILLISECONDS = 100
_LONGEST_MILLISECONDS = 1000
_SAME_MILLISECONDS = 1000
_SHORT_SECONDS = 0.1

INOTIFY = "inotify"
POLLING = "polling"


class Moments:
    """Tells when to look at a campus folder."""

    def __init__(
        self,
        campus: Path,
        rosters: Callable[[], Iterable[Path]],
        *,
        poll: bool,
        every_seconds: float,
        log: Logger,
    ) -> None:
        """Know what to watch, and how.

        Args:
            campus: the campus folder.
            rosters: returns the rosters that count now.
            poll: whether to do without inotify.
            every_seconds: time between two looks without inotify.
            log: is told when inotify does not work.
        """
        self.campus = campus
        self.rosters = rosters
        self.poll = poll
        self.every_seconds = every_seconds
        self.log = log
        self.how = POLLING if poll else INOTIFY
        self._said = ""

    async def all(self) -> AsyncGenerator[None, None]:
        """Yield whenever something may have changed, for ever."""
        while True:
            if not self.poll:
                async with aclosing(self._told()) as told:
                    async for _ in told:
                        yield
                if self.how == INOTIFY:
                    continue
            await asyncio.sleep(await asyncio.to_thread(self._pause_seconds))
            yield

    def _pause_seconds(self) -> float:
        """Return how long to wait; a folder that is gone or closed is soon looked for again."""
        is_open = os.access(self.campus, os.R_OK | os.X_OK)
        return self.every_seconds if is_open else min(1.0, self.every_seconds)

    async def _told(self) -> AsyncGenerator[None, None]:
        """Yield what inotify tells, until other folders have to be watched or it fails."""
        found = await asyncio.to_thread(ways, self.campus, self.rosters())
        try:
            if not found.there:  # the folder is gone, which whoever looks will tell
                self.how = POLLING
                return
            if why := await asyncio.to_thread(_why_silent, found):
                self._fall_back(why)
                return
            async with aclosing(self._changes(found)) as changes:
                async for _ in changes:
                    yield
        except FileNotFoundError:  # gone since it was found, as when a link is turned again
            await asyncio.sleep(_SHORT_SECONDS)
            yield
        # Watches used up, or a folder that is closed to us.
        except (OSError, RuntimeError) as error:
            self._fall_back(str(error))

    async def _changes(self, found: Ways) -> AsyncGenerator[None, None]:
        looked = float("-inf")  # at once: something may have changed before the watch began
        async with aclosing(_notices(found)) as notices:
            async for changes in notices:
                self._succeed()
                same = await asyncio.to_thread(found.are_same)
                matters = any(found.lead_to(change, Path(path)) for change, path in changes)
                if same and not matters and time.monotonic() - looked < ANYWAY_SECONDS:
                    continue
                yield
                looked = time.monotonic()
                if not same or await asyncio.to_thread(ways, self.campus, self.rosters()) != found:
                    return

    def _succeed(self) -> None:
        if self._said:
            self.log.info("catalog: inotify works again")
        self.how, self._said = INOTIFY, ""

    def _fall_back(self, why: str) -> None:
        self.how = POLLING
        if why != self._said:
            self.log.warning(
                "catalog: inotify does not work here (%s); looking every %g s instead",
                why,
                self.every_seconds,
            )
        self._said = why


def _notices(found: Ways) -> AsyncGenerator[set[FileChange], None]:
    """Return what inotify tells, and an empty set where it has told nothing for a while."""
    return awatch(
        *found.there,
        # Filtered by the caller: awatch would let no time pass where everything is left out.
        watch_filter=None,
        debounce=_LONGEST_MILLISECONDS,
        step=_TOGETHER_MILLISECONDS,
        rust_timeout=_SAME_MILLISECONDS,
        yield_on_timeout=True,
        recursive=False,
    )


def _why_silent(found: Ways) -> str | None:
    """Return why inotify would not tell of changes that others make."""
    for folder in found.there:
        kind = file_system(folder)
        if kind in NETWORK_FILE_SYSTEMS or kind.startswith("fuse"):
            return f"{folder} lies on {kind}"
    return None
