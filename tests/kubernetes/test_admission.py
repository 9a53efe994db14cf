"""Every pod that the example campus can ask for is admitted where nothing dangerous is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kubernetes.client import ApiException
from tests.support.pods import pod

from lectern_spawner.access import Grant, Person
from lectern_spawner.catalog import Role, load
from lectern_spawner.kubernetes import preview
from lectern_spawner.plan import HomeMount, ServerPlan, make_plan

CATALOG = load(Path(__file__).resolve().parents[2] / "profiles").require()
GRANTS = [
    Grant(course, profile, role)
    for course in CATALOG.courses.values()
    for profile in course.profiles.values()
    for role in Role
]


@pytest.fixture(scope="module")
def restricted(cluster):
    name = "restricted"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.api.core.create_namespace({"metadata": {"name": name, "labels": labels}})
    yield name
    cluster.api.core.delete_namespace(name)


def plan_of(grant: Grant) -> ServerPlan:
    return make_plan(grant, Person(name="李雷"), CATALOG.campus, datetime.now(UTC))


def admit(cluster, namespace: str, made: dict) -> None:
    cluster.api.core.create_namespaced_pod(namespace, made, dry_run="All")


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: f"{grant.name}-{grant.role}")
def test_every_profile_is_admitted_for_every_role(cluster, restricted, grant):
    plan = plan_of(grant)
    made = preview.objects(plan, CATALOG.campus, restricted)[0]
    admit(cluster, restricted, made)
    made["spec"]["hostUsers"] = False
    admit(cluster, restricted, made)


def test_so_is_one_with_a_home_of_its_course(cluster, restricted):
    plan = plan_of(GRANTS[0])
    made = preview.objects(replace(plan, home=HomeMount(storage="teaching")), CATALOG.campus, "x")
    assert made[0]["spec"]["initContainers"]
    admit(cluster, restricted, made[0])


def test_the_rule_is_in_force(cluster, restricted):
    with pytest.raises(ApiException, match="violates PodSecurity"):
        admit(cluster, restricted, pod("x", "true"))
