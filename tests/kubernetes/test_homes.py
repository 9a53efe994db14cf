"""Homes of pods on a real NFS server: made by their owners, and there again on every node."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from kubernetes_asyncio.client import ApiClient
from kubespawner.objects import make_pod
from tests.support.pods import EMULATED_SECONDS, run
from tests.unit.kubernetes.test_pod import PLAN

from cluster.images import BUSYBOX
from cluster.nfs import EXPORT, MOUNT_OPTIONS
from lectern_spawner.catalog import load
from lectern_spawner.kubernetes import pod as pods
from lectern_spawner.kubernetes.pod import Identity
from lectern_spawner.kubernetes.volumes import volumes
from lectern_spawner.plan import HomeMount, Mount, ServerPlan

CAMPUS = f"""\
languages: [en]
images:
  base: {{title: Base, ref: "{BUSYBOX}"}}
storage:
  nas: {{nfs: "10.99.0.1:{EXPORT}", mount_options: [{", ".join(MOUNT_OPTIONS)}]}}
"""
ALICE, LI_LEI = Identity("alice", 1_900_000_007), Identity("李雷", 1_900_000_008)
SETS = Mount(name="iris", storage="nas", inside="/sets/iris", path=None, in_pods=True)


@pytest.fixture
def campus(tmp_path):
    (tmp_path / "campus.yaml").write_text(CAMPUS)
    return load(tmp_path).require().campus


@pytest.fixture
def place(own_cluster, nfs, namespace, campus):
    """A namespace whose pods reach the export; its homes lie in a folder of their own."""
    folder = nfs.folder / namespace
    (folder / "sets" / "iris").mkdir(parents=True)
    folder.chmod(0o1777)
    made = volumes(campus, namespace, ["nas"])
    made[0]["spec"]["nfs"]["path"] += f"/{namespace}"
    own_cluster.api.apply(made)
    yield folder
    own_cluster.api.core.delete_persistent_volume(made[0]["metadata"]["name"])


def manifest(name: str, script: str, identity: Identity, plan: ServerPlan) -> dict[str, Any]:
    """Return the pod of a plan, in which a script runs instead of a server."""
    plan = replace(plan, image=BUSYBOX, person=identity.name)
    made = make_pod(name=name, cmd=None, port=8888, image=BUSYBOX, image_pull_policy="IfNotPresent")
    made = pods.fit(made, plan, identity)
    made.spec.containers[0].command = ["sh", "-c", script]
    made.spec.restart_policy = "Never"

    async def plain() -> dict[str, Any]:
        async with ApiClient() as client:
            return client.sanitize_for_serialization(made)

    return asyncio.run(plain())


def test_a_home_is_made_by_its_owner_and_is_closed_to_others(
    own_cluster, machine_node, namespace, place
):
    def ran(name: str, script: str, identity: Identity) -> str:
        plan = replace(PLAN, home=HomeMount(storage="nas"), data=(SETS,))
        made = manifest(name, script, identity, plan)
        made["spec"]["nodeSelector"] = {"kubernetes.io/hostname": machine_node.name}
        phase, text = run(own_cluster.api, namespace, made, seconds=EMULATED_SECONDS)
        assert phase == "Succeeded", text
        return text

    first = ran(
        "first", "echo mine >~/file; id -u; ls -d ~/data/iris; touch ~/data/iris/x || true", ALICE
    )
    assert {str(ALICE.uid), "/home/student/data/iris"} <= set(first.splitlines())
    assert "Read-only file system" in first
    home = place / "alice"
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (ALICE.uid, 0o700)
    assert ((home / "file").stat().st_uid, (home / "file").read_text()) == (ALICE.uid, "mine\n")
    assert ran("again", "cat ~/file", ALICE) == "mine\n"
    other = ran("other", "id -u; ls ~; ls -ld ~", LI_LEI)
    assert other.splitlines()[0] == str(LI_LEI.uid)
    assert "file" not in other.splitlines()
    assert (place / "李雷").stat().st_uid == LI_LEI.uid
