"""Process nodes of a cluster: started, steered and ended by a test or by `make cluster`.

See the package `cluster.process` for what such a node honours, refuses and pretends.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from cluster import api, controlplane, network, pki, programs
from cluster.cluster import TOOLS, Cluster
from cluster.errors import ClusterError
from cluster.external import External
from cluster.process.faults import fault_of
from cluster.process.settings import LABEL, MODES, RUN, Settings
from cluster.supervision import Program

_START_SECONDS = 120.0
_END_SECONDS = 30.0
_SPAWNER = TOOLS.parent / "spawner"
_PACKAGES = {
    "bwrap": "bubblewrap",
    "setpriv": "util-linux",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "env": "coreutils",
}
_MOST_SETS = 64
"""So many networks of 65,534 addresses fit into `network.PROCESS_PODS`."""


class _Place(Protocol):
    """Where the one process of all nodes runs."""

    folder: Path
    kubeconfig: Path

    def start(self, command: list[str], environment: dict[str, str]) -> None:
        """Start the process."""

    def stop(self, grace_seconds: float) -> None:
        """End it and wait for that; at once without any grace."""

    def failure(self) -> str | None:
        """Return a sentence with its last lines if it has ended by itself."""


class ProcessNodes:
    """Nodes that one process runs; made by `start`."""

    def __init__(self, place: _Place, settings: Settings, server: api.Api) -> None:
        """Belong to a process that need not run yet; `start` makes all of it."""
        self._place = place
        self._settings = settings
        self._api = server

    @classmethod
    def start(
        cls,
        cluster: Cluster | External,
        count: int,
        *,
        mode: str = RUN,
        capacity: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        name_prefix: str = "process",
        **more: object,
    ) -> Self:
        """Start nodes and return once all are Ready.

        Args:
            cluster: ours, or one that somebody else started. There the nodes run in the
                network of the caller, where the API server does not find them: pods run
                and faults happen, but nobody gets logs or exec.
            count: how many.
            mode: ``run`` or ``pretend``.
            capacity: resources of each node, extended ones included, beyond the usual.
            labels: beyond the usual.
            name_prefix: the nodes are called PREFIX-1 and so on; one set for each prefix.
            more: other fields of `process.settings.Settings`, such as ``images``, ``taints``,
                ``backoff_seconds``, ``pretend_seconds`` or ``user``.

        Raises:
            ClusterError: when something is missing, or the process ended.
        """
        if mode not in MODES:
            raise ClusterError(f"There is no mode {mode} of process nodes: {' or '.join(MODES)}")
        if count < 1:
            raise ClusterError("There must be at least one process node")
        wanted: dict[str, Any] = {
            "capacity": dict(capacity or {}),
            "labels": dict(labels or {}),
            **more,
        }
        if isinstance(cluster, Cluster):
            place, fixed = _inside(cluster, name_prefix)
        else:
            place, fixed = _outside(cluster, name_prefix)
        if mode == RUN:
            fixed["programs"] = {
                name: programs.on_path(name, package) for name, package in _PACKAGES.items()
            }
        try:
            settings = Settings(prefix=name_prefix, count=count, mode=mode, **{**fixed, **wanted})
        except TypeError as error:
            raise ClusterError(f"process nodes cannot be set so: {error}") from None
        settings.write(_file(place.folder, name_prefix))
        made = cls(place, settings, cluster.api)
        made.restart()
        return made

    @property
    def names(self) -> list[str]:
        """Names of the nodes."""
        return self._settings.names

    @property
    def selector(self) -> dict[str, str]:
        """A nodeSelector that keeps pods on these nodes."""
        return {LABEL: self._settings.prefix}

    def restart(self) -> None:
        """Start the process again after `kill`, and return once all nodes are Ready."""
        command = [sys.executable, "-m", "cluster.process"]
        command.append(str(_file(self._place.folder, self._settings.prefix)))
        paths = os.pathsep.join(map(str, (TOOLS, _SPAWNER)))
        self._place.start(command, {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"})
        try:
            api.wait(self._are_registered, "the process nodes did not register", _START_SECONDS)
        except BaseException:
            self._place.stop(0.0)
            raise

    def _are_registered(self) -> bool:
        if failure := self._place.failure():
            raise ClusterError(failure)
        try:
            return bool(self.state()["registered"] == self._settings.count)
        except OSError:
            return False

    def state(self) -> dict[str, int]:
        """Return how many nodes are ``registered`` and how many ``pods`` they look after."""
        state: dict[str, int] = self._ask({"do": "state"})
        return state

    def fault(self, kind: str, **words: object) -> None:
        """Let something go wrong from now on, until `clear`.

        Args:
            kind: ``slow-start``, ``crash``, ``oom-killed``, ``image-pull-backoff``,
                ``create-container-error``, ``eviction``, ``not-ready`` or ``clock-skew``.
            words: what `process.faults.Fault` has: the patterns ``nodes``, ``pods`` (of
                NAMESPACE/NAME) and ``containers``; ``count``, ``seconds``, ``exit_code``,
                ``message``, ``silent``, ``pressure``.

        Raises:
            ClusterError: when there is no such fault, or it has no such word.
        """
        try:
            fault_of({"kind": kind, **words})
        except ValueError as error:
            raise ClusterError(str(error)) from None
        self._ask({"do": "fault", "kind": kind, **words})

    def clear(self) -> None:
        """Let all go well again; pods and nodes recover by themselves."""
        self._ask({"do": "clear"})

    def kill(self) -> None:
        """End the process as a power cut would: nodes and pods stay in the API server."""
        self._place.stop(0.0)

    def stop(self) -> None:
        """Remove nodes and pods from the API server, and end the process."""
        try:
            self._ask({"do": "retire"})
        except OSError:
            return  # it was killed, or its cluster has ended
        self._place.stop(_END_SECONDS)
        _file(self._place.folder, self._settings.prefix).unlink(missing_ok=True)

    def _ask(self, question: dict[str, object]) -> dict[str, Any]:
        """Ask by way of the folder, since its path may be too long for a socket's address."""
        path = Path(self._settings.socket)
        folder = os.open(path.parent, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_START_SECONDS)
                connection.connect(f"/proc/self/fd/{folder}/{path.name}")
                connection.sendall(json.dumps(question).encode() + b"\n")
                line = connection.makefile("rb").readline()
        finally:
            os.close(folder)
        if not line:
            raise ConnectionResetError("the process nodes have ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ClusterError(answer["error"])
        return answer


def _file(folder: Path, prefix: str) -> Path:
    return folder / f"process-nodes-{prefix}.json"


def _network_of(folder: Path, prefix: str) -> str:
    """Return a network of pods that no other set of the same folder has."""
    taken = {
        Settings.read(path).pods_network
        for path in folder.glob("process-nodes-*.json")
        if path != _file(folder, prefix)
    }
    first, second, *_ = network.PROCESS_PODS.split(".")
    for number in range(_MOST_SETS):
        wanted = f"{first}.{int(second) + number}.0.0/16"
        if wanted not in taken:
            return wanted
    raise ClusterError(f"There are {_MOST_SETS} sets of process nodes already; stop one of them")


def _inside(cluster: Cluster, prefix: str) -> tuple[_Place, dict[str, Any]]:
    """Return the place within a cluster of ours, and the settings that follow from it."""
    layout = cluster.layout
    authority = pki.Authority.read(layout.certificates, "ca")
    name = f"process-nodes-{prefix}"
    pair = authority.issue(name, controlplane.PROCESS_NODES, hosts=("127.0.0.1",), client=False)
    return _Inside(cluster, name), {
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


def _outside(cluster: External, prefix: str) -> tuple[_Place, dict[str, Any]]:
    """Return a place beside a cluster that is not ours."""
    folder = Path(tempfile.mkdtemp(prefix="lectern-process-"))
    return _Outside(cluster, folder), {
        "kubeconfig": str(cluster.kubeconfig),
        "folder": str(folder / "pods"),
        "socket": str(folder / "socket"),
        "pods_network": _network_of(folder, prefix),
        "hidden": [str(folder)],
    }


class _Inside:
    """A program of a cluster of ours."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.folder = cluster.layout.settings
        self.kubeconfig = cluster.layout.kubeconfig_of("process-nodes")
        self._control = cluster.control
        self._name = name

    def start(self, command: list[str], environment: dict[str, str]) -> None:
        self._control.start(Program(self._name, command, environment))

    def stop(self, grace_seconds: float) -> None:
        self._control.stop(self._name, grace_seconds)

    def failure(self) -> str | None:
        return self._control.failed(self._name)


class _Outside:
    """A child of the caller."""

    def __init__(self, cluster: External, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = cluster.kubeconfig
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], environment: dict[str, str]) -> None:
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
        if self._process is None or self._process.poll() is None:
            return None
        lines = (self.folder / "log").read_text(errors="replace").splitlines()[-15:]
        return f"the process nodes ended with exit code {self._process.returncode}:\n" + "\n".join(
            lines
        )
