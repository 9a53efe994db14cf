"""Nothing of a cluster is left on the machine, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.traces import assert_nothing_left, snapshot

from cluster.keeper import group_name

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120

# What a test run does: a cluster with a node, a pod on it, and the end.
RUN = """
import sys, time
from pathlib import Path
from kubernetes.utils import create_from_dict
from cluster.cluster import Cluster
from cluster.hostnode import HostNode
from cluster.layout import Layout

def say(text):
    print(text, flush=True)

cluster = Cluster(Layout(Path(sys.argv[1])), say)
cluster.start()
say("STARTED")
HostNode(cluster).start()
container = {
    "name": "main", "image": "lectern.test/busybox:1", "imagePullPolicy": "Never",
    "command": ["sleep", "600"], "volumeMounts": [{"name": "memory", "mountPath": "/memory"}],
}
volume = {"name": "memory", "emptyDir": {"medium": "Memory"}}
pod = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "busy"},
    "spec": {"containers": [container], "volumes": [volume]},
}
service = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "busy"},
    "spec": {"selector": {"app": "busy"}, "ports": [{"port": 80, "nodePort": 30080}], "type": "NodePort"},
}
create_from_dict(cluster.api.client, pod)
create_from_dict(cluster.api.client, service)
for _ in range(300):
    if cluster.api.core.read_namespaced_pod("busy", "default").status.phase == "Running":
        break
    time.sleep(0.1)
say("BUSY")
if sys.argv[2] == "stay":
    time.sleep(600)
say("STOPPING")
cluster.stop()
say("STOPPED")
"""


@pytest.fixture
def mark(tmp_path):
    return f"LECTERN_TEST_MARK={tmp_path}"


@pytest.fixture
def group(tmp_path):
    return group_name(tmp_path / "cluster")


@pytest.fixture
def run(tmp_path, mark):
    """Start a test run of its own in another process, which may be killed."""
    started = []

    def start(how: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path / "cluster"), how],
            env=os.environ | {"PYTHONPATH": str(ROOT / "tools")} | dict([mark.split("=")]),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def read_until(process: subprocess.Popen[str], word: str) -> None:
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the run ended before it said {word}")


@pytest.fixture
def before(cluster, mark, group):
    """The machine as it is while another cluster runs, which must not be touched either."""
    assert cluster.api.is_ready()
    return snapshot(mark, group)


@pytest.fixture
def assert_clean(before, mark, group, cluster):
    def check() -> None:
        assert_nothing_left(before, mark, group)
        assert cluster.api.is_ready()

    return check


def test_a_run_that_ends_leaves_nothing_three_times(run, assert_clean, tmp_path):
    for _ in range(3):
        process = run("end")
        read_until(process, "STOPPED")
        assert process.wait(PATIENCE_SECONDS) == 0
        assert not (tmp_path / "cluster").exists()
        assert_clean()


@pytest.mark.parametrize(
    ("how", "word", "later"),
    [
        ("end", None, 0.3),
        ("end", None, 1.5),
        ("end", "STARTED", 0.0),
        ("end", "STARTED", 2.0),
        ("stay", "BUSY", 0.0),
        ("end", "STOPPING", 0.02),
    ],
    ids=["at once", "early", "control plane", "node", "busy", "stopping"],
)
def test_a_run_that_is_killed_leaves_nothing(run, assert_clean, tmp_path, how, word, later):
    process = run(how)
    if word:
        read_until(process, word)
    time.sleep(later)
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert_clean()
    assert not (tmp_path / "cluster").exists()
