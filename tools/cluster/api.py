"""The API server, as the cluster's administrator sees it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.rest import RESTResponse
from kubernetes.dynamic import DynamicClient
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from cluster.errors import ClusterError

_TIMEOUTS = (5.0, 10.0)
"""Seconds to connect, and to wait for an answer."""

_MANAGER = "lectern-cluster"


class Api:
    """A thin hand for what setting up a cluster needs; tests use ``core`` and ``client``."""

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        """Read who we are and where the API server is; nothing is asked yet.

        Raises:
            ClusterError: when that is not to be found in the file.
        """
        try:
            self.client: client.ApiClient = config.new_client_from_config(str(kubeconfig), context)
        except (config.ConfigException, YAMLError, ValueError, TypeError, OSError) as error:
            raise ClusterError(f"{kubeconfig} {_fault(str(kubeconfig))}: {error}") from None
        self.core = client.CoreV1Api(self.client)

    def close(self) -> None:
        """Close the connections that are kept for the next question."""
        self.client.rest_client.close()

    @cached_property
    def dynamic(self) -> DynamicClient:
        """Kinds that are only known by name; asks the API server for its list once."""
        return DynamicClient(self.client)

    def is_ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            answer = self._get("/readyz")
            answer.read()
            return bool(answer.status == HTTPStatus.OK)
        except (client.ApiException, HTTPError, OSError):
            return False

    def read(self, path: str) -> dict[str, Any] | None:
        """Return an object or a list as it is in JSON, None when there is none.

        Args:
            path: for example ``/api/v1/nodes/host``.

        Raises:
            kubernetes.client.ApiException: for every other answer than 200 and 404.
        """
        answer = self._get(path)
        content = answer.read()  # also where it is not wanted: a connection is free only then
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise client.ApiException(http_resp=answer)
        found: dict[str, Any] = json.loads(content)
        return found

    def _get(self, path: str) -> RESTResponse:
        address = f"{self.client.configuration.host}{path}"
        return self.client.call_api("GET", address, _request_timeout=_TIMEOUTS)

    def nodes(self) -> list[dict[str, Any]]:
        """Return all nodes."""
        rows: list[dict[str, Any]] = (self.read("/api/v1/nodes") or {})["items"]
        return rows

    def is_node_ready(self, name: str) -> bool:
        """Whether a node is there and Ready."""
        node = self.read(f"/api/v1/nodes/{name}")
        return node is not None and is_ready(node)

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Make objects or bring them to what is asked, by server-side apply."""
        for content in objects:
            resource = self.dynamic.resources.get(
                api_version=content["apiVersion"], kind=content["kind"]
            )
            resource.server_side_apply(
                body=content,
                name=content["metadata"]["name"],
                namespace=content["metadata"].get("namespace"),
                field_manager=_MANAGER,
                force_conflicts=True,
            )


def is_ready(thing: dict[str, Any]) -> bool:
    """Whether a node or pod says that it is Ready."""
    rows = thing.get("status", {}).get("conditions") or []
    return any(row["type"] == "Ready" and row["status"] == "True" for row in rows)


def _fault(paths: str) -> str:
    """Return what is wrong with a kubeconfig, or with the first bad one of several."""
    for path in map(Path, paths.split(os.pathsep)):
        if not path.exists():
            return "does not exist"
        if not path.is_file() or not os.access(path, os.R_OK):
            return "cannot be read"
    return "is no kubeconfig"


def wait(holds: Callable[[], object], what: str, seconds: float, every: float = 0.05) -> None:
    """Return once something holds.

    Raises:
        ClusterError: when it did not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what} within {seconds:g} seconds")
        time.sleep(every)
