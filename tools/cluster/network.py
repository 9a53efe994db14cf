"""The addresses of a cluster; each has a network namespace of its own, so all have the same."""

from __future__ import annotations

BRIDGE = "br0"
NODES = "10.99.0.0/24"
MACHINE = "10.99.0.1"
"""The host node, the control plane and every server of the cluster: this machine's end of the bridge."""

PREFIX_LENGTH = 24
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DNS_DOMAIN = "cluster.local"
API_PORT = 6443
REGISTRY_PORT = 5000
WEB_PORT = 30080
"""NodePort that a person's browser reaches from outside, see `keeper`."""

PROCESS_PODS = "127.64.0.0/10"


def pods_of(number: int) -> str:
    """Return the network of the pods on a node: 10.244.N.0/24."""
    return f"10.244.{number}.0/24"


def machine_address(number: int) -> str:
    """Return the address of a machine node; node 1 is the host node's number."""
    return f"10.99.0.{10 + number}"


def hardware_address(number: int) -> str:
    """Return a locally administered MAC address for a machine node's card."""
    return f"52:54:00:99:00:{number:02x}"
