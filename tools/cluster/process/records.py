"""Pods as a node keeps them: what is needed of each, and no more."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OVER = ("Succeeded", "Failed")
_FEW = ("restartPolicy", "readinessGates", "activeDeadlineSeconds", "terminationGracePeriodSeconds")


@dataclass(slots=True, frozen=True)
class Seen:
    """What the API server said about a container before this process knew of it."""

    restarts: int
    is_running: bool
    started_at: str


@dataclass(slots=True)
class Pod:
    """A pod that is bound to one of our nodes."""

    namespace: str
    name: str
    uid: str
    node: str
    generation: int
    spec: dict[str, Any]
    labels: dict[str, str]
    annotations: dict[str, str]
    phase: str = "Pending"
    started: str = ""
    """status.startTime, if there is one already."""

    is_deleted: bool = False
    grace_seconds: float = 30.0
    """Of the deletion, else of the pod."""

    gates: dict[str, bool] = field(default_factory=dict)
    """Readiness gates that somebody has set."""

    seen: dict[str, Seen] = field(default_factory=dict)
    is_ready: bool = False
    """What the API server says; somebody else may have written it."""

    ephemeral: tuple[str, ...] = ()
    """Names of ephemeral containers."""

    @property
    def key(self) -> str:
        """Namespace and name, as faults' patterns name it."""
        return f"{self.namespace}/{self.name}"

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The main containers."""
        containers: list[dict[str, Any]] = self.spec["containers"]
        return containers

    @property
    def init_containers(self) -> list[dict[str, Any]]:
        """Those that run first, one after another."""
        containers: list[dict[str, Any]] = self.spec.get("initContainers", [])
        return containers

    @property
    def restart_policy(self) -> str:
        """Always, OnFailure or Never."""
        return str(self.spec.get("restartPolicy", "Always"))


def pod_of(content: Mapping[str, Any], *, whole: bool) -> Pod:
    """Reduce a pod of the API server.

    Args:
        content: the object.
        whole: whether it shall run, so that all of its spec is needed.
    """
    about, spec, status = content["metadata"], content["spec"], content.get("status", {})
    grace = about.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds", 30))
    gates = {row["conditionType"] for row in spec.get("readinessGates", [])}
    rows = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
    return Pod(
        namespace=sys.intern(about["namespace"]),
        name=about["name"],
        uid=about["uid"],
        node=sys.intern(spec.get("nodeName", "")),
        generation=about.get("generation", 0),
        spec=dict(spec) if whole else _few(spec),
        labels=about.get("labels", {}) if whole else {},
        annotations=about.get("annotations", {}) if whole else {},
        phase=sys.intern(status.get("phase", "Pending")),
        started=status.get("startTime", ""),
        is_deleted="deletionTimestamp" in about,
        grace_seconds=float(grace),
        gates={
            row["type"]: row["status"] == "True"
            for row in status.get("conditions", [])
            if row["type"] in gates
        },
        seen={row["name"]: _seen(row) for row in rows},
        is_ready=any(
            row["type"] == "Ready" and row["status"] == "True"
            for row in status.get("conditions", [])
        ),
        ephemeral=tuple(row["name"] for row in spec.get("ephemeralContainers", [])),
    )


def _seen(row: Mapping[str, Any]) -> Seen:
    running = row.get("state", {}).get("running")
    return Seen(
        row.get("restartCount", 0), running is not None, (running or {}).get("startedAt", "")
    )


def _few(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what pretending needs of a spec."""
    few: dict[str, Any] = {key: spec[key] for key in _FEW if key in spec}
    for key in ("initContainers", "containers"):
        if key in spec:
            few[key] = [
                {"name": sys.intern(row["name"]), "image": sys.intern(row.get("image", ""))}
                for row in spec[key]
            ]
    return few
