"""A cluster from its start to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from cluster import controlplane, keeper, roles
from cluster.api import Api, wait
from cluster.control import Control
from cluster.errors import ClusterError
from cluster.layout import Layout
from cluster.programs import CONTROL_PLANE, NODE, Programs, on_path
from cluster.programs import find as find_programs

_START_SECONDS = 60
_END_SECONDS = 60
TOOLS = Path(__file__).resolve().parents[1]


class Cluster:
    """A running cluster in namespaces of its own."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        """Take up the cluster of a folder, which `start` starts if it does not run."""
        self.layout = layout
        self.say = say
        self.control = Control(layout)
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def life(self) -> keeper.Life:
        """Ports and processes.

        Raises:
            ClusterError: when the cluster does not live.
        """
        life = keeper.life_of(self.layout)
        if life is None:
            raise ClusterError(f"no cluster runs in {self.layout.folder}")
        return life

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, for use outside."""
        return self.layout.kubeconfig

    @cached_property
    def api(self) -> Api:
        """The API server, as administrator, through the relay."""
        return Api(self.layout.kubeconfig)

    @cached_property
    def programs(self) -> Programs:
        """Kubernetes' programs."""
        return find_programs((*CONTROL_PLANE, *NODE), self.say)

    def start(self) -> None:
        """Start the control plane; it ends with this process until `let_live` is called."""
        require_root()
        if keeper.life_of(self.layout) is not None:
            raise ClusterError(
                f"A cluster runs already in {self.layout.folder}: `make cluster-down` ends it, "
                "--name starts another beside it"
            )
        found = self.programs  # which may take minutes, so before anything runs
        began = time.monotonic()
        keeper.sweep(self.layout)
        self.layout.make()
        self._start_keeper()
        try:
            self._start_control_plane(found)
        except BaseException:
            self.stop()
            raise
        self.say(f"Control plane ready after {time.monotonic() - began:.1f} s ({found.origin})")

    def _start_keeper(self) -> None:
        with self.layout.log("keeper").open("wb") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "cluster.keeper", str(self.layout.folder), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": str(TOOLS)},
                start_new_session=True,
            )

    def _start_control_plane(self, found: Programs) -> None:
        controlplane.make_certificates(self.layout)
        self.control.wait_until_it_answers()
        self.control.start(controlplane.etcd(self.layout, found))
        self.control.start(controlplane.api_server(self.layout, found))
        controlplane.write_outer_kubeconfig(self.layout, self.life.api_port)
        self.wait(self.api.is_ready, "the API server was not ready", "etcd", "kube-apiserver")
        self.control.start(controlplane.controller_manager(self.layout, found))
        self.control.start(controlplane.scheduler(self.layout, found))
        self.api.apply(roles.objects())
        self.wait(
            self._has_default_account,
            "no service account was made",
            "kube-controller-manager",
            "kube-scheduler",
        )

    def _has_default_account(self) -> bool:
        return self.api.read("/api/v1/namespaces/default/serviceaccounts/default") is not None

    def wait(self, holds: Callable[[], object], what: str, *names: str) -> None:
        """Return once something holds; end early when one of some programs has ended.

        Raises:
            ClusterError: with the last lines of that program's log.
        """

        def look() -> bool:
            if failure := self.control.failed(*names):
                raise ClusterError(failure)
            return bool(holds())

        wait(look, what, _START_SECONDS)

    def let_live(self) -> None:
        """Let the cluster live on after this process has ended."""
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.write(keeper.OWNER_MAY_GO)
            self._keeper.stdin.flush()

    def _close_keeper(self) -> None:
        if self._keeper and self._keeper.stdin:
            self._keeper.stdin.close()
        self._keeper = None

    def stop(self) -> None:
        """End the cluster and wait until nothing of it is left."""
        life = keeper.life_of(self.layout)
        if life is None and self._keeper is None:
            keeper.sweep(self.layout)
            return
        pid = self._keeper.pid if self._keeper else life.keeper if life else 0
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        except ProcessLookupError:
            self.say("the cluster had ended by itself")
        finally:
            os.close(descriptor)
        if self._keeper:
            self._keeper.wait(_END_SECONDS)
            self._close_keeper()
        wait(lambda: keeper.life_of(self.layout) is None, "the cluster did not end", _END_SECONDS)

    def enter(self, words: Sequence[str | Path]) -> list[str]:
        """Return the command that runs another one inside the namespaces."""
        enter = ["nsenter", "--target", str(self.life.first)]
        enter += ["--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", "--"]
        return [*enter, *(str(word) for word in words)]

    def run(self, *words: str | Path) -> str:
        """Run a command inside to its end and return what it printed.

        Raises:
            ClusterError: with its messages, when it fails.
        """
        done = subprocess.run(
            self.enter(words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            name = Path(str(words[0])).name
            raise ClusterError(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def succeeds(self, *words: str | Path) -> bool:
        """Whether a command inside ends with exit code 0."""
        try:
            self.run(*words)
        except ClusterError:
            return False
        return True


def require_root() -> None:
    """Refuse to start for others than root, in a sentence.

    Raises:
        ClusterError: see above.
    """
    if os.geteuid() != 0:
        raise ClusterError(
            "A cluster of this machine makes namespaces, mounts and containers, which only root may: "
            "sudo make cluster. Or name a cluster that runs already: KUBECONFIG=FILE"
        )
    for name in ("unshare", "nsenter", "setpriv"):
        on_path(name, "util-linux")
    on_path("ip", "iproute2")
