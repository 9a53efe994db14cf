"""Where the process of all nodes runs: within a cluster of ours, or beside another one."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from cluster import controlplane, network, pki
from cluster.cluster import Cluster
from cluster.errors import ClusterError
from cluster.external import External
from cluster.process.settings import Settings
from cluster.supervision import Program

_MOST_SETS = 64
"""So many networks of 65,534 addresses fit into `network.PROCESS_PODS`."""


class Place(Protocol):
    """Where the one process of all nodes runs."""

    folder: Path
    kubeconfig: Path

    def start(self, command: list[str], environment: dict[str, str]) -> None:
        """Start the process."""

    def stop(self, grace_seconds: float) -> None:
        """End it and wait for that; at once without any grace."""

    def failure(self) -> str | None:
        """Return a sentence with its last lines if it has ended by itself."""


def settings_file(folder: Path, prefix: str) -> Path:
    """Return where a set's settings lie."""
    return folder / f"process-nodes-{prefix}.json"


def _network_of(folder: Path, prefix: str, first: int = 0) -> str:
    """Return a network of pods that no other set of the same folder has."""
    taken = {
        Settings.read(path).pods_network
        for path in folder.glob("process-nodes-*.json")
        if path != settings_file(folder, prefix)
    }
    one, two, *_ = network.PROCESS_PODS.split(".")
    for number in range(_MOST_SETS):
        wanted = f"{one}.{int(two) + (first + number) % _MOST_SETS}.0.0/16"
        if wanted not in taken:
            return wanted
    raise ClusterError(f"There are {_MOST_SETS} sets of process nodes already; stop one of them")


def inside(cluster: Cluster, prefix: str) -> tuple[Place, dict[str, Any]]:
    """Return the place within a cluster of ours, and the settings that follow from it."""
    layout = cluster.layout
    authority = pki.Authority.read(layout.certificates, "ca")
    name = f"process-nodes-{prefix}"
    pair = authority.issue(name, controlplane.PROCESS_NODES, hosts=("127.0.0.1",), client=False)
    return Inside(cluster, name), {
        "kubeconfig": str(layout.kubeconfig_of("process-nodes")),
        "folder": str(layout.data / name),
        "socket": str(layout.folder / name),
        "pods_network": _network_of(layout.settings, prefix),
        "serving": [str(path) for path in (pair.certificate, pair.key, authority.pair.certificate)],
        "caller": controlplane.KUBELET_CLIENT,
        "hidden": [str(layout.folder)],
        "dns": network.DNS_SERVICE,
        "domain": network.DNS_DOMAIN,
    }


def outside(cluster: External, prefix: str) -> tuple[Place, dict[str, Any]]:
    """Return a place beside a cluster that is not ours."""
    folder = Path(tempfile.mkdtemp(prefix="lectern-process-"))
    return Outside(cluster, folder), {
        "kubeconfig": str(cluster.kubeconfig),
        "folder": str(folder / "pods"),
        "socket": str(folder / "socket"),
        # Other sets share this machine's network, and their folders are not known here.
        "pods_network": _network_of(folder, prefix, secrets.randbelow(_MOST_SETS)),
        "hidden": [str(folder)],
    }


class Inside:
    """A program of a cluster of ours."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        """Talk to the first process of a cluster."""
        self.folder = cluster.layout.settings
        self.kubeconfig = cluster.layout.kubeconfig_of("process-nodes")
        self._control = cluster.control
        self._name = name

    def start(self, command: list[str], environment: dict[str, str]) -> None:
        """Start the process."""
        self._control.start(Program(self._name, command, environment))

    def stop(self, grace_seconds: float) -> None:
        """End it and wait for that; at once without any grace."""
        self._control.stop(self._name, grace_seconds)

    def failure(self) -> str | None:
        """Return a sentence with its last lines if it has ended by itself."""
        return self._control.failed(self._name)


class Outside:
    """A child of the caller."""

    def __init__(self, cluster: External, folder: Path) -> None:
        """Run beside a cluster, with a folder of its own."""
        self.folder = folder
        self.kubeconfig = cluster.kubeconfig
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], environment: dict[str, str]) -> None:
        """Start the process."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, grace_seconds: float) -> None:
        """End it and wait for that; at once without any grace."""
        if self._process is None:
            return
        if grace_seconds:
            self._process.terminate()
            try:
                self._process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
        else:
            self._process.kill()
        self._process.wait()
        if grace_seconds:
            shutil.rmtree(self.folder, ignore_errors=True)

    def failure(self) -> str | None:
        """Return a sentence with its last lines if it has ended by itself."""
        if self._process is None or self._process.poll() is None:
            return None
        lines = (self.folder / "log").read_text(errors="replace").splitlines()[-15:]
        return f"the process nodes ended with exit code {self._process.returncode}:\n" + "\n".join(
            lines
        )
