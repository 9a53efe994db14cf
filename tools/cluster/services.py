"""What makes Services, their names and NetworkPolicies work on a node of this machine.

kube-proxy turns Services into rules, CoreDNS answers for their names, and the
firewall part of kube-router keeps NetworkPolicies.
"""

from __future__ import annotations

from typing import Any

from cluster import controlplane, network, programs
from cluster.cluster import Cluster
from cluster.supervision import Program

_KUBE_PROXY, _COREDNS, _KUBE_ROUTER = "kube-proxy", "coredns", "kube-router"
_HEALTH_PORT, _READY_PORT = 8080, 8181
DNS_TTL_SECONDS = 5


def start(cluster: Cluster, node: str) -> None:
    """Start all three for a node of this machine.

    Raises:
        ClusterError: when a program is missing or ended; with its last lines.
    """
    _require_tools()
    cluster.api.apply(_dns_objects())
    cluster.control.start(_kube_proxy(cluster, node))
    cluster.control.start(_coredns(cluster))
    cluster.control.start(_kube_router(cluster, node))
    cluster.wait(lambda: _answers(cluster), "DNS did not answer", _KUBE_PROXY, _COREDNS)
    cluster.say("Services, DNS and NetworkPolicies work")


def _require_tools() -> None:
    tools = {"nft": "nftables", "iptables": "iptables", "ipset": "ipset", "conntrack": "conntrack"}
    for name, package in tools.items():
        programs.on_path(name, package)


def proxy_settings(node: str, kubeconfig: str) -> dict[str, Any]:
    """Return a KubeProxyConfiguration.

    Args:
        node: name of the node that it runs on.
        kubeconfig: where the node finds the kubeconfig of kube-proxy.
    """
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "mode": "nftables",
        "clusterCIDR": network.PODS,
        "hostnameOverride": node,
        "oomScoreAdj": 0,
        # These would change settings of the kernel that all namespaces share.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        "nftables": {"minSyncPeriod": "200ms", "syncPeriod": "10s"},
    }


def router_options(node: str, kubeconfig: str) -> list[str]:
    """Return the options of kube-router that make it a mere firewall."""
    return [
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--run-loadbalancer=false",
        f"--service-cluster-ip-range={network.SERVICES}",
        f"--hostname-override={node}",
        f"--kubeconfig={kubeconfig}",
        "--metrics-port=0",
        "--health-port=0",
    ]


def _kube_proxy(cluster: Cluster, node: str) -> Program:
    settings = proxy_settings(node, str(cluster.layout.kubeconfig_of(_KUBE_PROXY)))
    file = controlplane.write_json(cluster.layout.settings / "kube-proxy.json", settings)
    return Program(_KUBE_PROXY, [*cluster.programs.command(_KUBE_PROXY), f"--config={file}"])


def _coredns(cluster: Cluster) -> Program:
    file = cluster.layout.settings / "Corefile"
    kubeconfig = cluster.layout.kubeconfig_of(_COREDNS)
    file.write_text(
        f"""\
.:53 {{
    bind {network.MACHINE}
    errors
    health 127.0.0.1:{_HEALTH_PORT}
    ready 127.0.0.1:{_READY_PORT}
    kubernetes {network.DNS_DOMAIN} in-addr.arpa {{
        kubeconfig "{kubeconfig}"
        pods insecure
        ttl {DNS_TTL_SECONDS}
    }}
    cache {DNS_TTL_SECONDS}
    loadbalance
}}
""",
        encoding="utf-8",
    )
    program = programs.built("coredns", cluster.say)
    return Program(_COREDNS, [str(program), "-conf", str(file)])


def _kube_router(cluster: Cluster, node: str) -> Program:
    program = programs.built("kube-router", cluster.say)
    options = router_options(node, str(cluster.layout.kubeconfig_of(_KUBE_ROUTER)))
    # It ends when it does not find its Node, or the API server, at once.
    return Program(_KUBE_ROUTER, [str(program), *options], restarts=True)


def _dns_objects() -> list[dict[str, Any]]:
    """Return the Service that pods ask; behind it is a process, so it selects no pods."""
    ports = [
        {"name": f"dns-{kind.lower()}", "port": 53, "protocol": kind} for kind in ("UDP", "TCP")
    ]
    labels = {"kubernetes.io/service-name": "kube-dns"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system"},
            "spec": {"clusterIP": network.DNS_SERVICE, "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": labels},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [network.MACHINE], "conditions": {"ready": True}}],
            "ports": ports,
        },
    ]


def _answers(cluster: Cluster) -> bool:
    """Whether a name resolves by way of the Service, as a pod would ask for it."""
    name = f"kubernetes.default.svc.{network.DNS_DOMAIN}."
    question = f"import socket; socket.gethostbyname({name!r})"
    return cluster.succeeds("timeout", "3", "python3", "-c", question)
