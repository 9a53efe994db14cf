"""One container that pretends to run."""

from __future__ import annotations

import asyncio
import secrets
import signal

from cluster.process.status import Ending

LOG_LINE = b"This container is pretended: nothing runs in it.\n"


class Pretended:
    """Runs until somebody ends it; a program that obeys at once."""

    __slots__ = ("_ended", "identity")

    def __init__(self) -> None:
        """Run from now on."""
        self.identity = f"lectern-pretended://{secrets.token_hex(16)}"
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> Ending:
        """Return how it ended, once it has."""
        return Ending(await self._ended, identity=self.identity)

    def signal(self, number: int) -> None:
        """End it; with 137 by SIGKILL, else with 0."""
        if not self._ended.done():
            self._ended.set_result(128 + number if number == signal.SIGKILL else 0)

    async def execute(self, words: list[str], seconds: float) -> tuple[int, str]:
        """Pretend to run a command: it always succeeds and says nothing."""
        del words, seconds
        return 0, ""
