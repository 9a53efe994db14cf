"""Process nodes and the cluster: registration, scheduling, loss, return, and their price."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager

import pytest
from kubernetes import client
from tests.support.pods import RESTRICTED
from tests.support.processes import eventually
from tests.support.processpods import Pods, create_deployment, ready_replicas

from cluster.api import is_ready
from cluster.errors import ClusterError
from cluster.external import External
from cluster.processnodes import ProcessNodes

LOOP = "trap exit TERM; while :; do sleep 0.1; done"
CORE = "tencent.com/vcuda-core"
MOST_MEMORY_MIB = 2048
KUBERNETES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@pytest.fixture
def pods(own_cluster, namespace, process_nodes):
    return Pods(own_cluster, namespace, process_nodes(2))


@contextmanager
def some_nodes(cluster, count: int, **settings):
    """Nodes of one test's own, which it may kill."""
    nodes = ProcessNodes.start(cluster, count, backoff_seconds=1.0, **settings)
    try:
        yield nodes
    finally:
        nodes.stop()


def node(api, name: str) -> dict:
    return api.read(f"/api/v1/nodes/{name}")


def memory_mib(cluster, name: str) -> float:
    """Return the resident memory of one of the cluster's programs."""
    pid = str(cluster.control.states()[name]["pid"])
    return int(cluster.run("ps", "-o", "rss=", "-p", pid)) / 1024


def say(text: str) -> None:
    print(text, file=sys.stderr)


def test_a_node_says_what_it_is_and_keeps_its_lease(pods):
    name = pods.nodes.names[0]
    about = node(pods.api, name)
    assert about["metadata"]["labels"]["lectern/node-kind"] == "process"
    assert about["metadata"]["labels"]["kubernetes.io/hostname"] == name
    assert {row["type"]: row["address"] for row in about["status"]["addresses"]} == {
        "InternalIP": "127.0.0.1",
        "Hostname": name,
    }
    assert about["status"]["nodeInfo"]["operatingSystem"] == "linux"
    leases = client.CoordinationV1Api(pods.api.client)

    def renewed():
        return leases.read_namespaced_lease(name, "kube-node-lease").spec.renew_time

    first = renewed()
    eventually(lambda: renewed() > first, "the lease was not renewed")


def test_extended_resources_labels_and_taints_are_reported(own_cluster, namespace):
    taint = {"key": "lectern", "value": "x", "effect": "NoSchedule"}
    settings = {"capacity": {"nvidia.com/gpu": "2"}, "labels": {"gpu": "yes"}, "taints": [taint]}
    with some_nodes(own_cluster, 1, name_prefix="gpu", **settings) as nodes:
        about = node(own_cluster.api, "gpu-1")
        for kind in ("capacity", "allocatable"):
            assert about["status"][kind]["nvidia.com/gpu"] == "2"
        assert about["metadata"]["labels"]["gpu"] == "yes"
        pods = Pods(own_cluster, namespace, nodes)
        limits = {"resources": {"limits": {"nvidia.com/gpu": "2"}}}
        pods.start("refused", "true", container=limits)
        tolerations = [{"key": "lectern", "operator": "Exists"}]
        assert (
            pods.result("takes", "echo two", container=limits, tolerations=tolerations) == "two\n"
        )
        assert pods.status("refused")["phase"] == "Pending"
        pods.delete("refused")
    assert node(own_cluster.api, "gpu-1") is None


def test_what_is_patched_onto_a_nodes_status_is_counted(own_cluster, namespace):
    with some_nodes(own_cluster, 1, name_prefix="card") as nodes:
        pods = Pods(own_cluster, namespace, nodes)
        body = {"status": {"capacity": {CORE: "100"}}}
        pods.core.patch_node_status("card-1", body)
        eventually(
            lambda: node(pods.api, "card-1")["status"]["allocatable"].get(CORE) == "100",
            "it did not become allocatable",
        )
        half = {"resources": {"limits": {CORE: "50"}}}
        for name in ("first", "second"):
            pods.start(name, LOOP, container=half)
            pods.until_ready(name)
        pods.start("third", LOOP, container=half)
        pods.until(
            lambda: pods.condition("third", "PodScheduled").get("reason") == "Unschedulable",
            "the third was scheduled",
        )
        assert pods.status("third")["phase"] == "Pending"
        assert CORE in pods.condition("third", "PodScheduled")["message"]
        nodes.fault("not-ready", nodes="card-1")  # every report leaves what others wrote
        nodes.clear()
        eventually(lambda: is_ready(node(pods.api, "card-1")), "it did not recover")
        assert node(pods.api, "card-1")["status"]["capacity"][CORE] == "100"
        pods.delete("first")
        pods.until_ready("third")


def test_a_node_and_pods_that_were_given_up_for_a_moment_say_that_they_are_well(pods):
    name = pods.nodes.names[0]
    pods.start("p", LOOP, nodeName=name)
    pods.until_ready("p")
    unknown = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    unready = {"type": "Ready", "status": "False"}
    pods.core.patch_node_status(name, {"status": {"conditions": [unknown]}})
    pods.core.patch_namespaced_pod_status(
        "p", pods.namespace, {"status": {"conditions": [unready]}}
    )
    eventually(lambda: is_ready(node(pods.api, name)), "the node stayed unknown")
    pods.until_ready("p")


def test_when_the_process_is_killed_nodes_are_lost_and_pods_replaced(own_cluster, namespace, pods):
    with some_nodes(own_cluster, 2, name_prefix="doomed", labels={"pool": namespace}) as doomed:
        body = {"metadata": {"labels": {"pool": namespace}}}
        pods.core.patch_node(pods.nodes.names[0], body)
        pool = Pods(own_cluster, namespace, doomed)
        prefer = {"preference": {"matchExpressions": [
            {"key": "lectern/process-nodes", "operator": "In", "values": ["doomed"]}]}, "weight": 100}  # fmt: skip
        affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [prefer]}}
        selector = {"pool": namespace}
        create_deployment(pool, "web", 3, nodeSelector=selector, affinity=affinity)
        pool.until(lambda: ready_replicas(pool, "web") == 3, "no replicas")
        doomed.kill()
        pool.until(lambda: not is_ready(node(pool.api, "doomed-1")), "nobody missed it")

        def replaced() -> bool:
            rows = pool.core.list_namespaced_pod(namespace).items
            alive = [row for row in rows if not row.metadata.deletion_timestamp]
            there = {row.spec.node_name for row in alive}
            return there == {pods.nodes.names[0]} and ready_replicas(pool, "web") == 3

        pool.until(replaced, "the pods were not replaced")
        doomed.restart()
        eventually(lambda: is_ready(node(pool.api, "doomed-1")), "it did not come back")
        pool.until(
            lambda: len(pool.core.list_namespaced_pod(namespace).items) == 3, "old ones stay"
        )


def test_a_process_that_comes_back_deals_with_the_containers_it_lost(own_cluster, namespace):
    with some_nodes(own_cluster, 1, name_prefix="back") as nodes:
        pods = Pods(own_cluster, namespace, nodes)
        pods.start("always", LOOP, restartPolicy="Always")
        pods.start("never", LOOP)
        done = pods.result("done", "echo done")
        assert done == "done\n"
        for name in ("always", "never"):
            pods.until_ready(name)
        nodes.kill()
        eventually(lambda: "while :" not in own_cluster.run("ps", "ax", "-o", "args"), "they go on")
        nodes.restart()
        pods.until_phase("never", "Failed")
        end = pods.container("never")["state"]["terminated"]
        assert (end["reason"], end["exitCode"]) == ("ContainerStatusUnknown", 137)
        pods.until(lambda: pods.container("always")["restartCount"] == 1, "it was not restarted")
        pods.until_ready("always")
        assert (
            pods.container("always")["lastState"]["terminated"]["reason"]
            == "ContainerStatusUnknown"
        )
        assert [row["ip"] for row in pods.status("always")["podIPs"]] == [
            pods.status("always")["podIP"]
        ]
        assert pods.status("done")["phase"] == "Succeeded"
        for name in ("always", "never", "done"):
            pods.delete(name)
            pods.until_gone(name)


def test_pretended_pods_are_ready_and_their_logs_say_what_they_are(
    own_cluster, namespace, process_nodes
):
    pods = Pods(own_cluster, namespace, process_nodes(2, mode="pretend"))
    pods.start("p", "true", container={"securityContext": RESTRICTED}, hostNetwork=True)
    pods.until_ready("p")
    assert "pretended" in pods.log("p")
    pods.delete("p")
    pods.until_gone("p")


def test_a_cluster_of_somebody_else_may_have_process_nodes_too(own_cluster, namespace):
    external = External(own_cluster.kubeconfig, print)
    with some_nodes(external, 1, name_prefix="guest") as nodes:
        pods = Pods(external, namespace, nodes)
        pods.start("p", "echo ran; exit 0", container={"terminationMessagePolicy": "File"})
        pods.until_phase("p", "Succeeded")
        with pytest.raises(client.ApiException):
            pods.log("p")


def test_settings_that_make_no_sense_are_refused_in_a_sentence(own_cluster):
    for settings, words in (
        ({"mode": "walk"}, "no mode walk"),
        ({"colour": "red"}, "cannot be set so"),
    ):
        with pytest.raises(ClusterError, match=words):
            ProcessNodes.start(own_cluster, 1, name_prefix="odd", **settings)
    with pytest.raises(ClusterError, match="at least one"):
        ProcessNodes.start(own_cluster, 0)


def crowd(cluster, namespace: str, nodes: int, replicas: int) -> float:
    """Start nodes that pretend to run pods; return the memory of all programs in MiB."""
    began = time.monotonic()
    with some_nodes(cluster, nodes, mode="pretend", name_prefix="crowd") as started:
        seconds = time.monotonic() - began
        say(f"{nodes} nodes Ready after {seconds:.2f} s, {seconds / nodes:.3f} s each")
        pods = Pods(cluster, namespace, started)
        began = time.monotonic()
        create_deployment(pods, "many", replicas)
        deadline = began + 1500
        while ready_replicas(pods, "many") < replicas:
            assert time.monotonic() < deadline, ready_replicas(pods, "many")
            time.sleep(1)
        say(f"{replicas} pods Ready after {time.monotonic() - began:.1f} s")
        own = "process-nodes-crowd"
        sizes = {name: memory_mib(cluster, name) for name in (*KUBERNETES, own)}
        say(f"MiB resident: {', '.join(f'{key} {value:.0f}' for key, value in sizes.items())}")
        assert all(is_ready(node(cluster.api, name)) for name in started.names)
        client.AppsV1Api(cluster.api.client).delete_namespaced_deployment("many", namespace)
        return sum(sizes.values())


def test_some_nodes_pretend_to_run_a_crowd(own_cluster, namespace):
    assert crowd(own_cluster, namespace, 20, 100) < MOST_MEMORY_MIB


@pytest.mark.slow
def test_200_nodes_pretend_to_run_3000_pods_in_two_gigabytes(own_cluster, namespace):
    assert crowd(own_cluster, namespace, 200, 3000) < MOST_MEMORY_MIB
