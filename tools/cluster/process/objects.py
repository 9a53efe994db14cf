"""What pods refer to, asked for when they start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.process.client import ApiError, Client
from cluster.process.environment import MissingError, Source
from cluster.process.records import Pod


class Objects:
    """ConfigMaps, Secrets, claims and tokens of the API server."""

    def __init__(self, client: Client) -> None:
        """Ask an API server."""
        self._client = client

    async def sources(self, namespace: str, wanted: Iterable[Source]) -> dict[Source, Any]:
        """Return what there is under some names; None for what there is not."""
        return {
            (kind, name): await self._find(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
            for kind, name in sorted(set(wanted))
        }

    async def volume_of(self, namespace: str, claim: str) -> dict[str, Any]:
        """Return the spec of the volume that a claim is bound to.

        Raises:
            MissingError: when there is none yet.
        """
        found = await self._find(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}")
        if found is None:
            raise MissingError(f'persistentvolumeclaim "{claim}" not found')
        name = found["spec"].get("volumeName")
        if not name or found.get("status", {}).get("phase") != "Bound":
            raise MissingError(f'persistentvolumeclaim "{claim}" is not bound to a volume')
        volume = await self._find(f"/api/v1/persistentvolumes/{name}")
        if volume is None:
            raise MissingError(f'persistentvolume "{name}" not found')
        spec: dict[str, Any] = volume["spec"]
        return spec

    async def token(self, pod: Pod, audience: str, seconds: int) -> str:
        """Return a token of the pod's service account, bound to the pod.

        Raises:
            MissingError: when the API server gives none.
        """
        account = pod.spec.get("serviceAccountName") or "default"
        about = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
        spec = {"expirationSeconds": seconds, "boundObjectRef": about}
        path = f"/api/v1/namespaces/{pod.namespace}/serviceaccounts/{account}/token"
        body = {"spec": {**spec, "audiences": [audience] if audience else []}}
        try:
            made = await self._client.ask("POST", path, body)
        except ApiError as error:
            raise MissingError(f"no token of service account {account}: {error}") from None
        return str(made["status"]["token"])

    async def _find(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._client.find(path)
        except ApiError as error:
            raise MissingError(str(error)) from None
