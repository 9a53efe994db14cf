"""One node: what it says about itself, and its lease."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cluster import programs
from cluster.process import times
from cluster.process.client import STRATEGIC, ApiError, Client
from cluster.process.faults import EVICT, NOT_READY, SKEW, Faults
from cluster.process.settings import LABEL, Settings

ADDRESS = "127.0.0.1"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_DEFAULTS = {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}
_WELL = {"MemoryPressure": "KubeletHasSufficientMemory", "DiskPressure": "KubeletHasNoDiskPressure"}


def capacity_of(settings: Settings) -> dict[str, str]:
    """Return what a node offers, extended resources included."""
    return {**_DEFAULTS, **settings.capacity}


@dataclass(slots=True)
class Node:
    """A node of ours."""

    name: str
    port: int
    """Of the server for logs and exec; 0 when nobody can reach it."""

    skew: float = 0.0
    """Seconds that its clock is ahead."""

    online: asyncio.Event = field(default_factory=asyncio.Event)
    """Unset while it says nothing at all."""

    complaint: str = ""
    """Why it is not Ready; empty when it is."""

    has_pressure: bool = False
    changed_at: float = 0.0
    lease_version: str = ""
    reporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the report that is on its way, so that the last one to arrive is the newest."""

    def now(self) -> float:
        """Return the time by its own clock."""
        return time.time() + self.skew

    def obey(self, faults: Faults) -> bool:
        """Take over what goes wrong; return whether that changes what it reports."""
        before = (self.skew, self.complaint, self.has_pressure, self.online.is_set())
        skewed, unready = faults.find(SKEW, self.name), faults.find(NOT_READY, self.name)
        evicting = faults.find(EVICT, self.name)
        self.skew = skewed.seconds if skewed else 0.0
        self.complaint = (unready.message or "the container runtime is down") if unready else ""
        self.has_pressure = bool(evicting and evicting.pressure)
        self.online.clear() if unready and unready.silent else self.online.set()
        after = (self.skew, self.complaint, self.has_pressure, self.online.is_set())
        if before[1:3] != after[1:3] or not self.changed_at:
            self.changed_at = self.now()
        return before != after


def conditions(node: Node) -> list[dict[str, str]]:
    """Return a node's conditions by its own clock."""
    pressed = node.has_pressure
    rows = {
        "MemoryPressure": (
            pressed,
            "KubeletHasInsufficientMemory" if pressed else _WELL["MemoryPressure"],
        ),
        "DiskPressure": (False, _WELL["DiskPressure"]),
        "PIDPressure": (False, "KubeletHasSufficientPID"),
        "Ready": (not node.complaint, "KubeletNotReady" if node.complaint else "KubeletReady"),
    }
    return [
        {
            "type": kind,
            "status": str(holds),
            "reason": reason,
            "message": (node.complaint or "the process node is well")
            if kind == "Ready"
            else reason,
            "lastHeartbeatTime": times.whole(node.now()),
            "lastTransitionTime": times.whole(node.changed_at),
        }
        for kind, (holds, reason) in rows.items()
    ]


def description(node: Node, settings: Settings) -> dict[str, Any]:
    """Return the object that a node registers itself with."""
    capacity = capacity_of(settings)
    system, machine = _system(), platform.machine()
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": system["architecture"],
        "lectern/node-kind": "process",
        LABEL: settings.prefix,
        **settings.labels,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels},
        "spec": {"taints": settings.taints} if settings.taints else {},
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": conditions(node),
            "addresses": [
                {"type": "InternalIP", "address": ADDRESS},
                {"type": "Hostname", "address": node.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": node.port}},
            "nodeInfo": {**system, "systemUUID": f"{node.name}-{machine}"},
            # So the API server hands WebSockets on as they are, instead of speaking SPDY to us.
            "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        },
    }


@cache
def _system() -> dict[str, str]:
    """Return what is true of this machine."""
    release = platform.freedesktop_os_release() if os.path.exists("/etc/os-release") else {}
    machine = Path("/etc/machine-id")
    architectures = {"x86_64": "amd64", "aarch64": "arm64"}
    return {
        "machineID": machine.read_text().strip() if machine.exists() else "",
        "bootID": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "kernelVersion": platform.release(),
        "osImage": release.get("PRETTY_NAME", "Linux"),
        "containerRuntimeVersion": "lectern-process://1",
        "kubeletVersion": f"v{programs.KUBERNETES}",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": architectures.get(platform.machine(), platform.machine()),
    }


async def register(client: Client, node: Node, settings: Settings) -> None:
    """Make a node known, or bring one that is known up to date.

    Resources that others added to its status stay.

    Raises:
        ApiError: when it may not.
    """
    content = description(node, settings)
    try:
        await client.insist("POST", "/api/v1/nodes", content)
    except ApiError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        path = f"/api/v1/nodes/{node.name}"
        await client.insist("PATCH", path, {"metadata": content["metadata"]}, form=STRATEGIC)
        # Merged by their type, old addresses would outlive the start of a new process.
        content["status"]["addresses"].append({"$patch": "replace"})
        await client.insist(
            "PATCH", f"{path}/status", {"status": content["status"]}, form=STRATEGIC
        )
    await renew(client, node, settings)


async def report(client: Client, node: Node) -> None:
    """Report a node's conditions, and only those: its capacity may be others' work by now."""
    path = f"/api/v1/nodes/{node.name}/status"
    async with node.reporting:
        body = {"status": {"conditions": conditions(node)}}
        await client.insist("PATCH", path, body, form=STRATEGIC)


async def renew(client: Client, node: Node, settings: Settings) -> None:
    """Renew a node's lease, or make it.

    Raises:
        ApiError: when it may not.
    """
    about: dict[str, Any] = {"name": node.name, "namespace": "kube-node-lease"}
    if node.lease_version:
        about["resourceVersion"] = node.lease_version
    content = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": about,
        "spec": {
            "holderIdentity": node.name,
            "leaseDurationSeconds": settings.lease_seconds,
            "renewTime": times.exact(node.now()),
        },
    }
    path = f"{_LEASES}/{node.name}" if node.lease_version else _LEASES
    try:
        lease = await client.ask(
            "PUT" if node.lease_version else "POST", path, content, is_urgent=True
        )
    except ApiError as error:
        if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
            raise
        # Somebody else wrote or removed it: look, so that the next renewal fits.
        found = await client.find(f"{_LEASES}/{node.name}")
        node.lease_version = found["metadata"]["resourceVersion"] if found else ""
        return
    node.lease_version = lease["metadata"]["resourceVersion"]


def is_given_up(content: dict[str, Any]) -> bool:
    """Whether the cluster has written that it does not know how the node is."""
    rows = content.get("status", {}).get("conditions", [])
    return any(row["type"] == "Ready" and row["status"] == "Unknown" for row in rows)


def foreign_resources(content: dict[str, Any], own: dict[str, str]) -> dict[str, str]:
    """Return what somebody added to a node's capacity and the scheduler does not see yet.

    A kubelet makes such resources allocatable when it reports next.
    """
    status = content.get("status", {})
    capacity, allocatable = status.get("capacity", {}), status.get("allocatable", {})
    return {
        name: value
        for name, value in capacity.items()
        if name not in own and allocatable.get(name) != value
    }
