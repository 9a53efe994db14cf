"""Who may do what in a cluster of our own: real certificates, real roles, and a record."""

from __future__ import annotations

import json
import ssl
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from kubernetes import client
from tests.support.pods import execute, pod, wait_until_ready

from cluster import controlplane, hostnode, network
from cluster.api import Api
from cluster.cluster import Cluster


def kubectl(cluster: Cluster, config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl inside, as the one that a kubeconfig speaks for."""
    command = [*cluster.programs.command("kubectl"), f"--kubeconfig={config}", *words]
    return subprocess.run(
        cluster.enter(command), capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def secret(cluster, namespace):
    """A secret that no pod of the host node uses."""
    body = {"metadata": {"name": "password"}, "stringData": {"word": "sesame"}}
    cluster.api.core.create_namespaced_secret(namespace, body)
    return namespace


def mount(secret: str) -> dict:
    return {"volumes": [{"name": "s", "secret": {"secretName": secret}}]}


def test_a_node_reads_the_secrets_of_its_own_pods_only(own_cluster, host_node, secret):
    config = own_cluster.layout.kubeconfig_of(f"kubelet-{host_node.name}")
    read = ("get", "secret", "password", "--namespace", secret, "-o", "jsonpath={.data.word}")
    refused = kubectl(own_cluster, config, *read)
    assert refused.returncode == 1
    assert "no relationship found between node 'host' and this object" in refused.stderr
    # The same node may, once a pod with this secret is bound to it.
    manifest = pod("user", "sleep 600", node=host_node.name, **mount("password"))
    own_cluster.api.core.create_namespaced_pod(secret, manifest)
    wait_until_ready(own_cluster.api, secret, "user")
    assert kubectl(own_cluster, config, *read).stdout == "c2VzYW1l"


def test_a_node_changes_no_other_node(own_cluster, host_node, tmp_path):
    own_cluster.api.core.create_node({"metadata": {"name": "neighbour"}})
    try:
        config = own_cluster.layout.kubeconfig_of(f"kubelet-{host_node.name}")
        assert (
            "only its own Node object"
            in kubectl(own_cluster, config, "get", "node", "neighbour").stderr
        )
        # Without reading it first, so that it is admission that refuses.
        stolen = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "neighbour"}}
        file = controlplane.write_json(tmp_path / "stolen.json", stolen)
        path = "/api/v1/nodes/neighbour/status"
        done = kubectl(own_cluster, config, "replace", "--raw", path, "-f", str(file))
        assert 'node "host" is not allowed to modify node "neighbour"' in done.stderr
    finally:
        own_cluster.api.core.delete_node("neighbour")


def test_only_the_administrator_is_a_master(own_cluster):
    masters = set()
    for path in own_cluster.layout.certificates.glob("*.crt"):
        subject = x509.load_pem_x509_certificate(path.read_bytes()).subject
        groups = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if any(group.value == "system:masters" for group in groups):
            masters.add(path.name)
    assert masters == {"admin.crt"}


def test_keys_are_closed_to_others(own_cluster):
    keys = [*own_cluster.layout.certificates.glob("*.key"), own_cluster.kubeconfig]
    assert len(keys) > 10
    assert {path.stat().st_mode & 0o077 for path in keys} == {0}


def test_programs_get_what_they_need_and_no_more(own_cluster):
    may = {
        ("kube-scheduler", "create", "pods --subresource=binding"): True,
        ("kube-scheduler", "get", "secrets"): False,
        ("coredns", "list", "services"): True,
        ("coredns", "get", "secrets"): False,
        ("kube-router", "list", "networkpolicies"): True,
        ("kube-router", "delete", "pods"): False,
        ("process-nodes", "create", "nodes"): True,
        ("process-nodes", "delete", "namespaces"): False,
        ("kube-proxy", "list", "services"): True,
        ("kube-proxy", "create", "pods"): False,
    }
    for (name, verb, what), answer in may.items():
        config = own_cluster.layout.kubeconfig_of(name)
        done = kubectl(
            own_cluster, config, "auth", "can-i", verb, *what.split(), "--all-namespaces"
        )
        assert (name, verb, what, done.stdout.strip()) == (
            name,
            verb,
            what,
            "yes" if answer else "no",
        )


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer made-up"}], ids=["nobody", "token"]
)
def test_strangers_are_refused(own_cluster, host_node, headers):
    """By every server of the cluster that speaks HTTP."""
    assert host_node
    for host, port, path in (
        (network.MACHINE, network.API_PORT, "api/v1/nodes"),
        (network.MACHINE, network.API_PORT, "version"),
        (network.MACHINE, 10250, "pods"),
        ("127.0.0.1", 10257, "metrics"),
        ("127.0.0.1", 10259, "metrics"),
    ):
        authority = str(own_cluster.layout.certificates / "ca.crt")
        script = (
            "import ssl, urllib.request, urllib.error\n"
            f"context = ssl.create_default_context(cafile={authority!r})\n"
            f"asked = urllib.request.Request('https://{host}:{port}/{path}', headers={headers!r})\n"
            "try:\n    print(urllib.request.urlopen(asked, context=context).status)\n"
            "except urllib.error.HTTPError as error:\n    print(error.code)\n"
        )
        answer = own_cluster.run("python3", "-c", script).strip()
        assert answer in ("401", "403"), f"{host}:{port}/{path} answered {answer}"


def test_the_database_wants_a_certificate(own_cluster):
    script = (
        "import socket, ssl\n"
        f"context = ssl.create_default_context(cafile={str(own_cluster.layout.certificates / 'etcd-ca.crt')!r})\n"
        "plain = socket.create_connection(('127.0.0.1', 2379))\n"
        "secure = context.wrap_socket(plain, server_hostname='localhost')\n"
        "secure.sendall(b'GET /version HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')\n"
        "try:\n    print(secure.recv(100))\n"
        "except ssl.SSLError as error:\n    print(error.reason)\n"
    )
    assert "CERTIFICATE_REQUIRED" in own_cluster.run("python3", "-c", script)


def test_the_api_server_shows_a_certificate_of_its_own_authority(own_cluster):
    port = own_cluster.life.api_port
    shown = ssl.get_server_certificate(("127.0.0.1", port))
    authority = (own_cluster.layout.certificates / "ca.crt").read_bytes()
    certificate = x509.load_pem_x509_certificate(shown.encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))


def test_who_changed_what_is_written_down(own_cluster, namespace):
    body = {"metadata": {"name": "noted"}, "data": {"secret-looking": "content"}}
    own_cluster.api.core.create_namespaced_config_map(namespace, body)
    text = (own_cluster.layout.logs / "audit.log").read_text()
    rows = [json.loads(line) for line in text.splitlines() if f'"{namespace}"' in line]
    (row,) = [row for row in rows if row["objectRef"].get("name") == "noted"]
    assert (row["verb"], row["user"]["username"]) == ("create", "lectern:admin")
    assert row["responseStatus"]["code"] == 201
    assert "secret-looking" not in text


def test_a_pod_has_the_rights_of_its_account(own_cluster, host_node, namespace):
    """A pod reaches the API server by its Service, and RBAC decides."""
    rbac = client.RbacAuthorizationV1Api(own_cluster.api.client)
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    rbac.create_namespaced_role(namespace, {"metadata": {"name": "reader"}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    body = {"metadata": {"name": "reader"}, "roleRef": role, "subjects": [subject]}
    rbac.create_namespaced_role_binding(namespace, body)
    manifest = pod("asker", "sleep 600", node=host_node.name)
    own_cluster.api.core.create_namespaced_pod(namespace, manifest)
    wait_until_ready(own_cluster.api, namespace, "asker")
    script = "nc -w 3 kubernetes.default 443 </dev/null && cat /var/run/secrets/kubernetes.io/serviceaccount/token"
    code, token = execute(own_cluster, namespace, "asker", script)
    assert code == 0, token
    configuration = client.Configuration(host=f"https://127.0.0.1:{own_cluster.life.api_port}")
    configuration.ssl_ca_cert = str(own_cluster.layout.certificates / "ca.crt")
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    asker = client.ApiClient(configuration)
    with closing(asker.rest_client):
        core = client.CoreV1Api(asker)
        names = [item.metadata.name for item in core.list_namespaced_pod(namespace).items]
        assert names == ["asker"]
        with pytest.raises(client.ApiException, match="403"):
            core.list_namespaced_secret(namespace)


def test_the_outer_way_in_is_the_same_administrator(own_cluster):
    with closing(Api(own_cluster.kubeconfig)) as api:
        review = client.AuthenticationV1Api(api.client).create_self_subject_review({})
    assert review.status.user_info.username == "lectern:admin"
    assert "system:masters" in review.status.user_info.groups


def test_no_file_of_tokens_and_no_skipped_check(own_cluster):
    """Nothing on any program's command line opens a side door."""
    lines = own_cluster.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    for forbidden in (
        "token-auth-file",
        "insecure",
        "AlwaysAllow",
        "anonymous-auth=true",
        "skip-tls",
    ):
        assert forbidden not in lines
    assert hostnode.NAME in lines
