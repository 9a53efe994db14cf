"""Every fault of process nodes, as a user sees it through the API server, and its end."""

from __future__ import annotations

import re

import pytest
from kubernetes import client
from tests.support.processes import eventually
from tests.support.processpods import Pods, create_deployment, ready_replicas

from cluster.errors import ClusterError

LOOP = "trap exit TERM; while :; do sleep 0.1; done"
MODES = ["run", "pretend"]
GRACE_SECONDS = 12
"""What the controller manager gives a node that says nothing."""


@pytest.fixture(params=MODES)
def pods(own_cluster, namespace, process_nodes, request):
    nodes = process_nodes(2, mode=request.param)
    yield Pods(own_cluster, namespace, nodes)
    nodes.clear()


def mine(pods: Pods) -> dict[str, str]:
    return {"pods": f"{pods.namespace}/*"}


def node_condition(pods: Pods, name: str, kind: str = "Ready") -> dict:
    node = pods.api.read(f"/api/v1/nodes/{name}")
    return next(row for row in node["status"]["conditions"] if row["type"] == kind)


def test_a_slow_start_holds_a_pod_up(pods):
    pods.nodes.fault("slow-start", seconds=3600, count=1, **mine(pods))
    pods.start("slow", LOOP)
    pods.until(lambda: pods.status("slow").get("startTime"), "the node did not take it")
    pods.start("quick", LOOP)
    pods.until_ready("quick")
    assert pods.status("slow")["phase"] == "Pending"
    assert pods.waiting("slow") == "ContainerCreating"


def test_a_slow_start_ends(pods):
    pods.nodes.fault("slow-start", seconds=2.0, **mine(pods))
    pods.start("slow", LOOP)
    pods.until_ready("slow")
    status = pods.core.read_namespaced_pod("slow", pods.namespace).status
    started = status.container_statuses[0].state.running.started_at
    assert (started - status.start_time).total_seconds() >= 1


def test_a_crash_has_its_exit_code_and_leads_to_a_back_off(pods):
    pods.nodes.fault("crash", exit_code=42, **mine(pods))
    pods.start("c", LOOP, restartPolicy="Always")
    pods.until_waiting("c", "CrashLoopBackOff")
    assert pods.container("c")["lastState"]["terminated"]["exitCode"] == 42
    pods.until(lambda: "BackOff" in pods.reasons("c"), "no event")
    pods.nodes.clear()
    pods.until_ready("c")
    assert pods.container("c")["restartCount"] >= 1


def test_a_crash_strikes_what_runs_already_and_only_what_it_names(pods):
    for name in ("spared", "hit"):
        pods.start(name, LOOP)
        pods.until_ready(name)
    pods.nodes.fault("crash", exit_code=3, seconds=0.1, pods=f"{pods.namespace}/hit", count=1)
    pods.until_phase("hit", "Failed")
    assert pods.container("hit")["state"]["terminated"]["exitCode"] == 3
    assert pods.is_ready("spared")


def test_a_container_is_killed_for_want_of_memory(pods):
    pods.nodes.fault("oom-killed", count=1, **mine(pods))
    pods.start("o", LOOP)
    pods.until_phase("o", "Failed")
    end = pods.container("o")["state"]["terminated"]
    assert (end["reason"], end["exitCode"]) == ("OOMKilled", 137)


def test_an_image_cannot_be_pulled_until_it_can(pods):
    pods.nodes.fault("image-pull-backoff", message="no such manifest", **mine(pods))
    pods.start("i", LOOP)
    pods.until_waiting("i", "ErrImagePull")
    pods.until_waiting("i", "ImagePullBackOff")
    assert "no such manifest" in pods.container("i")["state"]["waiting"]["message"]
    pods.until(lambda: {"Failed", "BackOff"} <= pods.reasons("i"), "no events")
    assert pods.status("i")["phase"] == "Pending"
    pods.nodes.clear()
    pods.until_ready("i")


def test_a_container_cannot_be_created_until_it_can(pods):
    pods.nodes.fault("create-container-error", **mine(pods))
    pods.start("e", LOOP)
    pods.until_waiting("e", "CreateContainerError")
    pods.until(lambda: "Failed" in pods.reasons("e"), "no event")
    assert pods.status("e")["phase"] == "Pending"
    pods.nodes.clear()
    pods.until_ready("e")
    assert pods.container("e")["restartCount"] == 0


def test_a_pod_is_evicted(pods):
    pods.start("e", LOOP)
    pods.until_ready("e")
    pods.nodes.fault("eviction", count=1, **mine(pods))
    pods.until_phase("e", "Failed")
    assert pods.status("e")["reason"] == "Evicted"
    disrupted = pods.condition("e", "DisruptionTarget")
    assert (disrupted["status"], disrupted["reason"]) == ("True", "TerminationByKubelet")
    pods.until(lambda: "Evicted" in pods.reasons("e"), "no event")


def test_pressure_is_reported_while_a_node_evicts(pods):
    name, other = pods.nodes.names
    pods.nodes.fault("eviction", nodes=name, pods="none/none", pressure=True)
    eventually(
        lambda: node_condition(pods, name, "MemoryPressure")["status"] == "True", "no pressure"
    )
    reason = node_condition(pods, name, "MemoryPressure")["reason"]
    assert reason == "KubeletHasInsufficientMemory"
    assert node_condition(pods, other, "MemoryPressure")["status"] == "False"
    pods.nodes.clear()
    eventually(
        lambda: node_condition(pods, name, "MemoryPressure")["status"] == "False", "it stayed"
    )


def test_a_node_says_that_it_is_not_ready(pods):
    first, second = pods.nodes.names
    pods.nodes.fault("not-ready", nodes=first, message="the disk is on fire")
    eventually(lambda: node_condition(pods, first)["status"] == "False", "it stayed ready")
    assert node_condition(pods, first)["message"] == "the disk is on fire"
    assert node_condition(pods, second)["status"] == "True"
    pods.nodes.clear()
    eventually(lambda: node_condition(pods, first)["status"] == "True", "it did not recover")


def test_a_silent_node_is_given_up_and_its_pods_are_replaced(pods):
    first, second = pods.nodes.names
    create_deployment(pods, "web", 2)
    pods.until(lambda: ready_replicas(pods, "web") == 2, "no replicas")
    pods.nodes.fault("not-ready", nodes=first, silent=True)
    pods.until(lambda: node_condition(pods, first)["status"] == "Unknown", "it was not missed")

    def all_elsewhere() -> bool:
        rows = pods.core.list_namespaced_pod(pods.namespace).items
        alive = [row for row in rows if not row.metadata.deletion_timestamp]
        return {row.spec.node_name for row in alive} == {second} and ready_replicas(
            pods, "web"
        ) == 2

    pods.until(all_elsewhere, "they were not replaced")
    pods.nodes.clear()
    pods.until(lambda: node_condition(pods, first)["status"] == "True", "it did not come back")
    pods.until(
        lambda: len(pods.core.list_namespaced_pod(pods.namespace).items) == 2, "old ones stay"
    )
    assert all_elsewhere()


def test_a_clock_that_is_ahead_is_seen_in_all_that_a_node_writes(pods):
    first, second = pods.nodes.names
    leases = client.CoordinationV1Api(pods.api.client)

    def ahead(name: str) -> float:
        """Return how many seconds a node is ahead of the other."""
        renewed = [leases.read_namespaced_lease(row, "kube-node-lease").spec.renew_time
                   for row in (name, second)]  # fmt: skip
        return (renewed[0] - renewed[1]).total_seconds()

    pods.nodes.fault("clock-skew", nodes=first, seconds=7200)
    eventually(lambda: ahead(first) > 7000, "the lease shows nothing")
    pods.start("p", LOOP, affinity={"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": [first]}]}]}}})  # fmt: skip
    pods.until_ready("p")
    row = pods.core.read_namespaced_pod("p", pods.namespace)
    started = row.status.container_statuses[0].state.running.started_at
    assert (started - row.metadata.creation_timestamp).total_seconds() > 7000
    pods.nodes.clear()
    eventually(lambda: ahead(first) < 100, "the lease stayed ahead")


def test_a_fault_that_there_is_not_is_refused_in_a_sentence(pods):
    with pytest.raises(ClusterError, match="no fault fire. There are: slow-start, crash"):
        pods.nodes.fault("fire")
    with pytest.raises(
        ClusterError, match=re.escape("A fault crash has no message. It has: containers")
    ):
        pods.nodes.fault("crash", message="x")
