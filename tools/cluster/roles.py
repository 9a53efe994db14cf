"""What the cluster's own programs may do, beyond Kubernetes' built-in roles."""

from __future__ import annotations

from typing import Any

from cluster import controlplane

_READ = ["get", "list", "watch"]

_RULES: dict[str, list[dict[str, Any]]] = {
    controlplane.COREDNS: [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": _READ},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
    ],
    controlplane.KUBE_ROUTER: [
        {
            "apiGroups": [""],
            "resources": ["namespaces", "pods", "services", "nodes", "endpoints"],
            "verbs": _READ,
        },
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": _READ},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
    ],
    # One process is hundreds of nodes, so the Node authorizer cannot tell it apart from them.
    controlplane.PROCESS_NODES: [
        {
            "apiGroups": [""],
            "resources": ["nodes"],
            "verbs": [*_READ, "create", "update", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["update", "patch"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "create", "update", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["pods"], "verbs": [*_READ, "delete"]},
        {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["update", "patch"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps", "secrets", "persistentvolumes", "persistentvolumeclaims"],
            "verbs": ["get"],
        },
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
        {
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["tokenreviews"],
            "verbs": ["create"],
        },
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["subjectaccessreviews"],
            "verbs": ["create"],
        },
    ],
}


def objects() -> list[dict[str, Any]]:
    """Return all roles and bindings."""
    made = [_binding(controlplane.KUBELET_CLIENT, "system:kubelet-api-admin")]
    for user, rules in _RULES.items():
        made += [_role(user, rules), _binding(user, user)]
    return made


def _role(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    return {**kind, "metadata": {"name": name}, "rules": rules}


def _binding(user: str, role: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
