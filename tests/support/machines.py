"""Pods on machine nodes, where everything takes its time when QEMU translates."""

from __future__ import annotations

from typing import Any

from cluster.api import wait
from cluster.errors import ClusterError
from tests.support.pods import events, finished

_PATIENCE_SECONDS = 300


def run_there(api, namespace: str, manifest: dict[str, Any]) -> tuple[str, str]:
    """Create a pod and wait for its end, with several times the patience that `run` has."""
    name = manifest["metadata"]["name"]
    api.core.create_namespaced_pod(namespace, manifest)

    def has_ended() -> bool:
        phase = api.core.read_namespaced_pod(name, namespace).status.phase
        return phase in ("Succeeded", "Failed")

    try:
        wait(has_ended, f"{name} did not end", _PATIENCE_SECONDS)
    except ClusterError as error:
        raise AssertionError(f"{error}: {events(api, namespace)}") from None
    return finished(api, namespace, name)
