"""What anybody expects of a cluster: pods compute, names resolve, policies hold.

These run on any cluster that `--kubeconfig` names, where it can do what they ask.
"""

from __future__ import annotations

import pytest
from kubernetes import client
from tests.support.pods import RESTRICTED, pod, run, wait_until_ready
from tests.support.processes import eventually

LEVEL = "pod-security.kubernetes.io/enforce"
WEB = 'echo "$NAME" >/tmp/index.html; exec httpd -f -p 8080 -h /tmp'
# The option -T of this busybox crashes it.
ASK = "timeout 5 wget -q -O - http://{}:8080/index.html"


@pytest.fixture
def web(cluster, host_node, namespace):
    """A pod that answers with its name, behind a Service of the same name."""

    def serve(name: str) -> str:
        container = {"env": [{"name": "NAME", "value": name}]}
        manifest = pod(name, WEB, node=host_node.name, container=container)
        cluster.api.core.create_namespaced_pod(namespace, manifest)
        spec = {"selector": {"app": name}, "ports": [{"port": 8080}]}
        service = {"metadata": {"name": name}, "spec": spec}
        cluster.api.core.create_namespaced_service(namespace, service)
        return wait_until_ready(cluster.api, namespace, name).status.pod_ip

    return serve


@pytest.fixture
def asks(cluster, host_node, namespace):
    """Whether a pod gets an answer from a host name or address, and which."""
    counter = iter(range(100))

    def ask(host: str, **more) -> tuple[bool, str]:
        manifest = pod(f"ask-{next(counter)}", ASK.format(host), node=host_node.name, **more)
        phase, text = run(cluster.api, namespace, manifest)
        return phase == "Succeeded", text

    return ask


def test_a_pod_computes(cluster, host_node, namespace):
    manifest = pod("computes", "echo $((6 * 7)); id -u", node=host_node.name)
    assert run(cluster.api, namespace, manifest) == ("Succeeded", "42\n0\n")


def test_a_pod_that_fails_says_so(cluster, host_node, namespace):
    phase, text = run(cluster.api, namespace, pod("fails", "echo oh; exit 3", node=host_node.name))
    ended = cluster.api.core.read_namespaced_pod("fails", namespace).status.container_statuses[0]
    assert (phase, text, ended.state.terminated.exit_code) == ("Failed", "oh\n", 3)


def test_a_memory_limit_is_kept(cluster, host_node, namespace):
    limits = {"resources": {"limits": {"memory": "16Mi"}}}
    greedy = "head -c 64m /dev/zero | tail -c 64m | wc -c"
    phase, _ = run(cluster.api, namespace, pod("greedy", f"exec sh -c '{greedy}; exit $?'",
                   node=host_node.name, container=limits))  # fmt: skip
    frugal = pod(
        "frugal", "head -c 1m /dev/zero | tail -c 1m | wc -c", node=host_node.name, container=limits
    )
    assert run(cluster.api, namespace, frugal) == ("Succeeded", "1048576\n")
    ended = cluster.api.core.read_namespaced_pod("greedy", namespace).status.container_statuses[0]
    assert phase == "Failed" or ended.state.terminated.reason == "OOMKilled"


def test_the_name_of_a_service_leads_to_its_pod(cluster, namespace, web, asks):
    address = web("alpha")
    assert asks(address) == (True, "alpha\n")
    assert asks("alpha") == (True, "alpha\n")
    assert asks(f"alpha.{namespace}.svc.cluster.local") == (True, "alpha\n")
    assert asks("beta")[0] is False


def test_a_pod_reaches_itself_by_its_service(cluster, host_node, namespace, web):
    web("selfish")
    script = f"{WEB.replace('exec ', '')} & sleep 1; {ASK.format('mirror')}"
    container = {
        "env": [{"name": "NAME", "value": "me"}],
        "readinessProbe": {"tcpSocket": {"port": 8080}},
    }
    service = {
        "metadata": {"name": "mirror"},
        "spec": {"selector": {"app": "mirror"}, "ports": [{"port": 8080}]},
    }
    cluster.api.core.create_namespaced_service(namespace, service)
    script = f"{WEB.replace('exec ', '')} & until {ASK.format('mirror')}; do sleep 1; done"
    manifest = pod("mirror", script, node=host_node.name, container=container)
    assert run(cluster.api, namespace, manifest) == ("Succeeded", "me\n")


def test_a_policy_denies_and_its_removal_allows(cluster, namespace, web, asks):
    """Traffic from a node to its own pods always passes, so pods ask pods here."""
    web("guarded")
    assert asks("guarded") == (True, "guarded\n")
    network = client.NetworkingV1Api(cluster.api.client)
    allowed = {"podSelector": {"matchLabels": {"app": "friend"}}}
    spec = {"podSelector": {"matchLabels": {"app": "guarded"}}, "ingress": [{"from": [allowed]}]}
    network.create_namespaced_network_policy(namespace, {"metadata": {"name": "few"}, "spec": spec})
    eventually(lambda: not asks("guarded")[0], "the policy never denied")
    manifest = pod("friend", f"sleep 1; {ASK.format('guarded')}")
    assert run(cluster.api, namespace, manifest) == ("Succeeded", "guarded\n")
    network.delete_namespaced_network_policy("few", namespace)
    eventually(lambda: asks("guarded")[0], "nothing passed after the policy was removed")


def test_pod_security_refuses_a_bad_pod(cluster, host_node, namespace):
    body = {"metadata": {"labels": {LEVEL: "restricted"}}}
    cluster.api.core.patch_namespace(namespace, body)
    with pytest.raises(client.ApiException) as refused:
        cluster.api.core.create_namespaced_pod(namespace, pod("bad", "id"))
    assert refused.value.status == 403
    assert "restricted" in refused.value.body
    good = pod(
        "good", "id -u; id -g", node=host_node.name, container={"securityContext": RESTRICTED}
    )
    assert run(cluster.api, namespace, good) == ("Succeeded", "20001\n100\n")
