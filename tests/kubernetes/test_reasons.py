"""What a person reads when a pod does not start: every row is a real pod of a real cluster."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

import kubernetes_asyncio.config
import pytest
from kubernetes.client import ApiException
from tests.support.pods import pod
from tests.support.watches import close_client

from lectern_spawner.kubernetes import creating, events
from lectern_spawner.kubernetes.events import Hope
from lectern_spawner.kubernetes.records import Events, Pods
from lectern_spawner.words import words

PATIENCE_SECONDS = 100
SLEEP = "sleep 600"


def wants(**amounts: str) -> dict:
    names = {name.replace("__", "/").replace("_", "-"): value for name, value in amounts.items()}
    return {"container": {"resources": {"requests": names, "limits": names}}}


def image(name: str, **more: str) -> dict:
    return {"container": {"image": name, **more}}


def volume(**source: dict) -> dict:
    mounts = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    return {"volumes": [{"name": "v", **source}], "container": mounts}


PODS = {
    "gpu-full": (SLEEP, wants(**{"nvidia.com__gpu": "1"})),
    "memory-full": (SLEEP, wants(memory="100Ti")),
    "cpu-full": (SLEEP, wants(cpu="9000")),
    "disk-full": (SLEEP, wants(ephemeral_storage="900Ti")),
    "no-fit": (SLEEP, {"nodeSelector": {"room": "none"}}),
    "storage-missing": (SLEEP, volume(persistentVolumeClaim={"claimName": "none"})),
    "setting-missing": (SLEEP, volume(configMap={"name": "none"})),
    "home": (SLEEP, volume(nfs={"server": "127.0.0.1", "path": "/none"})),
    "image-missing": (SLEEP, image("{registry}/none:1")),
    "image-unreachable": (SLEEP, image("127.0.0.1:1/none:1")),
    "image-name": (SLEEP, image("UPPER/case:1")),
    "no-server": (SLEEP, {"container": {"command": ["/none"]}}),
    "root-only": (SLEEP, {"securityContext": {"runAsNonRoot": True}}),
    "restarts": ("exit 3", {"restartPolicy": "OnFailure"}),
    "out-of-memory": ("tail /dev/zero", wants(memory="16Mi")),
    "deadline": (SLEEP, {"activeDeadlineSeconds": 1}),
    "tmp-full": (
        f"head -c 5000000 /dev/zero >/v/x; {SLEEP}",
        volume(emptyDir={"sizeLimit": "1Mi"}),
    ),
    "starting": (SLEEP, {}),
}
"""By the condition that must be told: a script and what is special about the pod."""


@pytest.fixture(scope="module")
def told(own_cluster, host_node, registry):
    """Every condition that the watches told of each pod, and its sentence."""
    namespace = "reasons"
    own_cluster.api.core.create_namespace({"metadata": {"name": namespace}})
    # Other tests' nodes have no real containers.
    here = {"kubernetes.io/hostname": host_node.name}
    for name, (script, more) in PODS.items():
        made = pod(name, script, **{"nodeSelector": here} | more)
        container = made["spec"]["containers"][0]
        container["image"] = container["image"].format(registry=registry)
        own_cluster.api.core.create_namespaced_pod(namespace, made)
    yield asyncio.run(listen(own_cluster.kubeconfig, namespace))
    own_cluster.api.core.delete_namespace(namespace)


async def listen(kubeconfig, namespace: str) -> dict[str, dict[str, events.Condition]]:
    """Listen until every pod was told what it must be, or for long enough."""
    await kubernetes_asyncio.config.load_kube_config(str(kubeconfig))
    heard: dict[str, dict[str, events.Condition]] = defaultdict(dict)
    watches = [kind(namespace=namespace) for kind in (Pods, Events)]
    for watch in watches:
        await watch.start()
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and any(name not in heard[name] for name in PODS):
        for name in PODS:
            key = f"{namespace}/{name}"
            if found := events.said(watches[0].pods.get(key), watches[1].of(key)):
                heard[name][found.code] = found
        await asyncio.sleep(0.2)
    for watch in watches:
        await watch.stop()
    await close_client()
    return heard


@pytest.mark.parametrize("name", PODS)
def test_a_person_is_told_why(told, name):
    assert name in told[name], {code: row.original for code, row in told[name].items()}
    if name != "starting":
        assert told[name][name].hope is not Hope.GOES_ON
    for language in ("en", "zh"):
        assert told[name][name].text(words(language))


def test_a_pod_that_runs_is_never_called_hopeless(told):
    assert {row.hope for row in told["starting"].values()} == {Hope.GOES_ON}


REFUSED = {
    "quota": (
        {"kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}}},
        {},
        {},
    ),
    "limit-range": (
        {"kind": "LimitRange", "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
        wants(cpu="2"),
        {},
    ),
    "policy": (None, {}, {"pod-security.kubernetes.io/enforce": "restricted"}),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_pod_is_explained(own_cluster, code):
    rule, more, labels = REFUSED[code]
    namespace, api = f"refused-{code}", own_cluster.api
    api.core.create_namespace({"metadata": {"name": namespace, "labels": labels}})
    if rule:
        about = {"apiVersion": "v1", "metadata": {"name": "rule", "namespace": namespace}}
        api.apply([about | rule])
    with pytest.raises(ApiException) as caught:
        api.core.create_namespaced_pod(namespace, pod("x", SLEEP, **more))
    found = events.of(creating.words_of(caught.value))
    assert found.code == code, found.original
    api.core.delete_namespace(namespace)
