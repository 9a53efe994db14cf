"""Machine nodes: started, cut off from their power, switched on again, shut down, deleted."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

from kubernetes import client

from cluster import images, network
from cluster.cluster import Cluster
from cluster.errors import ClusterError
from cluster.machine import accelerator as accelerators
from cluster.machine import disks, guest, qemu, standard, system
from cluster.machine.accelerator import Accelerator
from cluster.machine.agent import Agent
from cluster.supervision import Program

_READY_SECONDS: dict[Accelerator, float] = {"kvm": 90, "tcg": 300}
_SHUTDOWN_SECONDS = 90.0
_EVERY_SECONDS = 0.2
_LOG_LINES = 25
_KUBELET = "kubelet"


@dataclass
class MachineNode:
    """A node with a kernel of its own; several may run, each with another number."""

    cluster: Cluster
    number: int = 2
    """Decides name, addresses and pod network; 1 is the host node's."""

    memory_mib: int = 2048
    processors: int = 2
    accelerator: Accelerator | None = None
    """None: ``LECTERN_CLUSTER_ACCEL``, else the faster one that works."""

    images: Sequence[Path] = ()
    """Archives of images that the node has from the beginning, beside the cluster's own."""

    services: Sequence[guest.Service] | None = None
    """What runs beside containerd and kubelet; None: kube-proxy and kube-router."""

    def __post_init__(self) -> None:
        """Refuse a number that has no address."""
        if not 2 <= self.number <= guest.LAST_NUMBER:
            raise ClusterError(
                f"a machine node's number is 2 to {guest.LAST_NUMBER}, not {self.number}"
            )

    @property
    def name(self) -> str:
        """The node's name in Kubernetes, its program's and its log's."""
        return f"machine-{self.number}"

    @property
    def address(self) -> str:
        """The node's address on the cluster's bridge."""
        return network.machine_address(self.number)

    @property
    def agent(self) -> Agent:
        """Commands in the guest."""
        # The socket is in the cluster's own /run: gone with it, and its path is short enough.
        return Agent(self.name, Path(f"/proc/{self.cluster.life.first}/root{self._socket}"))

    @property
    def is_on(self) -> bool:
        """Whether the machine runs."""
        state = self.cluster.control.states().get(self.name)
        return state is not None and state["exit"] is None

    @property
    def _socket(self) -> str:
        return f"/run/{self.name}.agent"

    @property
    def _folder(self) -> Path:
        return self.cluster.layout.data / self.name

    def start(self) -> None:
        """Make the node's disks and card, switch it on and wait until it is Ready.

        Raises:
            ClusterError: when something is missing, or the node did not become Ready;
                with the last lines of its console.
        """
        self._make()
        self.power_on()

    def run(self, *words: str, seconds: float = 60.0) -> str:
        """Run a command as root in the guest and return what it printed.

        Raises:
            ClusterError: with its messages when it fails, or when it takes longer.
        """
        return self.agent.run(words, seconds)

    def power_on(self) -> None:
        """Switch the machine on, with the disks that it has, and wait until it is Ready.

        Raises:
            ClusterError: with the last lines of its console.
        """
        accelerator = self._choose()
        earlier = self._boot_id()
        began = time.monotonic()
        self.cluster.control.start(Program(self.name, qemu.command(self._machine, accelerator)))
        self._wait(lambda: self._is_ready(earlier), "was not Ready", _READY_SECONDS[accelerator])
        seconds = time.monotonic() - began
        self.cluster.say(f"Node {self.name} ready {seconds:.1f} s after power-on ({accelerator})")

    def kill(self) -> None:
        """Cut the power: whatever the guest has not written is lost."""
        self.cluster.control.stop(self.name, 0)

    def shutdown(self) -> None:
        """Shut the system down and wait until the machine is off.

        Raises:
            ClusterError: when it is not off within 90 seconds.
        """
        with contextlib.suppress(ClusterError):  # the agent may be ended before it answers
            self.run("systemctl", "poweroff", "--no-block")
        self._wait(lambda: not self.is_on, "was not off", _SHUTDOWN_SECONDS)

    def delete(self) -> None:
        """Cut the power and take the node, its disks and its card away."""
        self.kill()
        with contextlib.suppress(client.ApiException):  # somebody has deleted it already
            self.cluster.api.core.delete_node(self.name)
        self.cluster.run("ip", "route", "del", network.pods_of(self.number))
        self.cluster.run("ip", "link", "del", self._machine.tap)
        shutil.rmtree(self._folder)

    @cached_property
    def _services(self) -> Sequence[guest.Service]:
        if self.services is not None:
            return self.services
        return standard.services_of(self.cluster, self.name)

    @cached_property
    def _system(self) -> system.System:
        return system.built(self.cluster.say)

    @cached_property
    def _machine(self) -> qemu.Machine:
        """Return what the machine is made of; what many machines share is made first."""
        program = Path(self.cluster.programs.command(_KUBELET)[0])
        files = [program, *(service.program for service in self._services)]
        by_name = {file.name: file for file in files}
        return qemu.Machine(
            name=self.name,
            kernel=self._system.kernel,
            initial_files=self._system.initial_files,
            system_disk=self._system.disk,
            state_disk=self._folder / "state.ext4",
            programs_disk=disks.with_programs(by_name, self.cluster.say),
            settings_disk=self._folder / "settings.tar",
            tap=f"tap{self.number}",
            hardware_address=network.hardware_address(self.number),
            agent=self._socket,
            log=self.cluster.layout.log(self.name),
            memory_mib=self.memory_mib,
            processors=self.processors,
        )

    def _make(self) -> None:
        """Make everything that lasts from one power-on to the next."""
        if self._folder.exists():
            raise ClusterError(f"{self.name} is there already: power_on() switches it on again")
        machine, archives = self._machine, [*images.archives(self.cluster.say), *self.images]
        with_images = disks.with_images(self._system.importer, archives, self.cluster.say)
        self._folder.mkdir(mode=0o700)
        program, *words = self.cluster.programs.command(_KUBELET)
        who = guest.Guest(self.name, self.number)
        kubelet_words = [Path(program).name, *words]
        entries = who.entries(self.cluster.layout, kubelet_words, self._services)
        disks.settings(entries, machine.settings_disk)
        disks.copy(with_images, machine.state_disk)
        run = self.cluster.run
        run("ip", "tuntap", "add", machine.tap, "mode", "tap")
        run("ip", "link", "set", machine.tap, "master", network.BRIDGE, "up")
        run("ip", "route", "add", network.pods_of(self.number), "via", self.address)

    def fastest(self) -> Accelerator:
        """Return the faster accelerator that works on this machine."""
        made_of = self._machine
        return accelerators.chosen(made_of.kernel, made_of.initial_files, self.cluster.say)

    def _choose(self) -> Accelerator:
        return self.accelerator or accelerators.forced() or self.fastest()

    def _wait(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        """Return once something holds.

        Raises:
            ClusterError: when it did not in time, or the machine has ended before.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            ended = not self.is_on
            if ended or time.monotonic() > deadline:
                when = "ended" if ended else f"{what} within {seconds:g} seconds"
                lines = self.cluster.control.last_lines(self.name, _LOG_LINES)
                raise ClusterError(f"{self.name} {when}; its console says:\n{lines}")
            time.sleep(_EVERY_SECONDS)

    def _status(self) -> client.V1NodeStatus | None:
        try:
            return self.cluster.api.core.read_node_status(self.name).status
        except client.ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _boot_id(self) -> str | None:
        """Return what Kubernetes knows of the guest's start; another one after each power-on."""
        status = self._status()
        return status.node_info.boot_id if status and status.node_info else None

    def _is_ready(self, earlier: str | None) -> bool:
        """Whether the node is Ready after a start; it may still count as Ready from the last."""
        return self._boot_id() not in (None, "", earlier) and self.cluster.api.is_node_ready(
            self.name
        )
