"""A cluster that somebody else started: kind, k3d, minikube, or a real one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from cluster.api import Api
from cluster.errors import ClusterError


class External:
    """Used as it is: nothing in it is started, stopped or set up by us."""

    def __init__(self, kubeconfig: Path, say: Callable[[str], None]) -> None:
        self.kubeconfig = kubeconfig
        self.say = say
        if not self.api.is_ready():
            raise ClusterError(f"the API server of {kubeconfig} does not answer")

    @cached_property
    def api(self) -> Api:
        """The API server, as whoever the kubeconfig speaks for."""
        return Api(self.kubeconfig)

    def a_node(self) -> str:
        """Return a node that is Ready and takes pods.

        Raises:
            ClusterError: when there is none.
        """
        for node in self.api.core.list_node().items:
            closed = node.spec.unschedulable or any(
                taint.effect != "PreferNoSchedule" for taint in node.spec.taints or []
            )
            if not closed and self.api.is_node_ready(node.metadata.name):
                return str(node.metadata.name)
        raise ClusterError(f"no node of {self.kubeconfig} is Ready and takes pods")
