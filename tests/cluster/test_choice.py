"""Which cluster is used, where its programs come from, and several side by side."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from tests.support.pods import pod, wait_until_ready
from tests.support.processes import eventually

from cluster import network, programs
from cluster.cluster import Cluster
from cluster.errors import ClusterError
from cluster.keeper import group_name
from cluster.layout import Layout

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="a cluster of this machine is made by root"
)

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 200


def tool(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line behind `make cluster`."""
    clean = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    return subprocess.run(
        [sys.executable, "-m", "cluster", *words],
        env=clean | {"PYTHONPATH": str(ROOT / "tools")} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture
def place(tmp_path):
    """A folder for clusters with a space and Chinese letters in its name."""
    folder = tmp_path / "my 集群"
    yield folder
    tool("down", "--all", "--folder", str(folder))


def test_a_person_starts_uses_and_ends_a_cluster(place):
    up = tool("up", "--folder", str(place))
    assert up.returncode == 0, up.stderr
    assert "Control plane ready after" in up.stdout
    assert "End it with: make cluster-down" in up.stdout
    kubectl = place / "lectern" / "kubectl"
    asked = subprocess.run([kubectl, "get", "nodes"], capture_output=True, text=True, check=True)
    assert re.search(r"^host +Ready", asked.stdout, re.MULTILINE)
    second = tool("up", "--folder", str(place))
    assert (second.returncode, "runs already" in second.stderr) == (2, True)
    down = tool("down", "--folder", str(place))
    assert down.stdout == "Cluster lectern has ended\n"
    assert not (place / "lectern").exists()
    assert tool("down", "--folder", str(place)).stdout == "Cluster lectern does not run\n"


def test_who_ends_a_cluster_by_a_wrong_name_learns_which_ones_run(own_cluster, tmp_path):
    (tmp_path / "mine").symlink_to(own_cluster.layout.folder)
    listed = tool("list", "--folder", str(tmp_path))
    assert "mine: kubeconfig " in listed.stdout
    assert f"web http://127.0.0.1:{own_cluster.life.web_port}" in listed.stdout
    down = tool("down", "--folder", str(tmp_path), "--name", "other")
    assert down.stdout.startswith("Cluster other does not run; there are: mine. End one with")
    assert own_cluster.api.is_ready()


def test_no_cluster_is_listed_where_none_runs(place):
    assert tool("list", "--folder", str(place)).stdout == "No cluster runs\n"


@pytest.mark.parametrize(("verb", "typed"), [("up", "make cluster"), ("down", "make cluster-down")])
def test_an_unknown_option_is_said_by_what_was_typed(place, verb, typed):
    done = tool(verb, "--folder", str(place), "--nodes", "3")
    assert done.returncode == 2
    assert f"{typed}: error: unknown: --nodes 3" in done.stderr
    assert "prepare" not in done.stderr
    assert not place.exists()


def test_who_breaks_a_start_off_is_told_that_nothing_is_left(place):
    # A test run in the background of a shell ignores Ctrl-C, and so would all that it starts.
    command = ["env", "--default-signal=INT", sys.executable]
    command += ["-m", "cluster", "up", "--folder", str(place), "--new"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tools")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as started:
        eventually(Layout(place / "lectern").life.exists, "it never began")
        started.send_signal(signal.SIGINT)
        assert started.wait(PATIENCE_SECONDS) == 130
        assert started.stderr
        assert started.stderr.read() == "Interrupted: what had been started has ended\n"
    assert not list(place.iterdir())


def test_a_name_that_would_be_a_path_is_refused(place):
    done = tool("up", "--folder", str(place), "--name", "../x")
    assert done.returncode == 2
    assert "letters, digits and hyphens" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_that_runs_already_is_used_as_it_is(own_cluster, place):
    done = tool("up", "--folder", str(place), KUBECONFIG=str(own_cluster.kubeconfig))
    assert done.returncode == 0, done.stderr
    assert "nothing was started" in done.stdout
    assert not place.exists()


def test_a_kubeconfig_that_leads_nowhere_is_said(place, own_cluster):
    text = own_cluster.kubeconfig.read_text()
    place.mkdir()
    config = place / "kubeconfig"
    config.write_text(text.replace(str(own_cluster.life.api_port), "9"))
    done = tool("up", "--folder", str(place), KUBECONFIG=str(config))
    assert done.returncode == 2
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), ("", "is no kubeconfig"), ("a: [", "is no kubeconfig"),
     ("hello", "is no kubeconfig"), ("\x00\x01", "is no kubeconfig")],
)  # fmt: skip
def test_a_file_that_is_no_kubeconfig_is_said_with_the_way_out(place, tmp_path, content, words):
    config = tmp_path / "config"
    if content is not None:
        config.write_text(content)
    done = tool("up", "--folder", str(place), KUBECONFIG=str(config))
    assert done.returncode == 2
    assert words in done.stderr
    assert "unset KUBECONFIG" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_another_cluster_does_not_get_is_refused(own_cluster, place):
    words = ("--registry", "--process-nodes", "3")
    done = tool("up", "--folder", str(place), *words, KUBECONFIG=str(own_cluster.kubeconfig))
    assert done.returncode == 2
    assert "no --process-nodes, --registry. For one of your own" in done.stderr


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 10240])
def test_a_file_that_is_no_image_is_refused_before_anything_starts(place, tmp_path, content):
    (tmp_path / "image.tar").write_bytes(content)
    done = tool("up", "--folder", str(place), "--image", str(tmp_path / "image.tar"))
    assert done.returncode == 2
    assert "is no OCI or Docker archive" in done.stderr
    assert not place.exists()


def test_a_cluster_whose_folder_is_removed_ends(tmp_path):
    layout = Layout(tmp_path / "gone")
    made = Cluster(layout, print)
    made.start()
    made.let_live()
    group = group_name(layout.folder)
    assert list(Path("/sys/fs/cgroup").rglob(group))
    shutil.rmtree(layout.folder)
    eventually(lambda: not list(Path("/sys/fs/cgroup").rglob(group)), "it lives without a folder")
    made.stop()
    assert not layout.folder.exists()


def test_the_tests_run_on_any_cluster(own_cluster, host_node):
    """The whole of test_pods, in a pytest that knows this cluster by its kubeconfig alone."""
    assert host_node
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/cluster/test_pods.py",
    ]
    command += ["-k", "computes or removal", "--kubeconfig", str(own_cluster.kubeconfig)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert "Control plane ready" not in done.stdout + done.stderr


def test_two_clusters_run_side_by_side(own_cluster, tmp_path):
    """They have the same addresses and know nothing of one another."""
    other = Cluster(Layout(tmp_path / "other"), print)
    other.start()
    try:
        own_cluster.api.core.create_namespaced_config_map("default", {"metadata": {"name": "mine"}})

        def names() -> list[str]:
            found = other.api.core.list_namespaced_config_map("default").items
            return [item.metadata.name for item in found]

        eventually(names, "a controller never wrote the map that every namespace has")
        assert names() == ["kube-root-ca.crt"]
        assert own_cluster.life.api_port != other.life.api_port
        own, its = (made.run("readlink", "/proc/self/ns/net") for made in (own_cluster, other))
        assert own != its
    finally:
        other.stop()
        own_cluster.api.core.delete_namespaced_config_map("mine", "default")
    assert own_cluster.api.is_ready()


def test_a_browser_gets_in(own_cluster, host_node, namespace):
    """A Service with the fixed NodePort answers at the machine's loopback address."""
    script = "echo welcome >/tmp/index.html; exec httpd -f -p 8080 -h /tmp"
    own_cluster.api.core.create_namespaced_pod(namespace, pod("web", script, node=host_node.name))
    ports = [{"port": 8080, "nodePort": network.WEB_PORT}]
    spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": ports}
    own_cluster.api.core.create_namespaced_service(
        namespace, {"metadata": {"name": "web"}, "spec": spec}
    )
    wait_until_ready(own_cluster.api, namespace, "web")
    address = f"http://127.0.0.1:{own_cluster.life.web_port}/index.html"

    def answers() -> bool:
        try:
            return requests.get(address, timeout=5).text == "welcome\n"
        except requests.ConnectionError:
            return False

    eventually(answers, "the relay never led to the Service")
    assert requests.get(address, timeout=5).text == "welcome\n"


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """A folder with Kubernetes' programs under their own names, as KUBEBUILDER_ASSETS has them."""
    node = programs.built("node", print)
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in (*programs.CONTROL_PLANE, *programs.NODE, "kubectl"):
        (folder / name).write_text(f'#!/bin/sh\nexec "{node}" {name} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    return folder


def test_programs_of_the_machine_are_used(assets, tmp_path):
    told: list[str] = []
    made = Cluster(Layout(tmp_path / "cluster"), told.append)
    made.start()
    try:
        assert f"KUBEBUILDER_ASSETS ({assets})" in told[-1]
        assert made.api.core.list_namespace().items
    finally:
        made.stop()


def test_half_a_set_is_passed_over_and_said(assets):
    (assets / "kubelet").unlink()
    told: list[str] = []
    found = programs.find((*programs.CONTROL_PLANE, *programs.NODE), told.append)
    assert told == [f"KUBEBUILDER_ASSETS ({assets}) is passed over: it has no kubelet"]
    assert found.origin == f"Kubernetes {programs.KUBERNETES}, built here"


def test_a_control_plane_that_dies_says_why(tmp_path, assets):
    (assets / "etcd").write_text("#!/bin/sh\necho the disk is full >&2; exit 7\n")
    made = Cluster(Layout(tmp_path / "cluster"), print)
    with pytest.raises(ClusterError, match=r"etcd ended with exit code 7:\nthe disk is full"):
        made.start()
    assert not (tmp_path / "cluster").exists()
