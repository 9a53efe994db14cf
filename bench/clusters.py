"""How long the clusters of `make cluster` take to start, and what a large one needs.

Every round starts a cluster from nothing; programs, images and the machine nodes'
system are in the cache, as after the first start.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.record import Values
from cluster import cgroups, keeper
from cluster.api import wait
from cluster.cluster import Cluster
from cluster.hostnode import HostNode
from cluster.layout import Layout
from cluster.machine.node import MachineNode
from cluster.processnodes import ProcessNodes

FEW, MANY, PODS = 50, 200, 3000
_SETS = 30
"""ReplicaSets that the pods belong to: their controller makes one set's pods in a row."""

_PATIENCE_SECONDS = 400.0


class Clusters:
    """Measures in clusters below a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep each round's cluster in ``folder``."""
        self._folder = folder

    def start(self, _order: tuple[str, str]) -> Values:
        """Measure control plane, host node and process nodes, and the end of all."""
        with self._running() as (cluster, control_plane):
            host = _seconds(HostNode(cluster).start)
            process = _seconds(lambda: ProcessNodes.start(cluster, FEW, mode="run"))
            end = _seconds(cluster.stop)
        return {
            "cluster_control_plane": {"ours": control_plane},
            "cluster_host_node": {"ours": host},
            "cluster_process_node": {"ours": process / FEW},
            "cluster_end": {"ours": end},
        }

    def machines(self, _order: tuple[str, str]) -> Values:
        """Measure a machine node under emulation, and with hardware where that works."""
        found: dict[str, dict[str, float]] = {}
        with self._running() as (cluster, _):
            for accelerator in ("tcg", MachineNode(cluster).fastest()):
                if (name := f"cluster_machine_{accelerator}") not in found:
                    node = MachineNode(cluster, accelerator=accelerator)
                    found[name] = {"ours": _seconds(node.start)}
                    node.delete()
        return found

    def crowd(self, _order: tuple[str, str]) -> Values:
        """Measure the memory of everything with many pods on many process nodes."""
        with self._running() as (cluster, _):
            nodes = ProcessNodes.start(cluster, MANY, mode="pretend")
            began = time.monotonic()
            for number in range(_SETS):
                cluster.api.apply([_replica_set(f"crowd-{number}", PODS // _SETS)])
            wait(lambda: _running_pods(cluster) == PODS, "not all pods ran", _PATIENCE_SECONDS, 1.0)
            seconds = time.monotonic() - began
            memory = _resident_bytes(cluster) / 2**30
            nodes.kill()
        return {
            "cluster_crowd_memory": {"ours": memory},
            "cluster_crowd_seconds": {"ours": seconds},
        }

    @contextmanager
    def _running(self) -> Iterator[tuple[Cluster, float]]:
        """Yield a new cluster, and how many seconds its control plane took."""
        cluster = Cluster(Layout(self._folder / secrets.token_hex(4)), _tell)
        seconds = _seconds(cluster.start)
        try:
            yield cluster, seconds
        finally:
            cluster.stop()


def _seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _replica_set(name: str, count: int) -> dict[str, Any]:
    labels = {"app": name}
    container = {
        "name": "main",
        "image": "none",
        "command": ["sleep", "600"],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def _running_pods(cluster: Cluster) -> int:
    """Return how many pods run, counted by their controllers, which is cheap to ask."""
    sets = cluster.api.read("/apis/apps/v1/namespaces/default/replicasets") or {}
    return sum(item["status"].get("readyReplicas", 0) for item in sets["items"])


def _resident_bytes(cluster: Cluster) -> int:
    """Return the memory of all programs; what they share is counted once."""
    folder = cgroups.hierarchies()[0].folder / keeper.group_name(cluster.layout.folder)
    total = 0
    for pid in set(cgroups.members(folder)):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
