"""Process nodes for the tests: sets with equal settings are started once per run.

``process_nodes(2)`` are two nodes that run pods;
``process_nodes(20, mode="pretend", capacity={"nvidia.com/gpu": "2"})`` pretend to.
"""

from __future__ import annotations

import json

import pytest

from cluster.processnodes import ProcessNodes


class Sets:
    """All sets of nodes of one run."""

    def __init__(self, cluster) -> None:
        self._cluster = cluster
        self._started: dict[str, ProcessNodes] = {}

    def __call__(self, count: int, **settings) -> ProcessNodes:
        """Return nodes without any faults; those that a test killed are started again."""
        key = json.dumps([count, settings], sort_keys=True)
        if key not in self._started:
            prefix = f"process{len(self._started) or ''}"
            more = {"name_prefix": prefix, "backoff_seconds": 1.0, **settings}
            self._started[key] = ProcessNodes.start(self._cluster, count, **more)
            return self._started[key]
        nodes = self._started[key]
        try:
            nodes.clear()
        except OSError:
            nodes.restart()
        return nodes

    def stop(self) -> None:
        for nodes in self._started.values():
            nodes.stop()


@pytest.fixture(scope="session")
def process_nodes(cluster):
    """Called with how many nodes are wanted, and `ProcessNodes.start`'s settings."""
    sets = Sets(cluster)
    yield sets
    sets.stop()
