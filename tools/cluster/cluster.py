"""A cluster from its start to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
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

_START_SECONDS = 600
"""For the slowest machine; a program that ends is noticed at once."""

_INSIDE_SECONDS = 60
_END_SECONDS = 180
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
        """Start the keeper; what it says is kept outside the folder that it removes."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the keeper
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "cluster.keeper", str(self.layout.folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            env=os.environ | {"PYTHONPATH": str(TOOLS)},
            start_new_session=True,
        )

    def _wait_for_keeper(self) -> None:
        """Return once the first process inside answers.

        Raises:
            ClusterError: with what the keeper or the first process said.
        """
        deadline = time.monotonic() + _INSIDE_SECONDS
        while not self.control.answers():
            ended = self._keeper and self._keeper.poll() is not None
            if ended or time.monotonic() > deadline:
                self._said.seek(0)
                told = self._said.read().decode(errors="replace")[-2000:]
                told += self.control.last_lines("inside")
                raise ClusterError(f"the cluster's namespaces were not made:\n{told}")
            time.sleep(0.02)

    def _start_control_plane(self, found: Programs) -> None:
        controlplane.make_certificates(self.layout)
        self._wait_for_keeper()
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

    def stop(self) -> None:
        """End the cluster and wait until nothing of it is left.

        Raises:
            ClusterError: when it does not end.
        """
        life = keeper.life_of(self.layout)
        if "api" in self.__dict__:
            self.api.close()
        if self._keeper:
            self._end_own_keeper()
        elif life:
            _ask_to_end(life.keeper)
        wait(lambda: keeper.life_of(self.layout) is None, "the cluster did not end", _END_SECONDS)
        keeper.sweep(self.layout)  # nothing is left of one that ended well

    def _end_own_keeper(self) -> None:
        assert self._keeper
        self._keeper.terminate()
        try:
            self._keeper.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            raise ClusterError(f"the cluster did not end within {_END_SECONDS} seconds") from None
        if self._keeper.stdin:
            self._keeper.stdin.close()
        self._said.close()
        self._keeper = None

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


def _ask_to_end(pid: int) -> None:
    """Tell a keeper that somebody else started; it may end by itself at the same time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
    os.close(descriptor)


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
