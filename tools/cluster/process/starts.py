"""How a container starts, and what it leaves behind: its logs and its last words."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from cluster.process import environment, local, logs, orders
from cluster.process.events import NORMAL, WARNING
from cluster.process.faults import CREATE, PULL
from cluster.process.handlers import Run
from cluster.process.home import Home
from cluster.process.local import Local, StartError
from cluster.process.pretended import Pretended
from cluster.process.status import State

LONGEST_BACKOFF = 30
"""So many times the first wait."""

_PULL_SECONDS = 0.5
_RETRY_SECONDS = 2.0
_LONGEST_MESSAGE = 4096


class Starter:
    """Starts one container as often as it is asked to."""

    __slots__ = ("_attempt", "_home", "_spec", "_state")

    def __init__(self, home: Home, spec: dict[str, Any], state: State) -> None:
        """Do not start anything yet."""
        self._home = home
        self._spec = spec
        self._state = state
        self._attempt = -1

    @property
    def log(self) -> Path:
        """The log of the present or last run."""
        return self._log_of(self._attempt)

    @property
    def previous_log(self) -> Path:
        """The log of the run before."""
        return self._log_of(self._attempt - 1)

    def _log_of(self, attempt: int) -> Path:
        folder = self._home.tools.folder / self._home.pod.uid / "logs" / self._state.name
        return folder / f"{attempt}.log"

    @property
    def retry_seconds(self) -> float:
        """How long to wait after something was not there."""
        return min(_RETRY_SECONDS, self._home.backoff_seconds)

    async def start(self) -> Run:
        """Start the container.

        Raises:
            environment.MissingError: when something that it refers to is not there.
            StartError, OSError: when it cannot be started.
        """
        if self._home.runs:
            return await self._start_local()
        if seconds := self._home.tools.settings.pretend_seconds:
            await asyncio.sleep(seconds)
        return Pretended()

    async def _start_local(self) -> Run:
        home, pod = self._home, self._home.pod
        assert home.place is not None  # set up before its containers
        wanted = environment.wanted(self._spec)
        sources = await home.tools.objects.sources(pod.namespace, wanted)
        order = orders.order(self._spec, home.place, home.tools.settings, sources)
        attempt = self._attempt + 1
        name = f"{pod.uid}-{self._state.name}-{attempt}"
        group = local.group_of(home.tools.groups, name, self._spec)
        path = self._log_of(attempt)
        try:
            run = await Local.start(
                order, logs.Writer(path, home.node.now), group, home.tools.guard
            )
        except StartError as error:
            words = logs.last_words(path).strip()
            path.unlink()
            raise StartError(error.reason, f"{error}: {words}" if words else str(error)) from None
        self._attempt = attempt
        for old in (self._log_of(attempt - 2), logs.older(self._log_of(attempt - 2))):
            old.unlink(missing_ok=True)
        return run

    def last_words(self, code: int) -> str:
        """Return what the container left as the message of its end."""
        if self._home.place is None:
            return ""
        file = self._home.place.message_file(self._state.name)
        text = file.read_text(errors="replace")[:_LONGEST_MESSAGE] if file.exists() else ""
        policy = self._spec.get("terminationMessagePolicy")
        if not text and code and policy == "FallbackToLogsOnError":
            return logs.last_words(self.log)
        return text

    async def wait_for_faults(self) -> None:
        """Fail to start for as long as a fault says so."""
        home, state = self._home, self._state
        tries = 0
        while fault := home.take_fault(PULL, state):
            await self._fail_to_pull(fault.message or "the registry has no such image", tries)
            tries += 1
        while fault := home.take_fault(CREATE, state):
            self.fail("CreateContainerError", fault.message or "the runtime made no container")
            await asyncio.sleep(self.retry_seconds)

    async def _fail_to_pull(self, why: str, tries: int) -> None:
        home, state, image = self._home, self._state, self._state.image
        state.wait("ErrImagePull", f"failed to pull image {image}: {why}")
        home.changed()
        home.say(NORMAL, "Pulling", f'Pulling image "{image}"', state)
        home.say(WARNING, "Failed", f'Failed to pull image "{image}": {why}', state)
        home.say(WARNING, "Failed", "Error: ErrImagePull", state)
        await asyncio.sleep(min(_PULL_SECONDS, home.backoff_seconds))
        state.wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
        home.changed()
        home.say(NORMAL, "BackOff", f'Back-off pulling image "{image}"', state)
        home.say(WARNING, "Failed", "Error: ImagePullBackOff", state)
        await asyncio.sleep(home.backoff_seconds * min(2 ** min(tries, 9), LONGEST_BACKOFF))

    def fail(self, reason: str, message: str) -> None:
        """Say why the container does not start."""
        self._state.wait(reason, message)
        self._home.changed()
        self._home.say(WARNING, "Failed", f"Error: {message}", self._state)
