"""A container registry inside a cluster, for what must be pulled to be tried."""

from __future__ import annotations

from pathlib import Path

from cluster import network, programs
from cluster.cluster import Cluster
from cluster.controlplane import write_json
from cluster.supervision import Program

HOST = f"registry.test:{network.REGISTRY_PORT}"
"""What image names begin with; nodes know where it is, no DNS is asked."""

_NAME = "registry"


def start(cluster: Cluster) -> None:
    """Start the registry.

    Raises:
        ClusterError: when it ended; with its last lines.
    """
    address = f"{network.MACHINE}:{network.REGISTRY_PORT}"
    settings = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(cluster.layout.data / "registry")}},
        "http": {"addr": address},
    }
    file = write_json(cluster.layout.settings / "registry.json", settings)
    program = programs.built(_NAME, cluster.say)
    cluster.control.start(
        Program(_NAME, [str(program), "serve", str(file)], {"OTEL_TRACES_EXPORTER": "none"})
    )
    probe = (
        f"import socket; socket.create_connection({(network.MACHINE, network.REGISTRY_PORT)}, 2)"
    )
    cluster.wait(
        lambda: cluster.succeeds("python3", "-c", probe), "the registry did not answer", _NAME
    )
    cluster.say(f"Registry {HOST} answers")


def write_hosts(folder: Path) -> None:
    """Tell a containerd where `HOST` is; ``folder`` is its ``config_path``."""
    place = folder / HOST
    place.mkdir(parents=True, exist_ok=True)
    # Plain HTTP: the registry can only be reached inside the cluster's own network.
    server = f"http://{network.MACHINE}:{network.REGISTRY_PORT}"
    text = f'server = "{server}"\n[host."{server}"]\n  capabilities = ["pull", "resolve", "push"]\n'
    (place / "hosts.toml").write_text(text, encoding="utf-8")
