"""A whole cluster for a person: started piece by piece, then shown."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path

from cluster import network, registry
from cluster.cluster import Cluster
from cluster.hostnode import HostNode


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what a cluster may consist of."""
    parser.add_argument("--no-host-node", action="store_true", help="no containers on this machine")
    parser.add_argument("--registry", action="store_true", help="a container registry inside")
    parser.add_argument(
        "--new",
        dest="use_kubeconfig",
        action="store_false",
        help="start one even if KUBECONFIG names one that runs",
    )


def start(cluster: Cluster, arguments: argparse.Namespace) -> None:
    """Start what the options ask for, and print how to use it."""
    cluster.start()
    try:
        if not arguments.no_host_node:
            HostNode(cluster).start()
        if arguments.registry:
            registry.start(cluster)
    except BaseException:
        cluster.stop()
        raise
    kubectl = _write_kubectl(cluster)
    _show(cluster, kubectl)


def _write_kubectl(cluster: Cluster) -> Path:
    """Write a kubectl that speaks to this cluster, whatever KUBECONFIG says."""
    path = cluster.layout.folder / "kubectl"
    command = shlex.join(cluster.programs.command("kubectl"))
    kubeconfig = shlex.quote(str(cluster.layout.kubeconfig))
    path.write_text(f'#!/bin/sh\nexec {command} --kubeconfig={kubeconfig} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def _show(cluster: Cluster, kubectl: Path) -> None:
    nodes = [node["metadata"] for node in cluster.api.nodes()]
    names = [f"{node['name']} ({node['labels']['lectern/node-kind']})" for node in nodes]

    rows = {
        "kubeconfig": _shown(cluster.layout.kubeconfig),
        "nodes": ", ".join(names) or "none",
        "web": f"http://127.0.0.1:{cluster.life.web_port} leads to the Service with "
        f"nodePort {network.WEB_PORT}",
        "logs": _shown(cluster.layout.logs),
    }
    cluster.say("The cluster runs:")
    for title, text in rows.items():
        cluster.say(f"  {title:<11} {text}")
    cluster.say(f"Try it with: {_shown(kubectl)} get nodes")


def _shown(path: Path) -> str:
    """Return a path as it can be typed in the shell that `make cluster` was typed in."""
    here = Path(os.getcwd())
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
