"""What is created for a server and deleted with it: its pod, its claim, and what belongs to them.

A KubeSpawner that does not poll, and that is not put off by a server that answers late.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import aiohttp
from jupyterhub.utils import exponential_backoff, maybe_future
from kubernetes_asyncio.client import ApiException, V1DeleteOptions, V1Pod
from kubespawner import KubeSpawner
from kubespawner.objects import make_owner_reference
from traitlets import Unicode

from lectern_spawner.kubernetes.watch import Record

START = "lectern/start"
"""Annotation that tells a pod of this start from one of an earlier start."""

_RETRIED = (429, 500, 502, 503, 504)
_CONFLICT = 409
_LOST = (aiohttp.ClientError, TimeoutError, OSError)


class NotDoneError(Exception):
    """The API server does not do what it was asked for; the text is its own."""


class PodSpawner(KubeSpawner):
    """Creates and deletes."""

    start_id = Unicode(help="Tells this start from earlier ones.")

    if TYPE_CHECKING:  # KubeSpawner's own
        _pvc_exists: bool
        pvc_name: str

    @property
    def _key(self) -> str:
        return f"{self.namespace}/{self.pod_name}"

    @property
    def _pod(self) -> Record | None:
        watch = self.pod_reflector
        found: Record | None = watch.pods.get(self._key) if watch else None
        return found

    def _of_this_start(self) -> Record | None:
        """Return the pod unless it is one of an earlier start."""
        mine = self._pod
        is_mine = mine and mine["metadata"]["annotations"].get(START) == self.start_id
        return mine if is_mine else None

    async def stop(self, now: bool = False) -> None:
        """Delete the pod and wait until it is gone.

        Raises:
            TimeoutError: when it does not go.
        """
        await self._start_watching_pods()
        grace = 0 if now else self.delete_grace_period
        options = V1DeleteOptions(grace_period_seconds=grace)
        deadline = clock() + self.k8s_api_request_retry_timeout
        while not await self._make_delete_pod_request(
            self.pod_name, options, grace, self.k8s_api_request_timeout
        ):
            if clock() > deadline:
                raise TimeoutError(f"Could not delete pod {self._key}")
        async with asyncio.timeout(self.start_timeout):
            await self.pod_reflector.until(self._key, lambda pod: pod is None)

    async def _create(self, manifest: V1Pod) -> None:
        """Create the pod, in the face of a server that answers late or not at all.

        Raises:
            NotDoneError: when the server refuses it.
        """
        deadline = clock() + self.k8s_api_request_retry_timeout
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
                if error.status not in _RETRIED or clock() > deadline:
                    raise NotDoneError(words_of(error)) from None
            except _LOST as error:
                if clock() > deadline:
                    raise NotDoneError(words_of(error)) from None
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


def clock() -> float:
    """Return the event loop's time, in seconds."""
    return asyncio.get_running_loop().time()
