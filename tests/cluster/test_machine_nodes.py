"""Machine nodes: a kernel of their own, and a life that can be cut off."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes import client
from tests.support.pods import EMULATED_SECONDS, execute, pod, run
from tests.support.traces import assert_nothing_left, snapshot

from cluster import images
from cluster.api import wait
from cluster.cluster import Cluster
from cluster.errors import ClusterError
from cluster.keeper import group_name
from cluster.layout import Layout
from cluster.machine import system
from cluster.machine.node import MachineNode
from cluster.nfs import EXPORT, NfsServer

ROOT = Path(__file__).resolve().parents[2]
LOSS_SECONDS = 300
POD_SECONDS = 300
WEB = 'echo "$NAME" >/tmp/index.html; exec httpd -f -p 8080 -h /tmp'
ASK = "timeout 10 wget -q -O - http://{}:8080/index.html"
# A TLS server that gets plain HTTP says so: Go's way to answer, whoever asks.
ASK_API = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 10 nc {} 443"


@pytest.fixture
def api(own_cluster):
    return own_cluster.api


def serve(api, namespace: str, name: str, node: str, **container) -> str:
    """Start a pod that answers with its name; return its address."""
    environment = {"env": [{"name": "NAME", "value": name}]}
    manifest = pod(name, WEB, node=node, container=environment | container)
    api.core.create_namespaced_pod(namespace, manifest)
    wait(
        lambda: is_ready(api.core.read_namespaced_pod(name, namespace)),
        f"{name} was not ready",
        POD_SECONDS,
    )
    return api.core.read_namespaced_pod(name, namespace).status.pod_ip


def is_ready(found) -> bool:
    return any(
        row.type == "Ready" and row.status == "True" for row in found.status.conditions or []
    )


@pytest.fixture(scope="module")
def far(own_cluster, machine_nodes):
    """A pod on a machine node that answers, and the namespace that it is in.

    A pod takes ten seconds and more under emulation, so tests share this one.
    """
    api, namespace = own_cluster.api, f"far-{secrets.token_hex(4)}"
    api.core.create_namespace({"metadata": {"name": namespace}})
    for name in ("own", "other"):
        secret = {"metadata": {"name": name}, "stringData": {"word": name}}
        api.core.create_namespaced_secret(namespace, secret)
    source = [{"secretRef": {"name": "own"}}]
    address = serve(api, namespace, "far", machine_nodes(1)[0].name, envFrom=source)
    yield Far(namespace, address)
    api.core.delete_namespace(namespace)


@dataclass(frozen=True)
class Far:
    namespace: str
    address: str


def test_a_pod_computes_and_reaches_the_api_server_by_its_service(
    api, machine_node, host_node, namespace
):
    script = f"uname -r; {ASK_API.format('10.96.0.1')}; {ASK_API.format('kubernetes.default')}"
    phase, text = run(
        api, namespace, pod("asks", script, node=machine_node.name), seconds=EMULATED_SECONDS
    )
    assert phase == "Succeeded"
    assert text.split()[0] == machine_node.run("uname", "-r").strip() != os.uname().release
    assert text.count("Client sent an HTTP request to an HTTPS server") == 2


def test_its_pods_are_reached_from_everywhere(own_cluster, api, far, host_node, namespace):
    assert far.address.startswith("10.244.2.")
    ask = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end='')"
    url = f"http://{far.address}:8080/index.html"
    assert own_cluster.run("python3", "-c", ask, url) == "far\n"
    asked = run(api, namespace, pod("near", ASK.format(far.address), node=host_node.name))
    assert asked == ("Succeeded", "far\n")


def test_a_person_looks_into_its_pods(own_cluster, far):
    assert execute(own_cluster, far.namespace, "far", "cat /tmp/index.html") == (0, "far\n")


def test_its_kubelet_reads_only_its_own_pods_secrets(own_cluster, far, machine_node):
    kubelet = own_cluster.layout.kubeconfig_of(f"kubelet-{machine_node.name}")

    def read(name: str) -> str:
        command = [*own_cluster.programs.command("kubectl"), f"--kubeconfig={kubelet}"]
        command += ["--namespace", far.namespace, "get", "secret", name, "-o", "name"]
        return own_cluster.run(*command)

    assert read("own") == "secret/own\n"
    with pytest.raises(ClusterError, match="Forbidden"):
        read("other")


def test_its_kubelet_wants_to_know_who_asks(own_cluster, machine_node):
    """Nobody without a certificate of the cluster reads logs or runs commands there."""
    url = f"https://{machine_node.address}:10250/pods"
    ask = "import ssl, sys, urllib.request as u; c = ssl._create_unverified_context()\n"
    ask += "try: u.urlopen(sys.argv[1], context=c)\nexcept Exception as error: print(error)"
    assert "401" in own_cluster.run("python3", "-c", ask, url)


def test_keys_are_readable_by_root_alone(own_cluster, machine_node):
    folder = own_cluster.layout.data / machine_node.name
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}
    modes = machine_node.run(
        "stat", "-c", "%a", "/etc/lectern/kubelet.key", "/etc/lectern/kubelet.kubeconfig"
    )
    assert modes.split() == ["600", "600"]


def test_the_emulator_has_no_rights_of_root(own_cluster, machine_node):
    pid = own_cluster.control.states()[machine_node.name]["pid"]
    status = own_cluster.run("cat", f"/proc/{pid}/status")
    assert re.search(r"^Uid:\t(.*)$", status, re.MULTILINE)[1].split() == ["65534"] * 4
    assert re.search(r"^CapEff:\t(.*)$", status, re.MULTILINE)[1] == "0" * 16


@pytest.mark.slow
def test_a_lost_node_is_replaced_and_comes_back(api, machine_node, host_node, namespace):
    deploy(api, namespace, prefer=machine_node.name)
    (lost,) = running(api, namespace)
    assert lost.spec.node_name == machine_node.name
    # What a power cut leaves of a file that was about to be written.
    machine_node.run("sh", "-c", "truncate -s 0 /var/lib/cni/results/*; sync")
    machine_node.kill()
    wait(lambda: not api.is_node_ready(machine_node.name), "the node was not missed", LOSS_SECONDS)
    wait(lambda: nodes_of(api, namespace) == {host_node.name}, "no pod took over", LOSS_SECONDS)
    names = {row.metadata.name for row in api.core.list_namespaced_pod(namespace).items}
    assert lost.metadata.name in names, "nobody can say yet that the lost pod has ended"
    machine_node.power_on()

    def is_cleared() -> bool:
        rows = api.core.list_namespaced_pod(namespace).items
        return lost.metadata.name not in {row.metadata.name for row in rows}

    wait(is_cleared, "the lost pod was not cleared away", LOSS_SECONDS)
    phase, _ = run(
        api, namespace, pod("again", "true", node=machine_node.name), seconds=EMULATED_SECONDS
    )
    assert phase == "Succeeded"


def deploy(api, namespace: str, prefer: str) -> None:
    """Make a Deployment of one pod that would rather run on one node, and wait for the pod."""
    term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [prefer]}
    preferred = [{"weight": 100, "preference": {"matchExpressions": [term]}}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    template = pod("web", "sleep 3600", affinity=affinity)
    del template["apiVersion"], template["kind"]
    template["spec"]["restartPolicy"] = "Always"
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
    metadata = {"name": "web", "namespace": namespace}
    api.apply([kind | {"metadata": metadata, "spec": spec}])
    wait(lambda: running(api, namespace), "the Deployment never ran", LOSS_SECONDS)


def running(api, namespace: str) -> list:
    rows = api.core.list_namespaced_pod(namespace, label_selector="app=web").items
    return [row for row in rows if row.metadata.deletion_timestamp is None and is_ready(row)]


def nodes_of(api, namespace: str) -> set[str]:
    return {row.spec.node_name for row in running(api, namespace)}


@pytest.mark.slow
def test_a_policy_holds_in_a_machine(api, far, host_node, namespace):
    """The rules are in the machine's own kernel; who asks is outside."""
    counter, ask = itertools.count(), ASK.format(far.address)

    def passes(name: str, script: str = ask) -> bool:
        manifest = pod(name, script, node=host_node.name)
        return run(api, namespace, manifest, seconds=EMULATED_SECONDS) == ("Succeeded", "far\n")

    assert passes("before")
    friends = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "friend"}}}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [friends]}]}
    network = client.NetworkingV1Api(api.client)
    policy = {"metadata": {"name": "few"}, "spec": spec}
    network.create_namespaced_network_policy(far.namespace, policy)
    wait(lambda: not passes(f"denied-{next(counter)}"), "the policy never denied", POD_SECONDS)
    # The machine has to hear of a new friend before it lets it in.
    assert passes("friend", f"until {ask} 2>/dev/null; do sleep 1; done")
    network.delete_namespaced_network_policy("few", far.namespace)
    wait(lambda: passes(f"after-{next(counter)}"), "nothing passed any more", POD_SECONDS)


@pytest.mark.slow
def test_two_machines_talk_and_one_is_deleted(own_cluster, api, machine_nodes, namespace):
    first, second = machine_nodes(2)
    address = serve(api, namespace, "first", first.name)
    asked = run(
        api, namespace, pod("asks", ASK.format(address), node=second.name), seconds=EMULATED_SECONDS
    )
    assert asked == ("Succeeded", "first\n")
    second.shutdown()
    wait(lambda: not api.is_node_ready(second.name), "the node was not missed", LOSS_SECONDS)
    second.power_on()
    second.delete()
    assert second.name not in {row.metadata.name for row in api.core.list_node().items}
    assert "tap3" not in own_cluster.run("ip", "link")
    assert "10.244.3.0" not in own_cluster.run("ip", "route")


@pytest.mark.slow
def test_nothing_of_a_machine_node_is_left(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    group = group_name(folder)
    before = snapshot(str(folder), group)
    cluster = Cluster(Layout(folder), print)
    cluster.start()
    try:
        NfsServer(cluster).start()
        node = MachineNode(cluster)
        node.start()
        node.run("mount", "-t", "nfs", "-o", "nfsvers=4.1", f"10.99.0.1:{EXPORT}", "/mnt")
    finally:
        cluster.stop()
    assert not folder.exists()
    assert_nothing_left(before, str(folder), group)


@pytest.mark.slow
def test_a_killed_builder_leaves_nothing(tmp_path):
    """Killed while it fills a disk with images; the next one makes it whole."""
    say = print
    built, archives = system.built(say), images.archives(say)
    before = snapshot(str(tmp_path), str(tmp_path))
    script = (
        "import sys; from pathlib import Path; from cluster.machine import disks\n"
        "words = [Path(word) for word in sys.argv[1:]]\n"
        "disks.with_images(words[0], words[1:], lambda text: print(text, flush=True))"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "tools")}
    words = [sys.executable, "-c", script, built.importer, *archives]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout.readline().startswith("Making")
        version = tmp_path.joinpath("lectern/cluster/machines")
        wait(lambda: list(version.glob("*.half/version")), "no import began", 30)
        builder.send_signal(signal.SIGKILL)
    assert_nothing_left(before, str(tmp_path), str(tmp_path))
    assert list(version.glob("*.half"))
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    (disk,) = version.glob("*.ext4")
    assert (disk.name in done.stdout, list(version.glob("*.half"))) == (True, [])
    listed = subprocess.run(
        ["debugfs", "-R", "ls /containerd", disk], capture_output=True, text=True, check=True
    )
    assert "io.containerd.metadata.v1.bolt" in listed.stdout
