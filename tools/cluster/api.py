"""The API server, as the cluster's administrator sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.dynamic import DynamicClient
from urllib3.exceptions import HTTPError

from cluster.errors import ClusterError

_MANAGER = "lectern-cluster"


class Api:
    """A thin hand for what setting up a cluster needs; tests use ``client`` for the rest."""

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        self.client: client.ApiClient = config.new_client_from_config(str(kubeconfig), context)
        self.core = client.CoreV1Api(self.client)

    @cached_property
    def dynamic(self) -> DynamicClient:
        """Kinds that are only known by name; asks the API server for its list once."""
        return DynamicClient(self.client)

    def is_ready(self) -> bool:
        """Whether the API server says that it is ready."""
        address = f"{self.client.configuration.host}/readyz"
        try:
            answer = self.client.call_api("GET", address, _request_timeout=(1.0, 2.0))
        except (client.ApiException, HTTPError, OSError):
            return False
        return bool(answer.status == 200)

    def is_node_ready(self, name: str) -> bool:
        """Whether a node is there and Ready."""
        try:
            conditions = self.core.read_node_status(name).status.conditions or []
        except client.ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return any(row.type == "Ready" and row.status == "True" for row in conditions)

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
