"""Keys that people bring along from other systems, and keys that must never be there.

Used where a file has a key that its section does not know.
"""

from __future__ import annotations

# Keys of JupyterHub's and KubeSpawner's profiles, and what they are called here.
KNOWN: dict[str, str] = {
    "display_name": "write `title`",
    "displayName": "write `title`",
    "slug": "the key of the profile is its id",
    "default": "the first profile of the file is the one that is offered first",
    "mem_limit": "write `memory: {limit: …}`",
    "mem_guarantee": "write `memory: {guarantee: …}`",
    "cpu_limit": "write `cpu: {limit: …}`",
    "cpu_guarantee": "write `cpu: {guarantee: …}`",
    "environment": "write `env`",
    "extraEnv": "write `env`",
    "image_spec": "write `image`, and the reference in campus.yaml",
    "extra_resource_limits": "write `gpu: {count: …}`",
    "extra_resource_guarantees": "write `gpu: {count: …}`",
    "default_url": "write `app`",
    "defaultUrl": "write `app`",
    "allowed_groups": "write `who`, or the group under `students`",
    "profile_list": "write `profiles`",
    "profileList": "write `profiles`",
    "profile_options": "write a profile for each choice",
    "kubespawner_override": "write its keys here, by their names in Lectern",
    "tiers": "write `profiles`",
    "teachers": "write `instructors`",
    "nodeSelector": "write `node_selector`",
    "runtimeClassName": "write `runtime_class`",
    "schedulerName": "write `scheduler`",
    "perNode": "write `per_node`",
    "gpuPools": "write `gpu_pools`",
}

# Each would let a server leave its place: become root, see other pods, the machine, its network.
DANGEROUS: frozenset[str] = frozenset(
    """
    privileged allow_privilege_escalation allowPrivilegeEscalation host_network hostNetwork
    host_pid hostPID host_ipc hostIPC host_path hostPath volumes volume_mounts volumeMounts
    extraVolumes extraVolumeMounts service_account serviceAccount serviceAccountName uid gid
    fs_gid fsGroup run_as_user runAsUser run_as_group runAsGroup runAsNonRoot run_as_non_root
    security_context securityContext container_security_context containerSecurityContext
    pod_security_context capabilities extra_pod_config extraPodConfig extra_container_config
    extraContainerConfig init_containers initContainers extra_containers extraContainers
    lifecycle_hooks lifecycleHooks cmd args automount_service_account_token
    automountServiceAccountToken userns hostUsers modify_pod_hook pre_spawn_hook seccomp apparmor
    """.split()
)
