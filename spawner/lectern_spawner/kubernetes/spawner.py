"""CourseKubeSpawner: course profiles become pods.

A thin subclass of KubeSpawner: plans come from `CourseSpawnerMixin`, pods from `pod`,
what happens to them from `watch`, and words for it from `events`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from jupyterhub.utils import exponential_backoff, maybe_future
from kubernetes_asyncio.client import ApiException, V1DeleteOptions, V1Pod
from kubespawner import KubeSpawner
from kubespawner.objects import make_owner_reference
from traitlets import Instance, TraitError, Unicode, default, validate

from lectern_spawner import accounts
from lectern_spawner.accounts import Accounts
from lectern_spawner.kubernetes import events, pod
from lectern_spawner.kubernetes.events import Condition, Hope
from lectern_spawner.kubernetes.pod import Identity
from lectern_spawner.kubernetes.records import Events, Pods
from lectern_spawner.kubernetes.watch import Record
from lectern_spawner.plan import ServerPlan
from lectern_spawner.spawning import CannotStartError, CourseSpawnerMixin

START = "lectern/start"
"""Annotation that tells a pod of this start from one of an earlier start."""

_PATIENCE_SECONDS = 10.0
"""How long a condition that looks final may last: an image may just be on its way."""

_RETRIED = (429, 500, 502, 503, 504)
_CONFLICT = 409
_LOST = (aiohttp.ClientError, TimeoutError, OSError)


class CourseKubeSpawner(CourseSpawnerMixin, KubeSpawner):
    """Start servers of course profiles as pods."""

    state_dir = Unicode(help="Folder with the table of uids.").tag(config=True)
    accounts = Instance(Accounts, help="Who has which uid; one table for all servers.")
    if TYPE_CHECKING:  # KubeSpawner's own
        _pvc_exists: bool
        pvc_name: str

    _guard: asyncio.Task[None] | None = None
    """Waits for the end of a server that runs."""

    start_id = Unicode(help="Tells this start from earlier ones.")

    @validate("profile_list")
    def _no_profile_list(self, proposal: Any) -> Any:  # noqa: ANN401 - a list, a dict or a function
        if proposal["value"] and self.has_trait("live") and self._trait_values.get("live"):
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
        await self._create(manifest)
        await self._companions()
        running = await self._until_running()
        self.pod_id = running["metadata"]["uid"]
        self._begin_to_notice()
        url: str = self._get_pod_url(running)
        return url

    # What happens to it.

    async def _start_watching_pods(self, replace: bool = False) -> Pods:
        """Watch the pods of servers; KubeSpawner calls this before it looks at any."""
        watch: Pods = await self._start_reflector(
            kind="pods",
            reflector_class=Pods,
            labels={"component": self.component_label},
            omit_namespace=self.enable_user_namespaces,
            replace=replace,
        )
        return watch

    async def _start_watching_events(self, replace: bool = False) -> Events:
        """Watch what is said about pods."""
        watch: Events = await self._start_reflector(
            kind="events",
            reflector_class=Events,
            fields={"involvedObject.kind": "Pod"},
            omit_namespace=self.enable_user_namespaces,
            replace=replace,
        )
        return watch

    async def _watch(self) -> None:
        wanted: list[Awaitable[object]] = [self._start_watching_pods()]
        if self.events_enabled:
            wanted.append(self._start_watching_events())
        await asyncio.gather(*wanted)

    @property
    def _key(self) -> str:
        return f"{self.namespace}/{self.pod_name}"

    @property
    def _pod(self) -> Record | None:
        watch = self.pod_reflector
        found: Record | None = watch.pods.get(self._key) if watch else None
        return found

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
        deadline = _now() + self.start_timeout
        hopeless_since: float | None = None
        while not self.is_pod_running(self._of_this_start()):
            found = self._condition()
            if found is None or found.hope is not Hope.FAILS:
                hopeless_since = None
            elif hopeless_since is None:
                hopeless_since = _now()
            if found and hopeless_since and _now() - hopeless_since >= _PATIENCE_SECONDS:
                await self._give_up(found)
            if _now() >= deadline:
                await self._give_up(found or events.of("SlowStart: nothing was said"))
            await self._news(min(_PATIENCE_SECONDS, max(0.1, deadline - _now())))
        running = self._of_this_start()
        assert running
        return running

    async def _give_up(self, found: Condition) -> None:
        """Remove the pod and say why.

        Raises:
            CannotStartError: always.
        """
        self.log.error(
            "%s does not start, %s %s: %s",
            self._log_name, found.code, found.values["reference"], found.original,
        )  # fmt: skip
        await self.stop(now=True)
        raise CannotStartError(found.text(self.spoken()), reason=found.code)

    def _of_this_start(self) -> Record | None:
        """Return the pod unless it is one of an earlier start."""
        mine = self._pod
        is_mine = mine and mine["metadata"]["annotations"].get(START) == self.start_id
        return mine if is_mine else None

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

    async def stop(self, now: bool = False) -> None:
        """Delete the pod and wait until it is gone.

        Raises:
            TimeoutError: when it does not go.
        """
        if self._guard:
            self._guard.cancel()
        await self._start_watching_pods()
        grace = 0 if now else self.delete_grace_period
        options = V1DeleteOptions(grace_period_seconds=grace)
        deadline = _now() + self.k8s_api_request_retry_timeout
        while not await self._make_delete_pod_request(
            self.pod_name, options, grace, self.k8s_api_request_timeout
        ):
            if _now() > deadline:
                raise TimeoutError(f"Could not delete pod {self._key}")
        async with asyncio.timeout(self.start_timeout):
            await self.pod_reflector.until(self._key, lambda pod: pod is None)

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

    # What is created for it.

    async def _create(self, manifest: V1Pod) -> None:
        """Create the pod, in the face of a server that answers late or not at all.

        Raises:
            CannotStartError: when the server refuses it.
        """
        deadline = _now() + self.k8s_api_request_retry_timeout
        delay = 0.2
        while True:
            try:
                async with asyncio.timeout(self.k8s_api_request_timeout):
                    await self.api.create_namespaced_pod(self.namespace, manifest)
            except ApiException as error:
                if error.status == _CONFLICT:
                    if await self._is_there_already():
                        return
                    await self.stop(now=True)
                    continue
                if error.status not in _RETRIED or _now() > deadline:
                    raise self._refused(error) from None
            except _LOST as error:
                if _now() > deadline:
                    raise self._refused(error) from None
            else:
                return
            await asyncio.sleep(delay)
            delay = min(2 * delay, 2.0)

    async def _is_there_already(self) -> bool:
        """Whether the pod in our way is ours: an answer to an earlier try was lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.k8s_api_request_timeout):
                await self.pod_reflector.until(self._key, lambda pod: pod is not None)
        return self._of_this_start() is not None

    def _refused(self, error: Exception) -> CannotStartError:
        """Return what to say of a pod that could not be created."""
        found = events.of(words_of(error))
        self.log.error(
            "The pod of %s could not be created, %s %s: %s",
            self._log_name, found.code, found.values["reference"], found.original,
        )  # fmt: skip
        return CannotStartError(found.text(self.spoken()), reason=found.code)

    async def _ensure_claim(self) -> None:
        """Create a claim of this server's own, where the site wants one."""
        if self._pvc_exists:
            return
        await self._find_older_claim()
        if not self._pvc_exists:
            await exponential_backoff(
                lambda: self._make_create_pvc_request(
                    self.get_pvc_manifest(), self.k8s_api_request_timeout
                ),
                f"Could not create PVC {self.pvc_name}",
                timeout=self.k8s_api_request_retry_timeout,
            )
            self._pvc_exists = True

    async def _find_older_claim(self) -> None:
        """Go on with a claim that KubeSpawner 6 or older has named."""
        wants = self.handle_legacy_names and self.remember_pvc_name
        if not wants or self._state_kubespawner_version != "unknown":
            return
        older = self._expand_user_properties(self.pvc_name_template, slug_scheme="escape")
        for name in dict.fromkeys((self.pvc_name, older)):
            if await self._check_pvc_exists(name, self.namespace):
                self.pvc_name, self._pvc_exists = name, True
                return

    async def _companions(self) -> None:
        """Create what belongs to the pod: a secret and a service, and what a site's hook makes."""
        if not (self.internal_ssl or self.services_enabled or self.after_pod_created_hook):
            return
        try:
            created = await self.pod_reflector.until(self._key, self.pod_has_uid)
            owner = make_owner_reference(self.pod_name, created["metadata"]["uid"])
            if self.internal_ssl:
                await self._replace("secret", self.get_secret_manifest(owner))
            if self.internal_ssl or self.services_enabled:
                port = self._get_pod_port(created)
                await self._replace("service", self.get_service_manifest(owner, port))
            if self.after_pod_created_hook:
                await maybe_future(self.after_pod_created_hook(self, created))
        except BaseException:
            await self.stop(now=True)
            raise

    async def _replace(self, kind: str, manifest: Any) -> None:  # noqa: ANN401 - of either kind
        """Create an object, after one of the same name was removed."""
        name = manifest.metadata.name
        await exponential_backoff(
            lambda: self._ensure_not_exists(kind, name), f"Could not delete {kind} {name}"
        )
        await exponential_backoff(
            lambda: self._make_create_resource_request(kind, manifest),
            f"Could not create {kind} {name}",
        )


def _has_ended(pod: Record | None) -> bool:
    """Whether a pod is gone or no longer runs anything."""
    return pod is None or pod["status"].get("phase") in ("Succeeded", "Failed")


def words_of(error: Exception) -> str:
    """Return an error of the API, or of the way to it, as ``REASON: message``."""
    status = getattr(error, "status", None)
    if status is None:
        return f"APIUnreachable: {type(error).__name__} {error}"
    try:
        told = json.loads(getattr(error, "body", None) or "{}")
    except ValueError:
        told = {}
    return f"{told.get('reason') or status}: {told.get('message') or error}"


def _now() -> float:
    return asyncio.get_running_loop().time()
