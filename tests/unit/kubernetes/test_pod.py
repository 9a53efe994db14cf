"""From a plan to a pod."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from kubernetes_asyncio.client import V1Container, V1EnvVar, V1ObjectMeta, V1Pod, V1PodSpec

from lectern_spawner.catalog import Role
from lectern_spawner.kubernetes import pod as pods
from lectern_spawner.kubernetes.pod import Identity
from lectern_spawner.plan import HomeMount, Mount, ServerPlan

ALICE = Identity("alice", 1_900_000_007)
IRIS = Mount(name="iris", storage="nas", inside="/sets/{iris}", path=None, in_pods=True)
PLAN = ServerPlan(
    course="ml-101",
    profile="notebook",
    person="alice",
    role=Role.STUDENT,
    app="jupyter",
    image="lab/base@sha256:" + "a" * 64,
    cpu_guarantee=Fraction(1, 3),
    cpu_limit=Fraction(1),
    memory_guarantee_bytes=1 << 30,
    memory_limit_bytes=2 << 30,
    env={"MODE": "{x} %s"},
    home=HomeMount(storage="nas"),
    data=(IRIS,),
)


def fitted(plan: ServerPlan = PLAN, **spec) -> V1Pod:
    server = V1Container(name="notebook", env=spec.pop("env", None))
    made = V1Pod(
        metadata=V1ObjectMeta(name="jupyter-alice", labels={"component": "singleuser-server"}),
        spec=V1PodSpec(containers=[server], **spec),
    )
    return pods.fit(made, plan, ALICE)


def mounts(made: V1Pod) -> dict[str, tuple[str, str | None, bool | None]]:
    rows = made.spec.containers[0].volume_mounts
    return {row.mount_path: (row.name, row.sub_path, row.read_only) for row in rows}


def test_values_are_data_and_never_formatted():
    made = fitted()
    assert mounts(made)["/data/iris"] == ("storage-nas", "sets/{iris}", True)
    assert {row.name: row.value for row in made.spec.containers[0].env}["MODE"] == "{x} %s"


def test_the_plan_wins_over_what_the_site_has_configured_and_the_rest_stays():
    made = fitted(env=[V1EnvVar(name="MODE", value="old"), V1EnvVar(name="SITE", value="1")])
    rows = [(row.name, row.value) for row in made.spec.containers[0].env]
    assert ("SITE", "1") in rows
    assert [value for name, value in rows if name == "MODE"] == ["{x} %s"]


def test_a_home_is_a_folder_of_the_persons_own_made_by_the_person():
    made = fitted()
    assert mounts(made)[pods.HOME] == ("storage-nas", "alice", None)
    (prepare,) = made.spec.init_containers
    assert prepare.security_context.capabilities.drop == ["ALL"]
    assert made.spec.security_context.run_as_user == ALICE.uid
    assert prepare.resources.limits == {"cpu": "1000m", "memory": str(2 << 30)}
    assert prepare.resources.requests["cpu"] == "334m"


def test_without_a_home_of_the_course_it_lives_as_long_as_the_pod():
    made = fitted(replace(PLAN, home=None))
    assert not made.spec.init_containers
    assert [row.name for row in made.spec.volumes if row.empty_dir] == ["tmp", "home"]


@pytest.mark.parametrize("writable", [True, False])
def test_a_shared_folder_is_as_writable_as_the_plan_says(writable):
    shared = replace(IRIS, name="shared", inside="/", writable=writable)
    made = fitted(replace(PLAN, shared=shared))
    assert mounts(made)["/shared"] == ("storage-nas", None, not writable)


def test_what_pods_do_not_reach_is_left_out():
    here = replace(IRIS, path=Path("/srv/iris"), in_pods=False)
    assert pods.storages(replace(PLAN, home=None, data=(here,))) == []


def test_labels_tell_whose_server_it_is_for_metrics_and_policies():
    assert fitted().metadata.labels == {
        "component": "singleuser-server",
        "lectern/course": "ml-101",
        "lectern/profile": "notebook",
        "lectern/role": "student",
    }
