"""Process nodes of a cluster: started, steered and ended by a test or by `make cluster`.

See the package `cluster.process` for what such a node honours, refuses and pretends.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from cluster import api, programs
from cluster.cluster import TOOLS, Cluster
from cluster.errors import ClusterError
from cluster.external import External
from cluster.process import places
from cluster.process.faults import fault_of
from cluster.process.settings import LABEL, MODES, RUN, Settings

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


class ProcessNodes:
    """Nodes that one process runs; made by `start`."""

    def __init__(self, place: places.Place, settings: Settings, server: api.Api) -> None:
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
        words = {"capacity": dict(capacity or {}), "labels": dict(labels or {}), **more}
        place, settings = _plan(cluster, count, mode, name_prefix, words)
        settings.write(places.settings_file(place.folder, name_prefix))
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
        command.append(str(places.settings_file(self._place.folder, self._settings.prefix)))
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
        """Remove nodes and pods from the API server, and end the process.

        Nodes whose process was killed stay, as they would after a power cut.
        """
        try:
            self._ask({"do": "retire"})
        except OSError:
            return  # it was killed, or its cluster has ended
        self._place.stop(_END_SECONDS)
        places.settings_file(self._place.folder, self._settings.prefix).unlink(missing_ok=True)

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


def _plan(
    cluster: Cluster | External, count: int, mode: str, prefix: str, words: dict[str, Any]
) -> tuple[places.Place, Settings]:
    """Return where nodes run and what they are told.

    Raises:
        ClusterError: when it makes no sense, or a program is missing.
    """
    if mode not in MODES:
        raise ClusterError(f"There is no mode {mode} of process nodes: {' or '.join(MODES)}")
    if count < 1:
        raise ClusterError("There must be at least one process node")
    place, fixed = (
        places.inside(cluster, prefix)
        if isinstance(cluster, Cluster)
        else places.outside(cluster, prefix)
    )
    if mode == RUN:
        needed = _PACKAGES.items()
        fixed["programs"] = {name: programs.on_path(name, package) for name, package in needed}
    try:
        return place, Settings(prefix=prefix, count=count, mode=mode, **{**fixed, **words})
    except TypeError as error:
        raise ClusterError(f"process nodes cannot be set so: {error}") from None
