"""Logs, exec and what a process node refuses, seen through the API server."""

from __future__ import annotations

import os
import subprocess

import pytest
from tests.support.processes import eventually
from tests.support.processpods import Pods, connected, execute, finished

LOOP = "trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
SERVE = "cd /tmp; exec python3 -m http.server --bind 0.0.0.0 8000"


@pytest.fixture
def pods(own_cluster, namespace, process_nodes):
    return Pods(own_cluster, namespace, process_nodes(2))


def test_logs_are_given_as_they_are_wished_for(pods):
    script = "for i in 1 2 3; do echo $i; done; echo oops >&2; trap exit TERM; while :; do sleep 0.1; done"
    pods.start("talks", script)
    pods.until_ready("talks")
    pods.until(lambda: "oops" in pods.log("talks"), "it said nothing")
    assert pods.log("talks", tail_lines=2).splitlines()[-1:] != ["1"]
    assert len(pods.log("talks", tail_lines=2).splitlines()) == 2
    assert pods.log("talks", limit_bytes=3) == "1\n2"
    assert pods.log("talks", since_seconds=1000).count("\n") == 4
    stamped = pods.log("talks", timestamps=True).splitlines()[0].split(" ")
    assert stamped[0].endswith("Z")
    assert stamped[1] == "1"
    with pytest.raises(Exception, match="previous terminated container"):
        pods.log("talks", previous=True)


def test_a_log_is_followed_to_its_end(pods, own_cluster):
    pods.start("slow", "for i in 1 2 3; do echo $i; sleep 0.3; done")
    pods.until(lambda: pods.container("slow").get("containerID"), "it did not start")
    assert kubectl(own_cluster, pods, "logs", "-f", "slow").stdout == "1\n2\n3\n"


def kubectl(cluster, pods: Pods, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [*cluster.programs.command("kubectl"), f"--kubeconfig={cluster.kubeconfig}"]
    return subprocess.run([*command, "--namespace", pods.namespace, *words], input=stdin,
                          capture_output=True, text=True, check=False, timeout=60)  # fmt: skip


def test_exec_runs_beside_the_container(pods, own_cluster):
    pods.start("box", LOOP, container={"env": [{"name": "X", "value": "seen"}]})
    pods.until_ready("box")
    assert execute(pods, "box", "sh", "-c", "echo $X; hostname; id -u; echo $$ >&2").split()[:3] == [
        "seen", "box", "1000",
    ]  # fmt: skip
    done = kubectl(own_cluster, pods, "exec", "box", "--", "sh", "-c", "ps ax; exit 7")
    assert done.returncode == 7
    assert "while :" in done.stdout
    assert "etcd" not in done.stdout, "it sees the machine's processes"
    done = kubectl(own_cluster, pods, "exec", "-i", "box", "--", "wc", "-c", stdin="x" * 100_000)
    assert done.stdout.strip() == "100000"


def test_exec_with_input_and_a_terminal(pods):
    pods.start("box", LOOP)
    pods.until_ready("box")
    session = connected(pods, "box", "sh", tty=True)
    session.write_stdin("test -t 0 && echo $((40 + 2)); exit 5\n")
    code, said = finished(session)
    assert code == 5
    assert "42" in said


def test_what_has_no_terminal_here_says_so(pods, own_cluster):
    pods.start("box", LOOP)
    pods.until_ready("box")
    done = kubectl(own_cluster, pods, "port-forward", "box", "0:80")
    assert "process node has no port" in done.stderr or done.returncode


def test_only_the_api_server_is_let_in(pods, own_cluster):
    port = own_cluster.api.read(f"/api/v1/nodes/{pods.nodes.names[0]}")["status"]["daemonEndpoints"]
    address = f"https://127.0.0.1:{port['kubeletEndpoint']['Port']}/pods"
    keys = own_cluster.layout.certificates

    def ask(*words: str) -> str:
        command = [
            "curl",
            "-s",
            "-w",
            "%{http_code}",
            "-o",
            "/dev/null",
            "--cacert",
            f"{keys}/ca.crt",
        ]
        inside = own_cluster.enter([*command, *words, address])
        return subprocess.run(inside, capture_output=True, text=True, check=False).stdout

    def pair(name: str) -> list[str]:
        return ["--cert", f"{keys}/{name}.crt", "--key", f"{keys}/{name}.key"]

    assert ask() == "000"
    assert ask(*pair("admin")) == "403"
    assert ask(*pair("kubelet-client")) == "200"


REFUSED = {
    "hostNetwork": {"hostNetwork": True},
    "hostPID": {"hostPID": True},
    "nfs": {"volumes": [{"name": "v", "nfs": {"server": "x", "path": "/"}}]},
    "csi": {"volumes": [{"name": "v", "csi": {"driver": "x"}}]},
    "privileged": {"container": {"securityContext": {"privileged": True}}},
    "hostPort": {"container": {"ports": [{"containerPort": 80, "hostPort": 18080}]}},
    "grpc": {"container": {"livenessProbe": {"grpc": {"port": 80}}}},
    "restartPolicy": {
        "initContainers": [{"name": "side", "image": "x", "restartPolicy": "Always"}]
    },
}


@pytest.mark.parametrize("field", REFUSED)
def test_what_cannot_be_honoured_is_refused_with_an_event(pods, field):
    pods.start("p", LOOP, **{key: dict(value) if isinstance(value, dict) else value
                             for key, value in REFUSED[field].items()})  # fmt: skip
    pods.until_phase("p", "Failed")
    assert pods.status("p")["reason"] == "UnsupportedByProcessNode"
    assert field in pods.status("p")["message"]
    pods.until(lambda: "UnsupportedByProcessNode" in pods.reasons("p"), "no event")
    pods.delete("p")
    pods.until_gone("p")


def test_a_pod_without_a_command_is_told_what_to_do(pods):
    pods.start("p", "", container={"command": None})
    pods.until_waiting("p", "CreateContainerError")
    assert "NoCommand" in pods.container("p")["state"]["waiting"]["message"]


def test_the_setting_images_gives_a_command(own_cluster, namespace, process_nodes):
    nodes = process_nodes(1, images={"*/greeter:*": ["echo", "hello"]})
    pods = Pods(own_cluster, namespace, nodes)
    container = {"command": None, "image": "registry/greeter:1"}
    assert pods.result("greets", "", container=container) == "hello\n"


def test_a_pod_may_ask_the_api_server_with_its_token(pods):
    script = (
        "cd /var/run/secrets/kubernetes.io/serviceaccount; "
        'curl -s --cacert ca.crt -H "Authorization: Bearer $(cat token)" '
        "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version"
    )
    assert '"gitVersion"' in pods.result("asks", script)


def test_nothing_of_a_pod_stays_behind(pods, own_cluster):
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    volumes = [{"name": "v", "emptyDir": {"medium": "Memory"}}]
    pods.start("p", LOOP, volumes=volumes, container=mount)
    pods.until_ready("p")
    uid = pods.core.read_namespaced_pod("p", pods.namespace).metadata.uid
    places = own_cluster.layout.data.glob("process-nodes-*")
    folder = next(place / uid for place in places if (place / uid).exists())
    pods.delete("p")
    pods.until_gone("p")
    eventually(lambda: not folder.exists(), f"{folder} is still there")
    assert uid not in own_cluster.run("ls", "/dev/shm")
    assert uid not in own_cluster.run("sh", "-c", "find /sys/fs/cgroup -name '*-main-*'")
    assert uid not in own_cluster.run("ps", "ax", "-o", "args")
    assert os.path.exists(own_cluster.layout.data)
