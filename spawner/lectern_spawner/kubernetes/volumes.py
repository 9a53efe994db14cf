"""The volumes of a campus: one for each NFS export, with the claim that takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lectern_spawner.catalog import Campus
from lectern_spawner.kubernetes.pod import claim

_SIZE = "1Ti"
"""Kubernetes wants one; how much there is decides the server alone."""


def volumes(campus: Campus, namespace: str, storages: Iterable[str]) -> list[dict[str, Any]]:
    """Return the objects by which pods reach storages.

    Args:
        campus: what says where they are.
        namespace: of the pods.
        storages: which; those that are no NFS export are left out.
    """
    found: list[dict[str, Any]] = []
    for name in storages:
        if export := campus.storage[name].nfs:
            options = list(campus.storage[name].mount_options)
            found += _pair(name, namespace, export, options)
    return found


def _pair(name: str, namespace: str, export: str, options: list[str]) -> list[dict[str, Any]]:
    server, _, path = export.rpartition(":/")
    whole = f"{namespace}-{claim(name)}"
    common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    volume = {
        **common,
        "capacity": {"storage": _SIZE},
        "mountOptions": options,
        "nfs": {"server": server.strip("[]"), "path": f"/{path}"},
        "persistentVolumeReclaimPolicy": "Retain",
        # Nobody else's claim can take it.
        "claimRef": {"name": claim(name), "namespace": namespace},
    }
    wanted = {**common, "volumeName": whole, "resources": {"requests": {"storage": _SIZE}}}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": whole},
            "spec": volume,
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim(name), "namespace": namespace},
            "spec": wanted,
        },
    ]
