"""Servers as pods: a real hub, proxy, cluster and image, from Start to a kernel that computes."""

from __future__ import annotations

import json
import sys

import pytest
from tests.support.browserless import Api
from tests.support.kernel import Kernel
from tests.support.podhub import HUB_PORT, pod_hub

from cluster import network

CAMPUS = """\
languages: [en, zh]
images:
  base: {title: JupyterLab, ref: "lectern.test/base:1"}
  lost: {title: Lost, ref: "lectern.test/busybox:1"}
"""
COURSE = """\
course: ml-101
title: {en: Machine Learning, zh: 机器学习}
instructors: [chen]
students: [alice, 李雷]
profiles:
  notebook: {title: Notebook, image: base, cpu: 1, memory: 1Gi, env: {MODE: "{x} %s"}}
  lost: {title: Lost, image: lost, cpu: 1, memory: 1Gi}
  huge: {title: Huge, image: base, cpu: 512, memory: 1Gi}
"""


FIRST_EVENTS = """
import sys, urllib.request as u
asked = u.Request(sys.argv[1], headers={"Authorization": f"token {sys.argv[2]}"})
left = 2  # JupyterHub's own, and ours
for line in u.urlopen(asked, timeout=60):
    if line.startswith(b"data:"):
        print(line.decode().removeprefix("data:").strip())
        left -= 1
        if not left:
            break
"""


@pytest.fixture(scope="module")
def hub(own_cluster, host_node, loaded_image):
    loaded_image("base")
    name = "people"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    own_cluster.api.core.create_namespace({"metadata": {"name": name, "labels": labels}})
    with pod_hub(
        own_cluster, host_node.name, name, {"campus.yaml": CAMPUS, "ml-101.yaml": COURSE}
    ) as running:
        yield running


def started(hub, name: str) -> Api:
    assert hub.visitor(name).start("ml-101/notebook").status_code == 200
    hub.api(name).wait(name)
    return hub.api(name)


def pods_of(hub) -> list[str]:
    return [row.metadata.name for row in hub.cluster.api.core.list_namespaced_pod("people").items]


def test_a_student_starts_a_pod_and_computes(hub):
    api = started(hub, "alice")
    with Kernel(hub.base, api.token, "alice") as kernel:
        outcome = kernel.run("import os; print(6 * 7, os.environ['MODE'])")
    assert outcome.text == "42 {x} %s\n"
    api.stop("alice")
    assert pods_of(hub) == []


def test_a_pod_belongs_to_the_person_and_says_what_it_is(hub):
    api = started(hub, "李雷")
    (name,) = pods_of(hub)
    about = hub.cluster.api.core.read_namespaced_pod(name, "people")
    assert about.metadata.labels["lectern/course"] == "ml-101"
    assert about.metadata.annotations["hub.jupyter.org/username"] == "李雷"
    with Kernel(hub.base, api.token, "李雷") as kernel:
        outcome = kernel.run(
            "import getpass, os; print(getpass.getuser(), os.getuid() > 1_000_000)"
        )
    assert outcome.text == "李雷 True\n"
    api.stop("李雷")


def test_a_hub_that_dies_finds_its_pods_again(hub):
    api = started(hub, "alice")
    before = pods_of(hub)
    hub.kill()
    hub.up()
    api.wait("alice")
    assert pods_of(hub) == before
    with Kernel(hub.base, api.token, "alice") as kernel:
        assert kernel.run("print(6 * 7)").text == "42\n"
    api.stop("alice")


def test_a_pod_that_is_deleted_by_hand_is_noticed(hub):
    api = started(hub, "alice")
    (name,) = pods_of(hub)
    hub.cluster.api.core.delete_namespaced_pod(name, "people", grace_period_seconds=0)
    api.wait("alice", ready=False)
    assert "has ended by itself" in hub.log


def test_a_start_that_cannot_be_is_explained_and_leaves_nothing(hub):
    api = hub.api("alice")
    answer = api.start("alice", "ml-101/lost")
    assert answer.status_code == 202
    said = api.refusal("alice", answer)
    assert "it has no JupyterHub in it" in said
    assert pods_of(hub) == []


def test_who_waits_reads_why_in_their_language(hub):
    reader = hub.visitor("alice", Accept_Language="zh")
    reader.start("ml-101/huge")
    token, where = hub.api("alice").token, f"http://{network.MACHINE}:{HUB_PORT}"
    # Past the proxy, which hands on no stream before its end.
    address = f"{where}/hub/api/users/alice/server/progress"
    line = hub.cluster.run(sys.executable, "-c", FIRST_EVENTS, address, token)
    said = [json.loads(line)["message"] for line in line.splitlines()]
    assert said[-1] == "所有机器都在忙。处理器空出来时，你的服务器就会启动。"
    hub.api("alice").stop("alice")
