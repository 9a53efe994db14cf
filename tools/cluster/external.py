"""A cluster that somebody else started: kind, k3d, minikube, or a real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cluster.api import Api, is_ready
from cluster.errors import ClusterError


@dataclass(frozen=True)
class Node:
    """A node that somebody else started."""

    name: str


class External:
    """Used as it is: nothing in it is started, stopped or set up by us."""

    def __init__(self, kubeconfig: Path, say: Callable[[str], None]) -> None:
        """Take a cluster as it is.

        Raises:
            ClusterError: when its API server does not answer.
        """
        self.kubeconfig = kubeconfig
        self.say = say
        if not self.api.is_ready():
            raise ClusterError(f"the API server of {kubeconfig} does not answer")

    @cached_property
    def api(self) -> Api:
        """The API server, as whoever the kubeconfig speaks for."""
        return Api(self.kubeconfig)

    def a_node(self) -> Node:
        """Return a node that is Ready and takes pods.

        Raises:
            ClusterError: when there is none.
        """
        for node in self.api.nodes():
            spec = node["spec"]
            taints = [taint["effect"] for taint in spec.get("taints", [])]
            is_closed = spec.get("unschedulable") or set(taints) - {"PreferNoSchedule"}
            if not is_closed and is_ready(node):
                return Node(node["metadata"]["name"])
        raise ClusterError(f"no node of {self.kubeconfig} is Ready and takes pods")
