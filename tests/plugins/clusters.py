"""Clusters for the tests: what a test asks for is started once per run.

With ``--kubeconfig FILE`` or ``KUBECONFIG`` a cluster that runs already is used as it is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from cluster.cluster import Cluster
from cluster.layout import Layout


@pytest.fixture(scope="session")
def cluster(request):
    """A control plane of our own."""
    folder = Path(tempfile.mkdtemp(prefix="lectern-cluster-"))
    made = Cluster(Layout(folder), print)
    made.start()
    yield made
    made.stop()
