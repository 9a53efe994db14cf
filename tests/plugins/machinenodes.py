"""Machine nodes and an NFS server for the tests: each is started once per run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster.machine.node import MachineNode
from cluster.nfs import NfsServer


@pytest.fixture(scope="session")
def machine_nodes(own_cluster) -> Callable[[int], list[MachineNode]]:
    """Ask for so many machine nodes that run; those that are switched off are switched on."""
    made: list[MachineNode] = []

    def nodes(count: int) -> list[MachineNode]:
        while len(made) < count:
            node = MachineNode(own_cluster, number=len(made) + 2)
            node.start()
            made.append(node)
        for node in made[:count]:
            if not node.is_on:
                node.power_on()
        return made[:count]

    return nodes


@pytest.fixture
def machine_node(machine_nodes) -> MachineNode:
    """A node with a kernel of its own."""
    return machine_nodes(1)[0]


@pytest.fixture(scope="session")
def nfs(own_cluster) -> NfsServer:
    """A real NFS 4.1 server inside the cluster."""
    server = NfsServer(own_cluster)
    server.start()
    return server
