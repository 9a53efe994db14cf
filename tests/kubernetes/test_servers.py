"""Servers as pods: a real hub, proxy, cluster and image, from Start to a kernel that computes."""

from __future__ import annotations

import pytest
from tests.support.kernel import Kernel
from tests.support.podhub import pod_hub

CAMPUS = """\
languages: [en, zh]
images:
  base: {title: JupyterLab, ref: "lectern.test/base:1"}
"""
COURSE = """\
course: ml-101
title: {en: Machine Learning, zh: 机器学习}
instructors: [chen]
students: [alice, 李雷]
profiles:
  notebook: {title: Notebook, image: base, cpu: 1, memory: 1Gi, env: {MODE: "{x} %s"}}
"""


@pytest.fixture(scope="module")
def hub(own_cluster, host_node, loaded_image):
    loaded_image("base")
    name = "people"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    own_cluster.api.core.create_namespace({"metadata": {"name": name, "labels": labels}})
    with pod_hub(own_cluster, name, {"campus.yaml": CAMPUS, "ml-101.yaml": COURSE}) as running:
        yield running


def test_a_student_starts_a_pod_and_computes(hub):
    alice = hub.visitor("alice")
    api = hub.api("alice")
    assert alice.start("ml-101/notebook").status_code == 200
    api.wait("alice")
    with Kernel(hub.base, api.token, "alice") as kernel:
        outcome = kernel.run("import os; print(6 * 7, os.environ['MODE'])")
    assert outcome.text == "42 {x} %s\n"
    api.stop("alice")
