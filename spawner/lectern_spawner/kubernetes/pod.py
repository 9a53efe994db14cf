"""From a plan to a pod: what a course file says, on top of what the site has configured.

Pure: the same plan and identity always give the same pod. Values go into their slots as
they are and are never formatted: a name or a path is data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from kubernetes_asyncio.client import (
    V1Capabilities,
    V1Container,
    V1EmptyDirVolumeSource,
    V1EnvVar,
    V1PersistentVolumeClaimVolumeSource,
    V1Pod,
    V1PodSecurityContext,
    V1ResourceRequirements,
    V1SeccompProfile,
    V1SecurityContext,
    V1Volume,
    V1VolumeMount,
)

from lectern_spawner.plan import Mount, ServerPlan

HOME, DATA, SHARED, TMP = "/home/student", "/data", "/shared", "/tmp"
GROUP = 100
"""`users`: the group of everybody; images are made for it."""

COURSE_LABEL, PROFILE_LABEL, ROLE_LABEL = "lectern/course", "lectern/profile", "lectern/role"
_HOMES = "/homes"
_PREPARE = """\
home="$1/$2"
[ -d "$home" ] || mkdir -m 0700 "$home"
for link in data shared; do
    if [ -d "/$link" ] && [ ! -e "$home/$link" ] && [ ! -L "$home/$link" ]; then
        ln -s "/$link" "$home/$link"
    fi
done
"""
"""Runs as the person, so that what it makes is theirs; whatever is there already stays."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the processes of a pod belong to."""

    name: str
    uid: int


def claim(storage: str) -> str:
    """Return the name of the claim by which pods reach a storage of the campus."""
    return f"storage-{storage}"


def fit(pod: V1Pod, plan: ServerPlan, identity: Identity) -> V1Pod:
    """Make a pod of KubeSpawner's what a plan says.

    Args:
        pod: with what the site has configured; its first container is the server's.
        plan: what was granted.
        identity: whose it is.
    """
    server = pod.spec.containers[0]
    pod.metadata.labels |= labels(plan)
    pod.spec.security_context = _pod_security(identity)
    server.security_context = _container_security()
    server.resources = _resources(plan, server.resources)
    server.env = _environment(server.env or [], plan)
    pod.spec.volumes = [*(pod.spec.volumes or []), *_volumes(plan)]
    server.volume_mounts = [*(server.volume_mounts or []), *_mounts(plan, identity)]
    if plan.home:
        prepare = _prepare_home(plan, identity)
        pod.spec.init_containers = [prepare, *(pod.spec.init_containers or [])]
    return pod


def labels(plan: ServerPlan) -> dict[str, str]:
    """Return the labels by which metrics and policies know a server."""
    return {
        COURSE_LABEL: plan.course,
        PROFILE_LABEL: plan.profile,
        ROLE_LABEL: plan.role.value,
    }


def _pod_security(identity: Identity) -> V1PodSecurityContext:
    return V1PodSecurityContext(
        run_as_user=identity.uid,
        run_as_group=GROUP,
        run_as_non_root=True,
        seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
    )


def _container_security() -> V1SecurityContext:
    return V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=V1Capabilities(drop=["ALL"]),
        read_only_root_filesystem=True,
    )


def _environment(configured: list[V1EnvVar], plan: ServerPlan) -> list[V1EnvVar]:
    """Return the site's variables and the plan's; the plan's win."""
    own = {**plan.env, "HOME": HOME}
    kept = [row for row in configured if row.name not in own]
    return [*kept, *(V1EnvVar(name=name, value=value) for name, value in sorted(own.items()))]


def _volumes(plan: ServerPlan) -> Iterator[V1Volume]:
    yield V1Volume(name="tmp", empty_dir=V1EmptyDirVolumeSource())
    if plan.home is None:
        yield V1Volume(name="home", empty_dir=V1EmptyDirVolumeSource())
    for storage in storages(plan):
        source = V1PersistentVolumeClaimVolumeSource(claim_name=claim(storage))
        yield V1Volume(name=claim(storage), persistent_volume_claim=source)


def storages(plan: ServerPlan) -> list[str]:
    """Return the storages that a server reaches, sorted."""
    found = {mount.storage for mount in folders(plan).values()}
    return sorted(found | ({plan.home.storage} if plan.home else set()))


def folders(plan: ServerPlan) -> dict[str, Mount]:
    """Return the folders of a course that its pods see, by where they see them."""
    found = {f"{DATA}/{mount.name}": mount for mount in plan.data}
    if plan.shared:
        found[SHARED] = plan.shared
    return {place: mount for place, mount in found.items() if mount.in_pods}


def _mounts(plan: ServerPlan, identity: Identity) -> Iterator[V1VolumeMount]:
    yield V1VolumeMount(name="tmp", mount_path=TMP)
    if plan.home:
        yield V1VolumeMount(name=claim(plan.home.storage), mount_path=HOME, sub_path=identity.name)
    else:
        yield V1VolumeMount(name="home", mount_path=HOME)
    for place, mount in folders(plan).items():
        yield _folder(mount, place)


def _folder(mount: Mount, place: str) -> V1VolumeMount:
    return V1VolumeMount(
        name=claim(mount.storage),
        mount_path=place,
        sub_path=mount.inside.strip("/") or None,
        read_only=not mount.writable,
    )


def _prepare_home(plan: ServerPlan, identity: Identity) -> V1Container:
    """Return what makes a home before the server starts, as the person and with no other right."""
    assert plan.home
    # Only whether they are there counts: the data itself is not for this container.
    tops = sorted({f"/{place.split('/')[1]}" for place in folders(plan)})
    links = [V1VolumeMount(name="tmp", mount_path=top, read_only=True) for top in tops]
    return V1Container(
        name="prepare-home",
        image=plan.image,
        command=["sh", "-euc", _PREPARE, "sh", _HOMES, identity.name],
        termination_message_policy="FallbackToLogsOnError",
        security_context=_container_security(),
        volume_mounts=[
            V1VolumeMount(name=claim(plan.home.storage), mount_path=_HOMES),
            *links,
        ],
        resources=_resources(plan),
    )


def _resources(
    plan: ServerPlan, configured: V1ResourceRequirements | None = None
) -> V1ResourceRequirements:
    """Return the plan's processor and memory; other resources are as the site has them."""
    requests, limits = (configured.requests, configured.limits) if configured else (None, None)
    own_requests = {
        "cpu": _cores(plan.cpu_guarantee),
        "memory": str(plan.memory_guarantee_bytes),
    }
    own_limits = {"cpu": _cores(plan.cpu_limit), "memory": str(plan.memory_limit_bytes)}
    return V1ResourceRequirements(
        requests=(requests or {}) | own_requests, limits=(limits or {}) | own_limits
    )


def _cores(amount: Fraction) -> str:
    """Return cores as Kubernetes writes them; less than a thousandth of a core is none."""
    return f"{math.ceil(amount * 1000)}m"
