"""The services that every machine node has, unless somebody wants others."""

from __future__ import annotations

import json
from pathlib import Path

from cluster import pki, programs, services
from cluster.cluster import Cluster
from cluster.machine.guest import Service, whole_kubeconfig

_PROXY_SETTINGS = "/etc/lectern/kube-proxy.json"
_PROXY, _ROUTER = "kube-proxy", "kube-router"


def services_of(cluster: Cluster, node: str) -> list[Service]:
    """Return kube-proxy, for Services, and kube-router, for NetworkPolicies."""
    return [_kube_proxy(cluster, node), _kube_router(cluster, node)]


def _kube_proxy(cluster: Cluster, node: str) -> Service:
    words = cluster.programs.command(_PROXY)
    place, content = _kubeconfig(cluster, _PROXY)
    settings = json.dumps(services.proxy_settings(node, place)).encode()
    return Service(
        _PROXY,
        Path(words[0]),
        [*words[1:], f"--config={_PROXY_SETTINGS}"],
        {place: content, _PROXY_SETTINGS: settings},
    )


def _kube_router(cluster: Cluster, node: str) -> Service:
    place, content = _kubeconfig(cluster, _ROUTER)
    options = services.router_options(node, place)
    return Service(_ROUTER, programs.built(_ROUTER, cluster.say), options, {place: content})


def _kubeconfig(cluster: Cluster, name: str) -> tuple[str, bytes]:
    who = pki.Pair.at(cluster.layout.certificates, name)
    return f"/etc/lectern/{name}.kubeconfig", whole_kubeconfig(cluster.layout, who)
