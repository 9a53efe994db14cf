"""CourseKubeSpawner: course profiles become pods.

A thin subclass of KubeSpawner: plans come from `CourseSpawnerMixin`, pods from `pod`,
what happens to them from `watch`, and words for it from `events`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

from jupyterhub.utils import maybe_future
from kubernetes_asyncio.client import ApiException, V1Pod
from traitlets import Instance, TraitError, Unicode, default, validate

from lectern_spawner import accounts
from lectern_spawner.accounts import Accounts
from lectern_spawner.kubernetes import events, pod
from lectern_spawner.kubernetes.creating import START, NotDoneError, PodSpawner, clock, words_of
from lectern_spawner.kubernetes.events import Condition, Hope
from lectern_spawner.kubernetes.pod import Identity
from lectern_spawner.kubernetes.records import Events, Pods
from lectern_spawner.kubernetes.watch import Record, Watch
from lectern_spawner.plan import ServerPlan
from lectern_spawner.spawning import CannotStartError, CourseSpawnerMixin

_PATIENCE_SECONDS = 10.0
"""How long a condition that looks final may last: an image may just be on its way."""

_START_SECONDS = 15 * 60
"""A machine that gets a large image for the first time, or a pool that is full for a while."""


class CourseKubeSpawner(CourseSpawnerMixin, PodSpawner):
    """Start servers of course profiles as pods."""

    state_dir = Unicode(help="Folder with the table of uids.").tag(config=True)
    accounts = Instance(Accounts, help="Who has which uid; one table for all servers.")
    _guard: asyncio.Task[None] | None = None
    """Waits for the end of a server that runs."""

    @validate("profile_list")
    def _no_profile_list(self, proposal: Any) -> Any:  # noqa: ANN401 - a list, a dict or a function
        if proposal["value"] and self.trait_has_value("live"):
            raise TraitError(
                "profile_list is not used here: profiles are those of the course files, "
                "which `lectern check` checks and JupyterHub's REST API cannot go round"
            )
        return proposal["value"]

    @default("accounts")
    def _accounts(self) -> Accounts:
        return accounts.of(Path(self.state_dir))

    @default("cmd")
    def _cmd(self) -> list[str]:
        return ["jupyterhub-singleuser"]

    @default("start_timeout")
    def _start_timeout(self) -> int:
        return _START_SECONDS

    @default("default_url")
    def _default_url(self) -> str:
        return "/lab"

    # What a start is.

    def apply_plan(self, plan: ServerPlan) -> None:
        """Set every resource of this server; nothing stays from an earlier start."""
        super().apply_plan(plan)
        self.image = plan.image
        for trait in ("extra_resource_limits", "extra_resource_guarantees"):
            setattr(self, trait, {})

    async def load_user_options(self) -> None:
        """Load nothing where a plan says it all; KubeSpawner looks for its own profiles here."""
        if self.plan is None:
            await super().load_user_options()

    async def get_pod_manifest(self) -> V1Pod:
        """Return KubeSpawner's pod with what the plan says."""
        manifest = await super().get_pod_manifest()
        manifest.metadata.annotations = {
            **(manifest.metadata.annotations or {}),
            START: self.start_id,
        }
        return pod.fit(manifest, self.plan, self.identity()) if self.plan else manifest

    def identity(self) -> Identity:
        """Return whom the server's processes belong to."""
        return Identity(self.user.name, self.accounts.get(self.user.name).uid)

    async def _start(self) -> str:
        """Create the pod and return its address as soon as it is ready.

        Raises:
            CannotStartError: with a sentence, as soon as it is clear that it will not be.
        """
        self.start_id = uuid.uuid4().hex
        await self.load_user_options()
        if self.enable_user_namespaces:
            await self._ensure_namespace()
        await self._watch()
        if self.storage_pvc_ensure:
            await self._ensure_claim()
        manifest = await self.get_pod_manifest()
        if self.modify_pod_hook:
            manifest = await maybe_future(self.modify_pod_hook(self, manifest))
        try:
            await self._create(manifest)
        except NotDoneError as error:
            raise self._refused(str(error)) from None
        await self._companions()
        running = await self._until_running()
        self.pod_id = running["metadata"]["uid"]
        self._begin_to_notice()
        url: str = self._get_pod_url(running)
        return url

    # What happens to it.

    async def _start_watching_pods(self, replace: bool = False) -> Pods:
        """Watch the pods of servers; KubeSpawner calls this before it looks at any."""
        watch: Pods = await self._begun(
            Pods, replace=replace, labels={"component": self.component_label}
        )
        return watch

    async def _start_watching_events(self, replace: bool = False) -> Events:
        """Watch what is said about pods."""
        watch: Events = await self._begun(
            Events, replace=replace, fields={"involvedObject.kind": "Pod"}
        )
        return watch

    async def _begun(self, kind: type[Watch], **settings: Any) -> Any:  # noqa: ANN401 - of the kind
        """Return the one watch of a kind, begun by whoever is first.

        Raises:
            ApiException: when the server refuses it; it is tried anew the next time.
        """
        try:
            return await self._start_reflector(
                kind=kind.kind,
                reflector_class=kind,
                omit_namespace=self.enable_user_namespaces,
                **settings,
            )
        except ApiException:
            type(self).reflectors.pop(self._get_reflector_key(kind.kind), None)
            raise

    async def _watch(self) -> None:
        wanted: list[Awaitable[object]] = [self._start_watching_pods()]
        if self.events_enabled:
            wanted.append(self._start_watching_events())
        try:
            await asyncio.gather(*wanted)
        except ApiException as error:
            raise self._refused(words_of(error)) from None

    def _condition(self) -> Condition | None:
        """Return what is going on with the pod of this start."""
        mine = self._of_this_start()
        if mine is None:
            return None
        uid = mine["metadata"]["uid"]
        watch = self.event_reflector
        told = watch.of(self._key) if watch else []
        return events.said(mine, [row for row in told if row["involvedObject"].get("uid") == uid])

    async def _news(self, patience_seconds: float) -> bool:
        """Wait for news of the pod; return whether there was any."""
        watches = [watch for watch in (self.pod_reflector, self.event_reflector) if watch]
        waiting = [asyncio.ensure_future(watch.change(self._key)) for watch in watches]
        try:
            done, _ = await asyncio.wait(
                waiting, timeout=patience_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for future in waiting:
                future.cancel()
        return bool(done)

    async def _until_running(self) -> Record:
        """Wait until the pod is ready, as long as there is hope.

        Raises:
            CannotStartError: when there is none, or it took too long.
        """
        deadline = clock() + self.start_timeout
        hopeless_since: float | None = None
        while not self.is_pod_running(self._of_this_start()):
            found = self._condition()
            if found is None or found.hope is not Hope.FAILS:
                hopeless_since = None
            elif hopeless_since is None:
                hopeless_since = clock()
            if found and hopeless_since and clock() - hopeless_since >= _PATIENCE_SECONDS:
                await self._give_up(found)
            if clock() >= deadline:
                await self._give_up(found or events.of("SlowStart: nothing was said"))
            await self._news(min(_PATIENCE_SECONDS, max(0.1, deadline - clock())))
        running = self._of_this_start()
        assert running
        return running

    async def _give_up(self, found: Condition) -> None:
        """Remove the pod and say why.

        Raises:
            CannotStartError: always.
        """
        failure = self._failure(found, "does not start")
        await self.stop(now=True)
        raise failure

    def _refused(self, original: str) -> CannotStartError:
        """Return what to say where the server does not do what it was asked for."""
        return self._failure(events.of(original), "cannot be started")

    def _failure(self, found: Condition, what: str) -> CannotStartError:
        """Return what to say, and keep Kubernetes' words and the person's reference in the log."""
        self.log.error(
            "%s %s, %s %s: %s",
            self._log_name, what, found.code, found.values["reference"], found.original,
        )  # fmt: skip
        return CannotStartError(found.text(self.spoken()), reason=found.code)

    async def stop(self, now: bool = False) -> None:
        """Delete the pod and wait until it is gone.

        Raises:
            TimeoutError: when it does not go.
        """
        if self._guard:
            self._guard.cancel()
        await super().stop(now)

    async def poll(self) -> int | None:
        """Return None while the server runs, else its exit code; from now on, notice its end."""
        code: int | None = await super().poll()
        if code is None and self.ready:
            self._begin_to_notice()
        return code

    def _begin_to_notice(self) -> None:
        if self._guard is None:
            self._guard = asyncio.create_task(self._notice_end())

    async def _notice_end(self) -> None:
        """Tell JupyterHub at once when the pod is gone or its server has ended."""
        try:
            await self.pod_reflector.until(self._key, _has_ended)
        finally:
            self._guard = None
        if self.ready:
            self.log.warning("The pod of %s has ended by itself", self._log_name)
            await self.poll_and_notify()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what happens, in the person's language."""
        spoken, told, percent = self.spoken(), "", 0
        while True:
            ended = bool(self._start_future and self._start_future.done())
            found = self._condition()
            if found and found.code != told:
                told = found.code
                percent += (90 - percent) // 3
                self.log.info("%s: %s (%s)", self._log_name, found.code, found.original)
                yield {"progress": percent, "message": found.text(spoken)}
            if ended:
                return
            await self._news(1.0)


def _has_ended(pod: Record | None) -> bool:
    """Whether a pod is gone or no longer runs anything."""
    return pod is None or pod["status"].get("phase") in ("Succeeded", "Failed")
