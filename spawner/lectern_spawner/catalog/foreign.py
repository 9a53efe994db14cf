"""Keys that people bring along from other systems, and keys that must never be there.

Used where a file has a key that its section does not know.
"""

from __future__ import annotations

import re

# Keys of JupyterHub's and KubeSpawner's profiles, and what they are called here.
# All are spelt as `_plain` spells them.
_KNOWN: dict[str, str] = {
    "displayname": "write `title`",
    "slug": "the key of the profile is its id",
    "default": "the first profile of the file is the one that is offered first",
    "memlimit": "write `memory`",
    "memguarantee": "write `memory: {guarantee: …, limit: …}`",
    "cpulimit": "write `cpu`",
    "cpuguarantee": "write `cpu: {guarantee: …, limit: …}`",
    "environment": "write `env`",
    "extraenv": "write `env`",
    "imagespec": "write `image`, and the reference in campus.yaml",
    "extraresourcelimits": "write `gpu: {count: …}`",
    "extraresourceguarantees": "write `gpu: {count: …}`",
    "defaulturl": "write `app`",
    "cmd": "write `app: {command: […], title: …}`",
    "args": "write `app: {command: […], title: …}`",
    "allowedgroups": "write `who`, or the group under `students`",
    "profilelist": "write `profiles`",
    "profileoptions": "write a profile for each choice",
    "kubespawneroverride": "write its keys here, by their names in Lectern",
    "tiers": "write `profiles`",
    "teachers": "write `instructors`",
    "nodeselector": "it belongs to a pool under `gpu_pools` of campus.yaml",
    "tolerations": "they belong to a pool under `gpu_pools` of campus.yaml",
    "resources": "write `cpu` and `memory`",
    "requests": "write `guarantee`",
    "limits": "write `limit`",
    "runtimeclassname": "write `runtime_class`",
    "schedulername": "write `scheduler`",
    "pernode": "write `per_node`",
    "gpupools": "write `gpu_pools`",
}

# Each would let a server leave its place: become root, see other pods, the machine, its network.
_DANGEROUS = frozenset(
    [
        "privileged", "allowprivilegeescalation", "hostnetwork", "hostpid", "hostipc", "hostpath",
        "hostusers", "hostaliases", "volumes", "volumemounts", "volumedevices", "extravolumes",
        "extravolumemounts", "serviceaccount", "serviceaccountname",
        "automountserviceaccounttoken", "uid", "gid", "fsuid", "fsgid", "fsgroup", "runasuser",
        "runasgroup", "runasnonroot", "supplementalgids", "supplementalgroups", "securitycontext",
        "containersecuritycontext", "podsecuritycontext", "capabilities", "extrapodconfig",
        "extracontainerconfig", "initcontainers", "extracontainers", "lifecyclehooks", "userns",
        "modifypodhook", "prespawnhook", "seccomp", "seccompprofile", "apparmor",
        "apparmorprofile", "sysctls", "procmount", "devices",
    ]
)  # fmt: skip
_MEANT = re.compile(r"write `([a-z_]+)")


def is_dangerous(key: str) -> bool:
    """Whether a key would let a server out of its place; every spelling of it counts."""
    return _plain(key) in _DANGEROUS


def advice(key: str) -> str | None:
    """Return what to write instead of a key of another system."""
    return _KNOWN.get(_plain(key))


def meant(key: str) -> str | None:
    """Return the key that stands for a key of another system here."""
    found = _MEANT.match(advice(key) or "")
    return found[1] if found else None


def _plain(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()
