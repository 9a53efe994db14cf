"""`make cluster` and `make cluster-down`: a cluster that a person starts, uses and ends."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from cluster import demo, keeper, programs
from cluster.api import Api
from cluster.cluster import Cluster
from cluster.errors import ClusterError
from cluster.layout import Layout
from cluster.machine import system

_OWN = "For one of your own: unset KUBECONFIG, or make cluster ARGS=--new"
_NAME = "lectern"
_MACHINE = "machine"
"""What `prepare` calls the system of machine nodes."""


def say(text: str) -> None:
    """Print a line at once: what comes next may take minutes."""
    print(text, flush=True)


def main(words: list[str]) -> int:
    """Run one verb and return its exit code."""
    arguments = _parser().parse_args(words)
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        return verb(arguments)
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cluster", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    up = verbs.add_parser("up", prog="make cluster", description="start a cluster")
    up.set_defaults(verb=_up)
    demo.add_options(up)
    down = verbs.add_parser("down", prog="make cluster-down", description="end a cluster")
    down.set_defaults(verb=_down)
    down.add_argument("--all", action="store_true", help="every cluster of this checkout")
    for verb in (up, down):
        verb.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
        verb.add_argument("--name", default=_NAME, type=_name, help="which of several side by side")
    prepare = verbs.add_parser("prepare", help="build what the tests of the cluster need")
    prepare.set_defaults(verb=_prepare)
    prepare.add_argument("parts", nargs="+", choices=[*sorted(programs.BUILDS), _MACHINE])
    return parser


def _name(word: str) -> str:
    """Return a cluster's name, which becomes a folder's."""
    if not word.isascii() or not word.replace("-", "").isalnum() or len(word) > 40:
        raise argparse.ArgumentTypeError("letters, digits and hyphens, at most 40")
    return word


def _up(arguments: argparse.Namespace) -> int:
    name = [] if arguments.name == _NAME else ["--name", arguments.name]
    given = os.environ.get("KUBECONFIG")
    if given and arguments.use_kubeconfig:
        return _use(Path(given), [*name[:1], *demo.wishes(arguments)])
    cluster = Cluster(Layout(arguments.folder / arguments.name), say)
    demo.start(cluster, arguments)
    cluster.let_live()
    ends = (
        f"make cluster-down ARGS={shlex.quote(shlex.join(name))}" if name else "make cluster-down"
    )
    say(f"End it with: {demo.sudo()}{ends}")
    return 0


def _use(kubeconfig: Path, wishes: list[str]) -> int:
    """Say what a cluster has that somebody else started.

    Raises:
        ClusterError: when it cannot be used, or something of our own was asked for.
    """
    try:
        api = Api(kubeconfig)
    except ClusterError as error:
        raise ClusterError(f"KUBECONFIG: {error}. {_OWN}") from None
    if not api.is_ready():
        raise ClusterError(
            f"KUBECONFIG names {kubeconfig}, whose API server does not answer. {_OWN}"
        )
    if wishes:
        raise ClusterError(
            f"KUBECONFIG names {kubeconfig}, which is used as it is: no {', '.join(wishes)}. {_OWN}"
        )
    nodes = ", ".join(node["metadata"]["name"] for node in api.nodes())
    say(f"KUBECONFIG names {kubeconfig}: it is used as it is, nothing was started. Nodes: {nodes}")
    say(_OWN)
    return 0


def _down(arguments: argparse.Namespace) -> int:
    folders = [arguments.folder / arguments.name]
    if arguments.all:
        folders = sorted(arguments.folder.iterdir()) if arguments.folder.is_dir() else []
    for folder in folders:
        lived = keeper.life_of(Layout(folder)) is not None
        left = folder.exists()
        Cluster(Layout(folder), say).stop()
        what = (
            "has ended" if lived else "had ended; what it left is gone" if left else "does not run"
        )
        say(f"Cluster {folder.name} {what}")
    if not folders:
        say("No cluster runs")
    return 0


def _prepare(arguments: argparse.Namespace) -> int:
    for name in arguments.parts:
        if name == _MACHINE:
            system.built(say)
        else:
            programs.built(name, say)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
