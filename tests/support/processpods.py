"""Pods on process nodes: where they go, and what a user sees of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubernetes import client
from kubernetes.stream import stream

from tests.support.pods import events, pod
from tests.support.processes import eventually


class Pods:
    """The pods of one namespace, kept on one set of nodes."""

    def __init__(self, cluster, namespace: str, nodes) -> None:
        self.api = cluster.api
        self.core = cluster.api.core
        self.namespace = namespace
        self.nodes = nodes

    def start(self, name: str, script: str, **more: Any) -> None:
        """Create a pod that runs a script; more keys as for `pods.pod`."""
        manifest = pod(name, script, nodeSelector=self.nodes.selector, **more)
        self.core.create_namespaced_pod(self.namespace, manifest)

    def status(self, name: str) -> dict[str, Any]:
        """Return a pod's status as it is in JSON; empty when there is no pod."""
        found = self.api.read(f"/api/v1/namespaces/{self.namespace}/pods/{name}")
        return found["status"] if found else {}

    def container(self, name: str, container: str = "main") -> dict[str, Any]:
        """Return a container's status."""
        status = self.status(name)
        rows = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
        return next((row for row in rows if row["name"] == container), {})

    def waiting(self, name: str) -> str:
        """Return why a pod's container waits."""
        return self.container(name).get("state", {}).get("waiting", {}).get("reason", "")

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        rows = self.status(name).get("conditions", [])
        return next((row for row in rows if row["type"] == kind), {})

    def is_ready(self, name: str) -> bool:
        return self.condition(name, "Ready").get("status") == "True"

    def reasons(self, name: str) -> set[str]:
        """Return the reasons of all events about a pod."""
        rows = self.core.list_namespaced_event(self.namespace).items
        return {row.reason for row in rows if row.involved_object.name == name}

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds; say what happened if it does not."""
        try:
            eventually(holds, what)
        except AssertionError:
            rows = self.core.list_namespaced_pod(self.namespace).items
            states = [(row.metadata.name, row.status.to_dict()) for row in rows]
            raise AssertionError(f"{what}; {states}; {events(self.api, self.namespace)}") from None

    def until_ready(self, name: str) -> None:
        self.until(lambda: self.is_ready(name), f"{name} was never ready")

    def until_phase(self, name: str, phase: str) -> None:
        self.until(lambda: self.status(name).get("phase") == phase, f"{name} was never {phase}")

    def until_waiting(self, name: str, reason: str) -> None:
        self.until(lambda: self.waiting(name) == reason, f"{name} never waited with {reason}")

    def log(self, name: str, **wish: Any) -> str:
        """Return a pod's log by way of the API server."""
        return self.core.read_namespaced_pod_log(name, self.namespace, **wish)

    def result(self, name: str, script: str, **more: Any) -> str:
        """Run a script to its end, which must be a success, and return what it printed."""
        self.start(name, script, **more)
        self.until(
            lambda: self.status(name).get("phase") in ("Succeeded", "Failed"), f"{name} did not end"
        )
        assert self.status(name)["phase"] == "Succeeded", (self.status(name), self.log(name))
        return self.log(name)

    def delete(self, name: str, **more: Any) -> None:
        self.core.delete_namespaced_pod(name, self.namespace, **more)

    def until_gone(self, name: str) -> None:
        self.until(lambda: not self.status(name), f"{name} was not removed")


def deployment(name: str, replicas: int, selector: dict[str, str], **spec: Any) -> dict[str, Any]:
    """Return a Deployment of pods that run until they are told to end."""
    template = pod(name, "trap exit TERM; while :; do sleep 0.1; done", nodeSelector=selector)
    template["spec"] |= {"restartPolicy": "Always", **spec}
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": template["metadata"], "spec": template["spec"]},
        },
    }


def create_deployment(pods: Pods, name: str, replicas: int, **spec: Any) -> None:
    """Create a Deployment on the nodes of some pods."""
    apps = client.AppsV1Api(pods.api.client)
    body = deployment(name, replicas, pods.nodes.selector, **spec)
    apps.create_namespaced_deployment(pods.namespace, body)


def ready_replicas(pods: Pods, name: str) -> int:
    apps = client.AppsV1Api(pods.api.client)
    return apps.read_namespaced_deployment_status(name, pods.namespace).status.ready_replicas or 0


def connected(pods: Pods, name: str, *words: str, tty: bool = False):
    connect = pods.core.connect_get_namespaced_pod_exec
    return stream(connect, name, pods.namespace, command=list(words), stderr=True, stdin=tty,
                  stdout=True, tty=tty, _preload_content=False)  # fmt: skip


def finished(session) -> tuple[int, str]:
    """Return a command's exit code and all that it says."""
    session.run_forever(timeout=60)
    code = session.returncode
    said = session.read_all()
    session.sock.shutdown()  # the client's own close() leaves the connection open
    return code, said


def execute(pods: Pods, name: str, *words: str) -> str:
    """Run a command by the Python client."""
    return finished(connected(pods, name, *words))[1]
