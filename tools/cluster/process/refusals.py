"""What a process node cannot do, found before a pod starts. The package's docstring lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

REASON = "UnsupportedByProcessNode"
VOLUMES = frozenset(
    {
        "emptyDir",
        "configMap",
        "secret",
        "downwardAPI",
        "projected",
        "hostPath",
        "persistentVolumeClaim",
    }
)
_PROJECTIONS = frozenset({"configMap", "secret", "downwardAPI", "serviceAccountToken"})
_HOST_PATHS = frozenset({"", "Directory", "DirectoryOrCreate", "File", "FileOrCreate"})
_POD_SWITCHES = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
_POD_FIELDS = ("runtimeClassName", "resourceClaims")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def refusals(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the path of each field of a pod's spec that cannot be honoured, and why."""
    yield from _pod(spec)
    for number, volume in enumerate(spec.get("volumes", [])):
        yield from _volume(volume, f"spec.volumes[{number}]")
    for key in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(key, [])):
            yield from _container(container, f"spec.{key}[{number}]")


def _pod(spec: Mapping[str, Any]) -> Iterator[str]:
    for key in _POD_SWITCHES:
        if spec.get(key):
            yield f"spec.{key}: a process node has no namespaces of a host to share"
    for key in _POD_FIELDS:
        if spec.get(key):
            yield f"spec.{key}: a process node has one way to run, and no devices to claim"
    if spec.get("hostUsers") is False:
        yield "spec.hostUsers: a process node maps no users"
    if spec.get("os", {}).get("name", "linux") != "linux":
        yield "spec.os: a process node runs Linux"
    if spec.get("securityContext", {}).get("sysctls"):
        yield "spec.securityContext.sysctls: all pods share one kernel and network"


def _volume(volume: Mapping[str, Any], path: str) -> Iterator[str]:
    for kind in volume:
        if kind != "name" and kind not in VOLUMES:
            yield f"{path}.{kind}: a process node has no volumes of this kind"
    if volume.get("hostPath", {}).get("type", "") not in _HOST_PATHS:
        yield f"{path}.hostPath.type: a process node mounts folders and files only"
    for number, source in enumerate(volume.get("projected", {}).get("sources", [])):
        for kind in source:
            if kind not in _PROJECTIONS:
                yield f"{path}.projected.sources[{number}].{kind}: a process node cannot project it"


def _container(container: Mapping[str, Any], path: str) -> Iterator[str]:
    if container.get("restartPolicy"):
        yield f"{path}.restartPolicy: a process node has no sidecars and no rules for one container"
    if container.get("restartPolicyRules"):
        yield f"{path}.restartPolicyRules: a process node has no rules for one container"
    if container.get("volumeDevices"):
        yield f"{path}.volumeDevices: a process node has no block devices"
    if container.get("securityContext", {}).get("privileged"):
        yield f"{path}.securityContext.privileged: containers of a process node are never privileged"
    yield from _reach(container, path)


def _reach(container: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what a container wants of the network and of mounts."""
    for number, port in enumerate(container.get("ports", [])):
        if port.get("hostPort"):
            yield f"{path}.ports[{number}].hostPort: a process node has no ports of a host"
    for probe in _PROBES:
        if "grpc" in container.get(probe, {}):
            yield f"{path}.{probe}.grpc: a process node probes with exec, httpGet and tcpSocket"
    for number, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("mountPropagation", "None") != "None":
            yield f"{path}.volumeMounts[{number}].mountPropagation: mounts are private to a container"
