"""What every real kubelet of a cluster is told, whatever machine it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import controlplane, kubeconfig, network, pki
from cluster.layout import Layout


@dataclass(frozen=True)
class NodeFiles:
    """Certificates of one node, and the kubeconfig that uses them."""

    client: pki.Pair
    """Shown to the API server: ``system:node:NAME``, so that the Node authorizer knows it."""

    serving: pki.Pair
    """Shown to the API server when it asks for logs."""

    kubeconfig: Path


def issue(layout: Layout, name: str, address: str) -> NodeFiles:
    """Make a node's certificates, signed by the cluster's authority."""
    authority = pki.Authority.read(layout.certificates, "ca")
    who = authority.issue(f"kubelet-{name}", f"system:node:{name}", ("system:nodes",))
    serving = authority.issue(
        f"kubelet-{name}-serving",
        f"system:node:{name}",
        ("system:nodes",),
        hosts=(name, address),
        client=False,
    )
    path = layout.kubeconfig_of(f"kubelet-{name}")
    kubeconfig.write(path, controlplane.SERVER, authority.pair.certificate, who)
    return NodeFiles(who, serving, path)


def configuration(authority: str, serving: tuple[str, str], containerd: str) -> dict[str, Any]:
    """Return a KubeletConfiguration, less what depends on the machine's groups.

    Args:
        authority: where the node finds the cluster's certificate authority.
        serving: where it finds its serving certificate and key.
        containerd: its containerd's socket.
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": authority},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": serving[0],
        "tlsPrivateKeyFile": serving[1],
        "containerRuntimeEndpoint": f"unix://{containerd}",
        "clusterDNS": [network.DNS_SERVICE],
        "clusterDomain": network.DNS_DOMAIN,
        # A cluster that is gone within minutes must see changes within seconds.
        "nodeStatusUpdateFrequency": "2s",
        "nodeLeaseDurationSeconds": 10,
        "syncFrequency": "5s",
        "failSwapOn": False,
        # Disk and memory are shared with all else on the machine: its needs evict nobody here.
        "evictionHard": {
            "memory.available": "0%",
            "nodefs.available": "0%",
            "imagefs.available": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        # An image that was imported may be used without proof that it could be pulled.
        "imagePullCredentialsVerificationPolicy": "NeverVerify",
        "oomScoreAdj": 0,  # lower ones need a capability that a small machine's root may lack
        "shutdownGracePeriod": "0s",
        "maxPods": 110,
    }


def containerd_settings(pause: str, cni_programs: str, cni_settings: str, registry: str) -> str:
    """Return containerd's common settings in TOML, version 2 of their form.

    Args:
        pause: image that holds a pod's namespaces.
        cni_programs: folder with the network plugins.
        cni_settings: folder with their settings.
        registry: folder with the registries' settings.
    """
    return f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni_programs}"
conf_dir = "{cni_settings}"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{registry}"
"""


def cni_settings(number: int, data: str) -> dict[str, Any]:
    """Return the network of a node's pods: a bridge of its own and addresses of 10.244.N.0/24.

    Args:
        number: the node's.
        data: folder in which the plugin remembers which address is taken.
    """
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods0",
                "isGateway": True,
                "hairpinMode": True,  # a pod may reach itself by way of its Service
                "ipam": {
                    "type": "host-local",
                    "dataDir": data,
                    "ranges": [[{"subnet": network.pods_of(number)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
