"""The pod of a plan as it would be created, for ``lectern show --backend kubernetes``.

Without the hub: what a site configures for KubeSpawner itself, and what JupyterHub tells
every server, come on top.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from kubernetes_asyncio.client import ApiClient, V1Pod
from kubespawner.objects import make_pod
from kubespawner.slugs import safe_slug

from lectern_spawner.access import Grant
from lectern_spawner.accounts import FIRST_UID
from lectern_spawner.catalog import Campus
from lectern_spawner.catalog.source import Where
from lectern_spawner.kubernetes import pod as pods
from lectern_spawner.kubernetes.pod import Identity
from lectern_spawner.kubernetes.volumes import volumes
from lectern_spawner.plan import ServerPlan

_PORT = 8888
_SERVER = "spec.containers[0]"

Field = tuple[str, str, Where, bool]
"""A field of the pod, its value, its path in a file, and whether that is the campus file."""


def objects(plan: ServerPlan, campus: Campus, namespace: str) -> list[dict[str, Any]]:
    """Return the pod and the volumes that it needs, as the API takes them."""
    return [_pod(plan), *volumes(campus, namespace, pods.storages(plan))]


def _pod(plan: ServerPlan) -> dict[str, Any]:
    made = make_pod(
        name=f"jupyter-{safe_slug(plan.person)}",
        cmd=["jupyterhub-singleuser"],
        port=_PORT,
        image=plan.image,
        image_pull_policy=None,
        labels={"component": "singleuser-server"},
        cpu_limit=float(plan.cpu_limit),
        cpu_guarantee=float(plan.cpu_guarantee),
        mem_limit=plan.memory_limit_bytes,
        mem_guarantee=plan.memory_guarantee_bytes,
    )
    return asyncio.run(_plain(pods.fit(made, plan, Identity(plan.person, FIRST_UID))))


async def _plain(pod: V1Pod) -> dict[str, Any]:
    async with ApiClient() as client:
        found: dict[str, Any] = client.sanitize_for_serialization(pod)
    return found


def fields(plan: ServerPlan, grant: Grant) -> Iterator[Field]:
    """Yield the fields that a file decides, and where it does."""
    profile: Where = ("profiles", grant.profile.id)
    yield f"{_SERVER}.image", plan.image, ("images", grant.profile.image, "ref"), True
    for name in ("cpu", "memory"):
        amount = getattr(grant.profile, name)
        for key, value in (("requests", amount.guarantee), ("limits", amount.limit)):
            yield f"{_SERVER}.resources.{key}.{name}", str(value), (*profile, name), False
    for name, value in sorted(grant.profile.env.items()):
        yield f"{_SERVER}.env[{name}]", value, (*profile, "env", name), False
    if plan.home:
        yield f"{_SERVER}.volumeMounts[{pods.HOME}]", plan.home.storage, ("home", "server"), False
    for place, mount in pods.folders(plan).items():
        where: Where = ("shared", "from")
        if mount in plan.data:
            where = ("data", plan.data.index(mount), "from")
        yield f"{_SERVER}.volumeMounts[{place}]", mount.inside, where, False
    for key, value in pods.labels(plan).items():
        yield f"metadata.labels[{key}]", value, _written(key, plan, profile), False
    for storage in pods.storages(plan):
        yield f"PersistentVolume {pods.claim(storage)}", storage, ("storage", storage, "nfs"), True


def _written(label: str, plan: ServerPlan, profile: Where) -> Where:
    places: dict[str, Where] = {
        pods.COURSE_LABEL: ("course",),
        pods.PROFILE_LABEL: profile,
        pods.ROLE_LABEL: (f"{plan.role.value}s",),
    }
    return places[label]
