"""Pods for the tests of clusters, and what becomes of them."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

from cluster.images import BUSYBOX
from tests.support.processes import eventually

_PATIENCE_SECONDS = 90
EMULATED_SECONDS = 300
"""Patience for pods on machine nodes, where everything takes its time when QEMU translates."""

IMAGE = os.environ.get("LECTERN_TEST_IMAGE", BUSYBOX)
"""What pods run; a cluster that `--kubeconfig` names may have busybox under another name."""

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 20001,
    "runAsGroup": 100,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security's level `restricted` asks for."""


def pod(name: str, script: str, *, node: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a pod that runs a shell script once.

    Args:
        name: its name, also its label ``app``.
        script: for busybox's shell.
        node: where it must run; the scheduler decides if not given.
        more: further keys of its spec; those of the container under ``container``.
    """
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        **more.pop("container", {}),
    }
    spec = {"restartPolicy": "Never", "containers": [container], "terminationGracePeriodSeconds": 1}
    if node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec | more}


def finished(api, namespace: str, name: str, seconds: float = _PATIENCE_SECONDS) -> tuple[str, str]:
    """Wait for a pod's end; return its phase and what it printed."""
    wait_for_phase(api, namespace, name, "Succeeded", "Failed", seconds=seconds)
    phase = api.core.read_namespaced_pod(name, namespace).status.phase
    return phase, api.core.read_namespaced_pod_log(name, namespace)


def run(
    api, namespace: str, manifest: dict[str, Any], seconds: float = _PATIENCE_SECONDS
) -> tuple[str, str]:
    """Create a pod and wait for its end."""
    api.core.create_namespaced_pod(namespace, manifest)
    return finished(api, namespace, manifest["metadata"]["name"], seconds)


def wait_for_phase(
    api, namespace: str, name: str, *phases: str, seconds: float = _PATIENCE_SECONDS
) -> Any:
    """Wait until a pod is in one of some phases, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = api.core.read_namespaced_pod(name, namespace)
        if found.status.phase in phases:
            return found
        assert time.monotonic() < deadline, f"{name} is {found.status}; {events(api, namespace)}"
        time.sleep(0.1)


def wait_until_ready(api, namespace: str, name: str) -> Any:
    """Wait until a pod is Ready, and return it."""

    def is_ready() -> bool:
        conditions = api.core.read_namespaced_pod(name, namespace).status.conditions or []
        return any(row.type == "Ready" and row.status == "True" for row in conditions)

    eventually(is_ready, f"{name} was never ready; {events(api, namespace)}")
    return api.core.read_namespaced_pod(name, namespace)


def events(api, namespace: str) -> list[str]:
    """Return what is written down about a namespace's objects."""
    rows = api.core.list_namespaced_event(namespace).items
    return [f"{row.involved_object.name}: {row.reason}: {row.message}" for row in rows]


def execute(cluster, namespace: str, name: str, script: str) -> tuple[int, str]:
    """Run a script in a pod by `kubectl exec`; return its exit code and what it printed."""
    command = [*cluster.programs.command("kubectl"), f"--kubeconfig={cluster.kubeconfig}"]
    command += ["exec", "--namespace", namespace, name, "--", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr
