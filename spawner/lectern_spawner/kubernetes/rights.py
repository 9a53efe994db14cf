"""What the hub may do in Kubernetes, and nothing beside it."""

from __future__ import annotations

from typing import Any

PERMISSIONS = {
    "pods": ("create", "delete", "list", "watch"),
    "events": ("list", "watch"),
}
"""Verbs by resource. Claims and volumes are made by whoever installs; nobody reads secrets."""


def role(namespace: str, name: str = "lectern-hub") -> list[dict[str, Any]]:
    """Return the hub's service account, its Role, and what binds them.

    Args:
        namespace: of the pods, and of the account.
        name: of all three.
    """
    about = {"name": name, "namespace": namespace}
    rules = [
        {"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}
        for resource, verbs in PERMISSIONS.items()
    ]
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": about, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": about,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", **about}],
        },
    ]
