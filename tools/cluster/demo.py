"""A whole cluster for a person: started piece by piece, then shown."""

from __future__ import annotations

import argparse
import os
import shlex
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from cluster import network, registry
from cluster.cluster import Cluster
from cluster.hostnode import HostNode
from cluster.machine.node import MachineNode
from cluster.nfs import NfsServer
from cluster.process.settings import PRETEND, RUN
from cluster.processnodes import ProcessNodes

_MOST_MACHINES, _MOST_PROCESSES = 8, 1000
_ENDS = ("index.json", "manifest.json")
"""What every OCI archive has, and every Docker archive."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what a cluster may consist of."""
    add = parser.add_argument
    add("--no-host-node", action="store_true", help="no containers on this machine")
    add(
        "--machine-nodes",
        type=_up_to(_MOST_MACHINES),
        default=0,
        metavar="N",
        help=f"nodes with kernels of their own, at most {_MOST_MACHINES}",
    )
    add(
        "--process-nodes",
        type=_up_to(_MOST_PROCESSES),
        default=0,
        metavar="N",
        help="nodes whose pods are processes; only pods that tolerate their taint get there",
    )
    add("--pretend", action="store_true", help="let nothing run on the process nodes")
    add("--registry", action="store_true", help="a container registry inside")
    add("--nfs", action="store_true", help="an NFS server inside")
    add(
        "--image", dest="images", action="append", default=[], type=_archive, metavar="FILE",
        help="an OCI or Docker archive that host and machine nodes get; may be repeated",
    )  # fmt: skip
    add(
        "--new", dest="use_kubeconfig", action="store_false",
        help="start one even if KUBECONFIG names one that runs",
    )  # fmt: skip


def wishes(arguments: argparse.Namespace) -> list[str]:
    """Return the options with which somebody asked for more than a cluster as it is."""
    options = {
        "--no-host-node": arguments.no_host_node,
        "--machine-nodes": arguments.machine_nodes,
        "--process-nodes": arguments.process_nodes,
        "--pretend": arguments.pretend,
        "--registry": arguments.registry,
        "--nfs": arguments.nfs,
        "--image": arguments.images,
    }
    return [option for option, value in options.items() if value]


def _up_to(most: int) -> Callable[[str], int]:
    def count(word: str) -> int:
        if not word.isascii() or not word.isdigit() or int(word) > most:
            raise argparse.ArgumentTypeError(f"a number from 0 to {most}")
        return int(word)

    return count


def _archive(word: str) -> Path:
    path = Path(word).absolute()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {word}")
    try:
        with tarfile.open(path) as archive:
            names = {name.removeprefix("./") for name in archive.getnames()}
    except (tarfile.TarError, OSError):
        names = set()
    if not names.intersection(_ENDS):
        raise argparse.ArgumentTypeError(
            f"{word} is no OCI or Docker archive: docker save IMAGE -o FILE makes one"
        )
    return path


def start(cluster: Cluster, arguments: argparse.Namespace) -> None:
    """Start what the options ask for, and print how to use it."""
    cluster.start()
    try:
        _start_parts(cluster, arguments)
    except BaseException:
        cluster.stop()
        raise
    _show(cluster, _write_kubectl(cluster))


def _start_parts(cluster: Cluster, arguments: argparse.Namespace) -> None:
    if not arguments.no_host_node:
        node = HostNode(cluster)
        node.start()
        for archive in arguments.images:
            node.load(archive)
    if arguments.registry:
        registry.start(cluster)
    if arguments.nfs:
        NfsServer(cluster).start()
    for number in range(2, 2 + arguments.machine_nodes):
        MachineNode(cluster, number, images=arguments.images).start()
    if arguments.process_nodes:
        mode = PRETEND if arguments.pretend else RUN
        # Their pods get no image, so none may come there unasked.
        taint = {"key": "lectern/node-kind", "value": "process", "effect": "NoSchedule"}
        ProcessNodes.start(cluster, arguments.process_nodes, mode=mode, taints=[taint])


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
    kinds = Counter(node["labels"]["lectern/node-kind"] for node in nodes)

    rows = {
        "kubeconfig": shown(cluster.layout.kubeconfig),
        "nodes": ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none",
        "web": f"http://127.0.0.1:{cluster.life.web_port} leads to the Service with "
        f"nodePort {network.WEB_PORT}",
        "logs": shown(cluster.layout.logs),
    }
    cluster.say("The cluster runs:")
    for title, text in rows.items():
        cluster.say(f"  {title:<11} {text}")
    cluster.say(f"Try it with: {sudo()}{shown(kubectl)} get nodes")


def sudo() -> str:
    """Return what comes before a command for people who are root by sudo alone."""
    return "sudo " if os.environ.get("SUDO_UID") else ""


def shown(path: Path) -> str:
    """Return a path as it can be typed in the shell that `make cluster` was typed in."""
    here = Path(os.getcwd())
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
