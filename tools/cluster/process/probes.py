"""A container's probes: when they ask, and what their answers add up to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.process import handlers
from cluster.process.handlers import Target

STARTUP, READINESS, LIVENESS = "startupProbe", "readinessProbe", "livenessProbe"
KINDS = (STARTUP, READINESS, LIVENESS)


@dataclass(slots=True)
class Tally:
    """Counts a probe's answers until there are enough of one kind in a row."""

    successes_needed: int
    failures_allowed: int
    _last: bool | None = None
    _count: int = 0

    @classmethod
    def of(cls, probe: Mapping[str, Any]) -> Tally:
        """Return an empty tally with a probe's thresholds."""
        return cls(probe.get("successThreshold") or 1, probe.get("failureThreshold") or 3)

    def count(self, *, is_good: bool) -> bool | None:
        """Count an answer; return the verdict, None while it is open."""
        self._count = self._count + 1 if is_good is self._last else 1
        self._last = is_good
        needed = self.successes_needed if is_good else self.failures_allowed
        return is_good if self._count >= needed else None


@dataclass(slots=True, frozen=True)
class Watcher:
    """Whom the verdicts are for."""

    started: Callable[[], None]
    ready: Callable[[bool], None]
    unhealthy: Callable[[str, str], None]
    """Told the probe's title and what went wrong, for an event."""

    kill: Callable[[str, Mapping[str, Any]], None]
    """Told the title of the probe that failed for good, and the probe."""


async def look_after(container: Mapping[str, Any], target: Target, watcher: Watcher) -> None:
    """Probe a container that has just started until this is cancelled."""
    if probe := container.get(STARTUP):
        await _until_started(probe, target, watcher)
    watcher.started()
    readiness, liveness = container.get(READINESS), container.get(LIVENESS)
    if not readiness:
        watcher.ready(True)
    async with asyncio.TaskGroup() as group:
        if readiness:
            group.create_task(_readiness(readiness, target, watcher))
        if liveness:
            group.create_task(_liveness(liveness, target, watcher))


async def _until_started(probe: Mapping[str, Any], target: Target, watcher: Watcher) -> None:
    """Return once it has started; it is killed when it does not, and this cancelled."""
    tally = Tally.of(probe)
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    while (
        verdict := tally.count(is_good=await _ask("Startup", probe, target, watcher))
    ) is not True:
        if verdict is False:
            watcher.kill("startup", probe)
            await asyncio.Event().wait()
        await asyncio.sleep(_period(probe))


async def _readiness(probe: Mapping[str, Any], target: Target, watcher: Watcher) -> None:
    tally = Tally.of(probe)
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    while True:
        verdict = tally.count(is_good=await _ask("Readiness", probe, target, watcher))
        if verdict is not None:
            watcher.ready(verdict)
        await asyncio.sleep(_period(probe))


async def _liveness(probe: Mapping[str, Any], target: Target, watcher: Watcher) -> None:
    tally = Tally.of(probe)
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    while tally.count(is_good=await _ask("Liveness", probe, target, watcher)) is not False:
        await asyncio.sleep(_period(probe))
    watcher.kill("liveness", probe)


def _period(probe: Mapping[str, Any]) -> float:
    return float(probe.get("periodSeconds") or 10)


async def _ask(title: str, probe: Mapping[str, Any], target: Target, watcher: Watcher) -> bool:
    problem = await handlers.act(probe, target, float(probe.get("timeoutSeconds") or 1))
    if problem:
        watcher.unhealthy(title, problem)
    return not problem
