"""Kubernetes' programs: those of the machine when it has them all, else built here, once.

Builds lie in the user's cache folder under a name made from everything that they
were made from, so a changed pin builds anew and checkouts share what they can.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cluster import gobuild
from cluster.errors import ClusterError
from cluster.layout import cache

MODULES = Path(__file__).resolve().parents[2] / "tests" / "cluster"
KUBERNETES = "1.36.3"

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = ("kubelet", "kube-proxy")

_VERSION_FLAGS = (
    f"-X k8s.io/component-base/version.gitVersion=v{KUBERNETES}",
    f"-X k8s.io/component-base/version.gitMajor={KUBERNETES.split('.')[0]}",
    f"-X k8s.io/component-base/version.gitMinor={KUBERNETES.split('.')[1]}",
)
"""Without these the API server has no version, and helm refuses every chart that asks for one."""

BUILDS = {
    "node": gobuild.Build("node", MODULES / "node", ".", minutes=5, flags=_VERSION_FLAGS),
    "pause": gobuild.Build("pause", MODULES / "pause", ".", minutes=0.1),
    "coredns": gobuild.Build(
        "coredns", MODULES / "coredns", "github.com/coredns/coredns", minutes=2
    ),
    "registry": gobuild.Build(
        "registry",
        MODULES / "registry",
        "github.com/distribution/distribution/v3/cmd/registry",
        minutes=1,
    ),
    "kube-router": gobuild.Build(
        "kube-router",
        MODULES / "kube-router",
        "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
        minutes=1.5,
    ),
    "buildx": gobuild.Build(
        "buildx",
        MODULES.parent / "images" / "bake",
        "github.com/docker/buildx/cmd/buildx",
        minutes=4,
    ),
    "buildkitd": gobuild.Build(
        "buildkitd",
        MODULES.parent / "images" / "bake",
        "github.com/moby/buildkit/cmd/buildkitd",
        minutes=5,
    ),
    "containerfile-lint": gobuild.Build(
        "containerfile-lint", MODULES.parent / "images" / "lint", ".", minutes=1.5
    ),
    "helm": gobuild.Build("helm", MODULES / "helm", "helm.sh/helm/v4/cmd/helm", minutes=2.5),
}


@dataclass(frozen=True)
class Programs:
    """Where Kubernetes' programs come from."""

    origin: str
    """For people: what was taken."""

    _words: dict[str, list[str]]

    def command(self, name: str) -> list[str]:
        """Return the words that start a program, to which its options are added.

        Raises:
            ClusterError: when this origin does not have the program.
        """
        try:
            return list(self._words[name])
        except KeyError:
            raise ClusterError(f"{self.origin} has no {name}") from None


def find(wanted: Iterable[str], say: Callable[[str], None]) -> Programs:
    """Return the programs to use, building ours when the machine does not have them all.

    Half a set is not mixed with ours: the versions would not fit together.

    Args:
        wanted: names such as ``kubelet``.
        say: is told about builds and about sets that were passed over.
    """
    names = list(wanted)
    for origin, folders in _places():
        found = {name: shutil.which(name, path=folders) for name in names}
        missing = [name for name, path in found.items() if path is None]
        if not missing:
            return Programs(origin, {name: [str(path)] for name, path in found.items()})
        if len(missing) < len(names):
            say(f"{origin} is passed over: it has no {', '.join(missing)}")
    program = str(built("node", say))
    every = (*CONTROL_PLANE, *NODE, "kubectl")
    return Programs(
        f"Kubernetes {KUBERNETES}, built here", {name: [program, name] for name in every}
    )


def _places() -> list[tuple[str, str]]:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [(f"KUBEBUILDER_ASSETS ({assets})", assets)] if assets else []
    return [*places, ("the PATH", os.environ.get("PATH", os.defpath))]


def built(name: str, say: Callable[[str], None]) -> Path:
    """Return one of our own builds, building it when it is not there yet."""
    return gobuild.build(BUILDS[name], cache() / "programs", say)


def on_path(name: str, package: str) -> str:
    """Return a program of the machine.

    Raises:
        ClusterError: with the line that installs it.
    """
    # Debian keeps what only root needs in folders that are not on everybody's PATH.
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if path is None:
        raise ClusterError(f"`{name}` is missing: sudo apt-get install -y {package}")
    return path
