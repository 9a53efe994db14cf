"""Clusters for the tests: what a test asks for is started once per run.

With ``--kubeconfig FILE`` or ``KUBECONFIG`` a cluster that runs already is used as
it is. What needs the inside of a cluster of our own asks for ``own_cluster``.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from cluster import registry as registries
from cluster.cluster import Cluster
from cluster.external import External
from cluster.hostnode import HostNode
from cluster.keeper import life_of, sweep
from cluster.layout import Layout

PREFIX = "lectern-cluster-"
ABANDONED_SECONDS = 300
LOG_LINES = 5
COMPLAINT = re.compile(r"[EF]\d{4} |Traceback|.*level=(error|fatal)|panic:")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kubeconfig",
        default=os.environ.get("KUBECONFIG"),
        help="use a cluster that runs already (default: KUBECONFIG), instead of starting one",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of clusters last, and those of emulated machines after all others.

    What they started lives until the end of the run and would take time from tests
    that come after them.
    """
    items.sort(key=lambda item: weight(getattr(item, "fixturenames", ())))


def weight(fixtures: Collection[str]) -> int:
    if {"machine_node", "machine_nodes", "nfs"} & set(fixtures):
        return 2
    return 1 if {"cluster", "own_cluster"} & set(fixtures) else 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def new_folder() -> Path:
    """Return a folder for a cluster, clearing away those of runs whose keeper was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        layout = Layout(folder)
        is_old = time.time() - folder.stat().st_mtime > ABANDONED_SECONDS
        if is_old and life_of(layout) is None:
            sweep(layout)
    return Path(tempfile.mkdtemp(prefix=PREFIX))


@pytest.fixture(scope="session")
def own_cluster(request):
    """A control plane of our own, with nothing else in it."""
    if request.config.getoption("kubeconfig"):
        pytest.skip("needs the inside of a cluster of its own, and --kubeconfig names another")
    if os.geteuid() != 0:
        pytest.skip("a cluster of this machine is made by root")
    made = Cluster(Layout(new_folder()), say)
    made.start()
    request.config.stash[STARTED] = made
    yield made
    made.stop()


@pytest.fixture(scope="session")
def cluster(request):
    """The cluster to test with: one of our own, or that of ``--kubeconfig``."""
    kubeconfig = request.config.getoption("kubeconfig")
    if kubeconfig:
        external = External(Path(kubeconfig), say)
        yield external
        external.api.close()
    else:
        yield request.getfixturevalue("own_cluster")


@pytest.fixture(scope="session")
def host_node(cluster, request):
    """A node with real containers at full speed; its ``name`` is for ``nodeName``."""
    if isinstance(cluster, External):
        return cluster.a_node()
    node = HostNode(cluster)
    node.start()
    return node


@pytest.fixture(scope="session")
def registry(own_cluster):
    """A container registry inside the cluster; the prefix of names in it."""
    registries.start(own_cluster)
    return registries.HOST


@pytest.fixture
def namespace(cluster):
    """A namespace for one test."""
    name = f"t-{secrets.token_hex(4)}"
    cluster.api.core.create_namespace({"metadata": {"name": name}})
    yield name
    cluster.api.core.delete_namespace(name)


STARTED = pytest.StashKey[Cluster]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the programs complained about under a failed test that used them."""
    report = yield
    made = item.config.stash.get(STARTED, None)
    if report.failed and made and {"cluster", "own_cluster"} & set(item.fixturenames):
        for path in sorted(made.layout.logs.glob("*.log")):
            rows = path.read_text(errors="replace").splitlines() if path.exists() else []
            if complaints := [row[:300] for row in rows if COMPLAINT.match(row)][-LOG_LINES:]:
                report.sections.append((f"end of {path.name}", "\n".join(complaints)))
    return report
