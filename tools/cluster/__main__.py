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
    arguments = _arguments(words)
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        return verb(arguments)
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted: what had been started has ended", file=sys.stderr)
        return 130


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cluster", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    up = verbs.add_parser("up", prog="make cluster", description="start a cluster")
    up.set_defaults(verb=_up)
    demo.add_options(up)
    up.add_argument("--name", default=_NAME, type=_name, help="which of several side by side")
    down = verbs.add_parser("down", prog="make cluster-down", description="end a cluster")
    down.set_defaults(verb=_down)
    which = down.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every cluster of this checkout")
    which.add_argument("--name", default=_NAME, type=_name, help="which of several")
    listed = verbs.add_parser("list", prog="make clusters", description="say which clusters run")
    listed.set_defaults(verb=_list)
    for verb in (up, down, listed):
        verb.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
    prepare = verbs.add_parser("prepare", help="build what the tests of the cluster need")
    prepare.set_defaults(verb=_prepare)
    prepare.add_argument("parts", nargs="+", choices=[*sorted(programs.BUILDS), _MACHINE])
    arguments, unknown = parser.parse_known_args(words)
    if unknown:  # said by the verb that was typed, not by the parser of all verbs
        verbs.choices[words[0]].error(f"unknown: {shlex.join(unknown)}")
    return arguments


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


def _folders(folder: Path) -> list[Path]:
    """Return the folders of all clusters that were started and not ended."""
    return sorted(path for path in folder.glob("*") if path.is_dir())


def _running(folder: Path) -> dict[str, keeper.Life]:
    """Return the clusters that run, by their names."""
    lives = {path.name: keeper.life_of(Layout(path)) for path in _folders(folder)}
    return {name: life for name, life in lives.items() if life}


def _list(arguments: argparse.Namespace) -> int:
    running = _running(arguments.folder)
    for name, life in running.items():
        config = demo.shown(Layout(arguments.folder / name).kubeconfig)
        say(f"{name}: kubeconfig {config}, web http://127.0.0.1:{life.web_port}")
    if not running:
        say("No cluster runs")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    folders = [arguments.folder / arguments.name]
    if arguments.all:
        folders = _folders(arguments.folder)
    for folder in folders:
        lived = keeper.life_of(Layout(folder)) is not None
        left = folder.exists()
        Cluster(Layout(folder), say).stop()
        what = (
            "has ended" if lived else "had ended; what it left is gone" if left else "does not run"
        )
        others = "" if left else _others(arguments.folder)
        say(f"Cluster {folder.name} {what}{others}")
    if not folders:
        say("No cluster runs")
    return 0


def _others(folder: Path) -> str:
    """Return the end of the sentence that there is no cluster of a name."""
    names = list(_running(folder))
    return f"; there are: {', '.join(names)}. End one with ARGS='--name NAME'" if names else ""


def _prepare(arguments: argparse.Namespace) -> int:
    for name in arguments.parts:
        if name == _MACHINE:
            system.built(say)
        else:
            programs.built(name, say)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
