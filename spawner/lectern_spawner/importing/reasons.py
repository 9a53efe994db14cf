"""Why a value of the other hub has no place in a campus, in words. Pure."""

from __future__ import annotations

from lectern_spawner.importing.hub import Found
from lectern_spawner.paths import Where

_PLACEMENT = "decides on which node a server runs; that belongs to the backend"
_VOLUMES = "mounts a volume; describe data with `storage` in campus.yaml and `data` in the course"
_COMMANDS = "runs a command around a server's start; nothing does so here"
_SECURITY = "concerns rights inside the container; the backend sets them itself"
_PULLING = "concerns how images are pulled; the backend decides that"
_OPENS = "decides which page opens; profiles open JupyterLab"
_TIMES = "is a waiting time of the hub; it belongs in lectern.yaml's `extra_config`"
_HUB = "is a setting of the hub; it belongs in lectern.yaml"
_CODE = "is code of the hub; put it into the file that `extra_config` of lectern.yaml names"
_ROLES = "gives rights by JupyterHub's roles; here they follow from a course's people"
_CLUSTER = "is a setting of the cluster"
_ELSEWHERE = "is not a setting of JupyterHub"
_UNKNOWN = "has no counterpart"
_OVERRIDDEN = "is never used: the profiles or their choices override it"
_CHOICES = "combinations became profiles of their own; a title names the choices"

_TRAITS = {
    **dict.fromkeys(("node_selector", "tolerations", "scheduler_name"), _PLACEMENT),
    **dict.fromkeys(("volumes", "volume_mounts", "storage_class", "pvc_name"), _VOLUMES),
    **dict.fromkeys(("storage_capacity", "storage_pvc_ensure", "working_dir"), _VOLUMES),
    **dict.fromkeys(("lifecycle", "lifecycle_hooks", "init_containers"), _COMMANDS),
    **dict.fromkeys(
        ("extra_containers", "cmd", "args", "pre_spawn_hook", "post_start_hook"), _COMMANDS
    ),
    **dict.fromkeys(("privileged", "uid", "gid", "fs_gid", "supplemental_gids"), _SECURITY),
    **dict.fromkeys(("allow_privilege_escalation", "service_account"), _SECURITY),
    **dict.fromkeys(("container_security_context", "automount_service_account_token"), _SECURITY),
    **dict.fromkeys(("image_pull_policy", "image_pull_secrets"), _PULLING),
    **dict.fromkeys(("default_url", "notebook_dir"), _OPENS),
    **dict.fromkeys(("start_timeout", "http_timeout"), _TIMES),
    **dict.fromkeys(("extra_labels", "extra_annotations"), _CLUSTER),
    **dict.fromkeys(
        ("image", "image_spec", "cpu_limit", "cpu_guarantee", "mem_limit", "mem_guarantee"),
        _OVERRIDDEN,
    ),
    **dict.fromkeys(
        ("environment", "extra_resource_limits", "extra_resource_guarantees"), _OVERRIDDEN
    ),
}
_PROFILE = {
    "allowed_groups": "limits who may start it; the profile is for instructors until `who` says more",
    "default": "chooses beforehand; people are shown first what they used last",
    "slug": "became part of no id",
    "unlisted_choice": "lets people name an image of their own; here they choose from the campus's",
    "dynamic_image_building": "builds images; here they are listed in campus.yaml",
    "profile_options": _CHOICES,
    "display_name": "has no text to show",
    "description": "has no text to show",
    "kubespawner_override": "overrides nothing",
}
_PROFILE |= dict.fromkeys(
    ("access", "groups", "users", "allowed_users"), _PROFILE["allowed_groups"]
)
_SINGLEUSER = {
    **dict.fromkeys(("image", "cpu", "memory", "extraEnv", "extraResource"), _OVERRIDDEN),
    **dict.fromkeys(("nodeSelector", "extraTolerations", "extraNodeAffinity"), _PLACEMENT),
    **dict.fromkeys(("extraPodAffinity", "extraPodAntiAffinity"), _PLACEMENT),
    **dict.fromkeys(("lifecycleHooks", "initContainers", "extraContainers", "cmd"), _COMMANDS),
    **dict.fromkeys(("uid", "fsGid", "serviceAccountName", "allowPrivilegeEscalation"), _SECURITY),
    **dict.fromkeys(("networkPolicy", "cloudMetadata", "networkTools"), _CLUSTER),
    **dict.fromkeys(("extraLabels", "extraAnnotations", "extraPodConfig"), _CLUSTER),
    "storage": "describes homes and volumes; homes come with the key `home` of a course",
    "extraFiles": "puts files into the server; build them into the image",
    "defaultUrl": _OPENS,
    "startTimeout": _TIMES,
    "profileList": _UNKNOWN,
}
_HUB_SECTIONS = {
    **dict.fromkeys(("extraConfig", "extraConfigMap", "templatePaths", "extraFiles"), _CODE),
    **dict.fromkeys(("loadRoles", "services"), _ROLES),
    **dict.fromkeys(("image", "resources", "nodeSelector", "tolerations", "db"), _CLUSTER),
    **dict.fromkeys(("networkPolicy", "extraVolumes", "extraVolumeMounts"), _CLUSTER),
    **dict.fromkeys(("livenessProbe", "readinessProbe", "annotations", "serviceAccount"), _CLUSTER),
}
_TOP = {
    "cull": "stops idle servers; that comes with the key `idle` of a profile",
    "auth": "decides who may log in; it belongs in lectern.yaml",
    "custom": "is a setting of this operator's own chart",
    **dict.fromkeys(("proxy", "ingress", "scheduling", "prePuller", "rbac"), _CLUSTER),
    **dict.fromkeys(("debug", "fullnameOverride", "nameOverride", "imagePullSecret"), _CLUSTER),
}


def reason(found: Found, where: Where) -> str:
    """Return why a leaf that nothing used was left out."""
    below = _below(where, found.profiles)
    if below is not None and len(below) > 0:
        return _in_profile(below)
    rest = _below(where, found.hub)
    if rest is None or (not found.chart and found.hub == ()):
        return _ELSEWHERE
    first, second = str(rest[0]) if rest else "", str(rest[1]) if len(rest) > 1 else ""
    if first == "singleuser" and second == "image" and rest[2:] not in (("name",), ("tag",)):
        return _PULLING if len(rest) > 2 else "is not a section with `name` and `tag`"
    if first == "singleuser":
        return _SINGLEUSER.get(second, _UNKNOWN)
    if first == "hub":
        return _HUB_SECTIONS.get(second, _HUB)
    return _TOP.get(first, _ELSEWHERE)


def _below(where: Where, place: Where) -> Where | None:
    return where[len(place) :] if where[: len(place)] == place else None


def _in_profile(below: Where) -> str:
    """Return the reason for a leaf of a profile: the innermost key that says something counts."""
    if "unlisted_choice" in below:
        return _PROFILE["unlisted_choice"]
    if "kubespawner_override" in below[:-1]:
        trait = str(below[below.index("kubespawner_override") + 1])
        placement = trait.startswith(("node_affinity", "pod_affinity", "pod_anti_affinity"))
        return _PLACEMENT if placement else _TRAITS.get(trait, _UNKNOWN)
    inside = below[1:]
    if len(inside) == 3 and inside[0] == "profile_options" and inside[2] == "display_name":
        return _CHOICES
    for part in reversed(inside):
        if part in _PROFILE:
            return _PROFILE[str(part)]
    return _UNKNOWN
