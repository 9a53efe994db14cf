"""One pod of a node, from the moment it is bound to the moment it is removed."""

from __future__ import annotations

import asyncio
import shutil
import traceback
from itertools import chain
from pathlib import Path

from cluster.process import refusals, times
from cluster.process.containers import Runner
from cluster.process.environment import Facts, MissingError
from cluster.process.events import WARNING
from cluster.process.faults import EVICT, SLOW, Fault
from cluster.process.home import Home
from cluster.process.local import KILLED
from cluster.process.node import Node, capacity_of
from cluster.process.orders import Place
from cluster.process.records import OVER, Pod
from cluster.process.reports import Reporter
from cluster.process.status import INITIALIZING, Ending, Verdict, View, is_ready, phase_of
from cluster.process.tools import Tools
from cluster.process.volumes import UnsupportedError, Volumes

_RETRY_SECONDS = 1.0
_LOST = "The container could not be located: the process node has started anew"
_EVICTED = "The node was low on resource: memory."
_LATE = "Pod was active on the node longer than the specified deadline"


class Worker:
    """Does for one pod what a kubelet does."""

    __slots__ = (
        "_address", "_end", "_grace", "_outside", "_removal", "_reporter", "_was_over",
        "home", "inits", "mains", "task", "view",
    )  # fmt: skip

    def __init__(self, pod: Pod, node: Node, tools: Tools) -> None:
        """Begin to look after a pod at once."""
        self.home = Home(pod, node, tools, self._changed)
        self.inits = [Runner(self.home, spec, is_init=True) for spec in pod.init_containers]
        self.mains = [Runner(self.home, spec, is_init=False) for spec in pod.containers]
        started = times.moment_of(pod.started) if pod.started else node.now()
        inits, mains = [row.state for row in self.inits], [row.state for row in self.mains]
        self.view = View(pod, inits, mains, node.now(), started_at=started)
        self._reporter = Reporter(self.view, node, tools.client, self.gone)
        self._address = ""
        self._grace = pod.grace_seconds
        self._end = asyncio.Event()
        """Set when what runs shall end before its time."""

        self._removal = asyncio.Event()
        """Set when the pod is to be removed, or is."""

        self._was_over = pod.phase in OVER
        """Whether it had ended before this process knew of it: then there is nothing to report."""

        self._outside: list[Path] = []
        self._recover()
        self.task = asyncio.create_task(self._live())
        """Ends when nothing of the pod is left."""

    @property
    def pod(self) -> Pod:
        """The pod as it was last seen."""
        return self.home.pod

    def runner(self, name: str) -> Runner | None:
        """Return a container by its name."""
        return next((row for row in chain(self.mains, self.inits) if row.state.name == name), None)

    def _recover(self) -> None:
        """Take over what the API server says about containers that an earlier process ran."""
        for runner in chain(self.inits, self.mains):
            seen = self.pod.seen.get(runner.state.name)
            if seen is None:
                continue
            lost = None
            if self.home.runs and seen.is_running and not runner.state.is_init:
                began = times.moment_of(seen.started_at) if seen.started_at else 0.0
                now = self.home.node.now()
                lost = Ending(KILLED, "ContainerStatusUnknown", _LOST, began, now)
            runner.recover(seen.restarts, lost)

    # What the watch and the faults say

    def update(self, pod: Pod) -> None:
        """Take note of a change of the pod."""
        new = set(pod.ephemeral) - set(self.pod.ephemeral)
        if new and self.home.runs:
            text = f"ephemeral container {min(new)}: a process node adds no containers to a pod"
            self.home.say(WARNING, refusals.REASON, text)
        self.home.pod = self.view.pod = pod
        if pod.is_deleted:
            self._grace = min(self._grace, pod.grace_seconds)
            if self._end.is_set():
                asyncio.get_running_loop().call_later(pod.grace_seconds, self._kill)
            self._leave()
        if self._was_over:
            return
        # Whoever gave the node up has written that its pods are not ready.
        self._reporter.changed() if pod.is_ready is is_ready(self.view) else self._reporter.insist()

    def gone(self) -> None:
        """Take note that the pod is no longer there: whatever runs ends at once."""
        self._reporter.is_closed = True
        self._grace = 0.0
        self._kill()
        self._leave()

    def abandon(self) -> None:
        """End all containers without telling anybody: this process is about to end."""
        self._reporter.is_closed = True
        self._kill()
        self.task.cancel()

    def _leave(self) -> None:
        self.view.is_ending = True
        self._removal.set()
        self._end.set()

    def _kill(self) -> None:
        for runner in chain(self.inits, self.mains):
            runner.kill_now()

    def obey_faults(self) -> None:
        """Meet the faults that are there now."""
        for runner in chain(self.inits, self.mains):
            runner.obey_faults()
        if not self._end.is_set() and (fault := self._eviction()):
            self._evict(fault)

    def calm(self) -> None:
        """Forget faults that have not struck yet."""
        for runner in chain(self.inits, self.mains):
            runner.calm()

    def _eviction(self) -> Fault | None:
        if self.view.verdict or self._was_over or phase_of(self.view) in OVER:
            return None
        return self.home.take_fault(EVICT)

    def _evict(self, fault: Fault) -> None:
        message = fault.message or _EVICTED
        self.home.say(WARNING, "Evicted", message)
        self._give_up(Verdict("Evicted", message, is_disruption=True))

    def _give_up(self, verdict: Verdict) -> None:
        """End the pod before its time."""
        self.view.verdict = verdict
        self.view.is_ending = True
        self._end.set()
        self._changed()

    def _changed(self) -> None:
        if not self._was_over:
            self._reporter.changed()

    # Its life

    async def _live(self) -> None:
        try:
            if not self._was_over:
                await self._until_over()
                await self._reporter.flush()
            elif self.pod.is_deleted:
                self._removal.set()
            await self._removal.wait()
            await self._reporter.remove()
        except Exception:  # noqa: BLE001  # ours to mend, but the other pods shall live
            traceback.print_exc()
        finally:
            self._kill()
            self._clean()

    async def _until_over(self) -> None:
        if self.pod.is_deleted:
            self._removal.set()
            return
        problem = "; ".join(refusals.refusals(self.pod.spec)) if self.home.runs else ""
        if problem:
            self._refuse(problem)
            return
        if fault := self._eviction():
            self._evict(fault)
            return
        deadline = self._set_deadline()
        work, end = asyncio.create_task(self._work()), asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await self._stop_all(work)
            elif error := work.exception():
                traceback.print_exception(error)
                self._give_up(Verdict("ProcessNodeError", f"{type(error).__name__}: {error}"))
        finally:
            end.cancel()
            if deadline:
                deadline.cancel()
        self._changed()

    def _refuse(self, problem: str) -> None:
        self.home.say(WARNING, refusals.REASON, problem)
        self._give_up(Verdict(refusals.REASON, problem))

    def _set_deadline(self) -> asyncio.TimerHandle | None:
        seconds = self.pod.spec.get("activeDeadlineSeconds")
        if seconds is None:
            return None
        left = self.view.started_at + seconds - self.home.node.now()
        verdict = Verdict("DeadlineExceeded", _LATE)
        return asyncio.get_running_loop().call_later(max(left, 0.0), self._give_up, verdict)

    async def _stop_all(self, work: asyncio.Task[None]) -> None:
        """End all containers, each within the grace period, then what was waiting to start one."""
        running = [*self.inits, *self.mains]
        for runner in running:
            runner.is_stopping = True
        await asyncio.gather(*(runner.stop(self._grace) for runner in running))
        # One may have started meanwhile. What waits or is just starting is given up.
        await asyncio.gather(*(runner.stop(0.0) for runner in running))
        work.cancel()
        await asyncio.wait({work})

    async def _work(self) -> None:
        """Set the pod up, then run its containers for as long as they shall."""
        if self.inits:
            for runner in self.mains:
                runner.state.reason = INITIALIZING
        await self._set_up()
        for runner in self.inits:
            await runner.live()
            if runner.state.outcome != 0:
                return
        for runner in self.mains:
            runner.create()
        await asyncio.gather(*(runner.live() for runner in self.mains))

    async def _set_up(self) -> None:
        home = self.home
        if fault := home.take_fault(SLOW):
            self._changed()
            await asyncio.sleep(fault.seconds)
        self._address = self.view.address = home.tools.addresses.take()
        if home.runs:
            home.place = await self._prepare()
        self.view.is_set_up = True
        if home.runs or home.tools.settings.pretend_seconds:
            self._changed()  # else its containers run before it could be reported

    async def _prepare(self) -> Place:
        """Make the pod's folders, asking again for as long as something is missing."""
        tools = self.home.tools
        folder = tools.folder / self.pod.uid
        self._changed()
        while True:
            facts = Facts(self.pod, self._address, capacity_of(tools.settings))
            wanted = Volumes(facts, folder / "volumes", tools.objects, self._outside)
            try:
                volumes = await wanted.prepare()
            except UnsupportedError as error:
                self._refuse(str(error))
                await asyncio.Event().wait()
            except (MissingError, OSError) as error:
                self.home.say(WARNING, "FailedMount", f"MountVolume.SetUp failed: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return Place(facts, folder, volumes, tools.client.server)

    def _clean(self) -> None:
        if self._address:
            self.home.tools.addresses.give_back(self._address)
        for folder in (self.home.tools.folder / self.pod.uid, *self._outside):
            shutil.rmtree(folder, ignore_errors=True)
