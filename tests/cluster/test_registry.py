"""Images that are pulled, from a registry inside the cluster."""

from __future__ import annotations

import pytest
from tests.support.pods import events, pod, run
from tests.support.processes import eventually

from cluster.images import BUSYBOX


@pytest.fixture
def pushed(own_cluster, host_node, registry):
    """An image that is in the registry and not on the node."""
    name = f"{registry}/busybox:pushed"
    host_node.push(BUSYBOX, name)
    assert name not in host_node.images()
    return name


def test_an_image_is_pulled(own_cluster, host_node, namespace, pushed):
    container = {"image": pushed, "imagePullPolicy": "Always"}
    manifest = pod("pulls", "echo pulled", node=host_node.name, container=container)
    assert run(own_cluster.api, namespace, manifest) == ("Succeeded", "pulled\n")
    assert pushed in host_node.images()
    assert any(
        "Pulled: Successfully pulled image" in line for line in events(own_cluster.api, namespace)
    )


def test_an_image_that_is_not_there_is_a_failed_pull(own_cluster, host_node, namespace, registry):
    container = {"image": f"{registry}/nobody:1"}
    own_cluster.api.core.create_namespaced_pod(
        namespace, pod("waits", "echo no", node=host_node.name, container=container)
    )

    def reason() -> str:
        status = own_cluster.api.core.read_namespaced_pod("waits", namespace).status
        rows = status.container_statuses or []
        return rows[0].state.waiting.reason if rows and rows[0].state.waiting else ""

    eventually(lambda: reason() in ("ErrImagePull", "ImagePullBackOff"), "the pull never failed")


def test_nothing_is_pulled_from_outside(own_cluster, host_node, namespace):
    """No route leads out of the cluster, so a wrong image name fails at once and fetches nothing."""
    assert "default" not in own_cluster.run("ip", "route")
    container = {"image": "library.test/busybox:1"}
    own_cluster.api.core.create_namespaced_pod(
        namespace, pod("outside", "echo no", node=host_node.name, container=container)
    )
    eventually(
        lambda: any("outside: Failed" in line for line in events(own_cluster.api, namespace)),
        "the pull never failed",
    )
