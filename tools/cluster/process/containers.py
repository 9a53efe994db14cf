"""One container of a pod from its first start to its last end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from cluster.process import handlers, local, probes
from cluster.process.environment import MissingError
from cluster.process.events import NORMAL, WARNING
from cluster.process.faults import CRASH, OOM, Fault
from cluster.process.handlers import Run, Target
from cluster.process.home import Home
from cluster.process.local import StartError
from cluster.process.starts import LONGEST_BACKOFF, Starter
from cluster.process.status import CREATING, LOOPING, RUNNING, Ending, State

_WELL_TIMES = 60
"""Whoever ran for sixty times the first wait starts counting anew."""

_LEAST_GRACE_SECONDS = 2.0
"""What a container has after a hook that took all of its time."""


class Runner:
    """Starts a container, looks after it, and starts it again when the policy says so."""

    __slots__ = (
        "_crashes", "_ended", "_forced", "_home", "_tasks", "_timer",
        "is_stopping", "run", "spec", "starter", "state",
    )  # fmt: skip

    def __init__(self, home: Home, spec: dict[str, Any], *, is_init: bool) -> None:
        """Do not start anything yet."""
        self.spec = spec
        self.state = State(spec["name"], spec.get("image", ""), is_init)
        self.starter = Starter(home, spec, self.state)
        self.run: Run | None = None
        self.is_stopping = False
        self._home = home
        self._crashes = 0
        self._ended = asyncio.Event()
        self._forced: Ending | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Return once it will not be started again."""
        if self.state.ending and not self._shall_start_again():
            return  # it was lost, and is not to come back
        while True:
            await self.starter.wait_for_faults()
            if not await self._start():
                await asyncio.sleep(self.starter.retry_seconds)
                continue
            await self._look_after()
            if not self._shall_start_again():
                return
            await self._back_off()

    def _shall_start_again(self) -> bool:
        policy, code = self._home.pod.restart_policy, self.state.outcome
        if self.is_stopping or policy == "Never" or (code == 0 and self.state.is_init):
            return False
        return policy == "Always" or code != 0

    async def _back_off(self) -> None:
        """Wait before the next start: not at all at first, then longer every time."""
        first, ending = self._home.backoff_seconds, self.state.ending
        if ending and ending.finished_at - ending.started_at > _WELL_TIMES * first:
            self._crashes = 0
        times = min(2 ** (self._crashes - 1), LONGEST_BACKOFF) if self._crashes else 0
        self._crashes += 1
        if not times:
            return
        pod = self._home.pod
        about = f"{self.state.name} in pod {pod.name}_{pod.namespace}({pod.uid})"
        message = f"back-off {times * first:g}s restarting failed container={about}"
        self.state.wait(LOOPING, message)
        self._home.changed()
        self._say(WARNING, "BackOff", f"Back-off restarting failed container {about}")
        await asyncio.sleep(times * first)

    def _say(self, kind: str, reason: str, message: str) -> None:
        """Send an event; what is usual says nothing in mode pretend."""
        if self._home.runs or kind == WARNING:
            self._home.say(kind, reason, message, self.state)

    async def _start(self) -> bool:
        """Start the container; return whether it runs."""
        try:
            run = await self.starter.start()
        except MissingError as error:
            self.starter.fail("CreateContainerConfigError", str(error))
            return False
        except StartError as error:
            self.starter.fail(error.reason, str(error))
            return False
        except OSError as error:
            self.starter.fail("CreateContainerError", str(error))
            return False
        self._ended.clear()
        self._forced, self.run = None, run
        self.state.run(run.identity, self._home.node.now())
        image = self.state.image
        self._say(NORMAL, "Pulled", f'Container image "{image}" already present on machine')
        self._say(NORMAL, "Created", "Container created")
        self._say(NORMAL, "Started", "Container started")
        self.obey_faults()
        self._home.changed()
        return True

    async def _look_after(self) -> None:
        """Probe it while it runs, and note its end."""
        run = self.run
        assert run is not None  # started by the only caller
        task = asyncio.create_task(self._begin(run)) if self._needs_care() else None
        try:
            ending = await run.wait()
        finally:
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._note(ending)

    def _needs_care(self) -> bool:
        """Whether it has hooks and probes; one that has none is ready at once."""
        if self.state.is_init:
            return False
        if self._home.runs:
            return True
        self._started()
        self._ready(True)
        return False

    async def _begin(self, run: Run) -> None:
        """Do what follows a start: the hook, then the probes."""
        target = self._target(run)
        if hook := self.spec.get("lifecycle", {}).get("postStart"):
            grace = self._home.pod.grace_seconds
            if problem := await handlers.act(hook, target, grace):
                self._say(WARNING, "FailedPostStartHook", f"PostStartHook failed: {problem}")
                self._later(self.stop(grace, "FailedPostStartHook"))
                return
        watcher = probes.Watcher(self._started, self._ready, self._unhealthy, self._kill)
        await probes.look_after(self.spec, target, watcher)

    def _target(self, run: Run) -> Target:
        place = self._home.place
        return Target(run, self.spec, place.facts.address if place else "")

    def _started(self) -> None:
        self.state.is_started = True
        self._home.changed()

    def _ready(self, ready: bool) -> None:
        if self.state.is_ready is not ready:
            self.state.is_ready = ready
            self._home.changed()

    def _unhealthy(self, title: str, problem: str) -> None:
        self._say(WARNING, "Unhealthy", f"{title} probe failed: {problem}")

    def _kill(self, title: str, probe: Mapping[str, Any]) -> None:
        grace = float(probe.get("terminationGracePeriodSeconds") or self._home.pod.grace_seconds)
        why = f"Container {self.state.name} failed {title} probe, will be restarted"
        self._later(self.stop(grace, why))

    def _later(self, work: Awaitable[None]) -> None:
        """Do something beside; probes are cancelled by the end that they bring about."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, ending: Ending) -> None:
        """Note an end; the fault that brought it about says how it looks."""
        ending = self._forced or ending
        run, self.run = self.run, None
        self.state.end(
            replace(
                ending,
                message=ending.message or self.starter.last_words(ending.exit_code),
                started_at=self.state.started_at,
                finished_at=self._home.node.now(),
                identity=run.identity if run else "",
            )
        )
        self._ended.set()
        self.calm()
        self._home.changed()

    async def stop(self, grace: float, why: str = "") -> None:
        """End what runs: the hook, SIGTERM, and SIGKILL once the time is up.

        Args:
            grace: seconds; at once without any.
            why: for the event.
        """
        run = self.run
        if run is None:
            return
        self._say(NORMAL, "Killing", why or f"Stopping container {self.state.name}")
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        hook = self.spec.get("lifecycle", {}).get("preStop")
        if hook and grace and (problem := await handlers.act(hook, self._target(run), grace)):
            self._say(WARNING, "FailedPreStopHook", f"PreStopHook failed: {problem}")
        if grace and self.run is run:
            run.signal(signal.SIGTERM)
            least = min(grace, _LEAST_GRACE_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), max(until - loop.time(), least))
        if self.run is run:
            run.signal(signal.SIGKILL)
            await self._ended.wait()

    def kill_now(self) -> None:
        """End what runs without a word."""
        if self.run:
            self.run.signal(signal.SIGKILL)

    def obey_faults(self) -> None:
        """Let what runs meet the faults that are there now."""
        if self.run is None or self._timer:
            return
        home = self._home
        if fault := home.take_fault(CRASH, self.state) or home.take_fault(OOM, self.state):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(fault.seconds, self._crash, self.run, fault)

    def calm(self) -> None:
        """Forget faults that have not struck yet."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _crash(self, run: Run, fault: Fault) -> None:
        self._timer = None
        if self.run is run:
            is_oom = fault.kind == OOM
            code = local.KILLED if is_oom else fault.exit_code
            self._forced = Ending(code, "OOMKilled" if is_oom else "")
            self.kill_now()

    def recover(self, restarts: int, ending: Ending | None) -> None:
        """Take over what was known before this process started.

        Args:
            restarts: how often it had been restarted.
            ending: how it was lost, if it ran.
        """
        self.state.restarts = restarts
        if ending:
            self.state.end(ending)

    def create(self) -> None:
        """Say that its turn has come, after the init containers."""
        if self.state.phase != RUNNING and not self.state.ending:
            self.state.wait(CREATING)
