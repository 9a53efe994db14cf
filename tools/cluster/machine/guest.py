"""A node's own files: who it is, what runs on it, and how."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster import controlplane, images, kubeconfig, kubelet, network, pki, registry
from cluster.layout import Layout
from cluster.machine import boot, qemu
from cluster.oci import Entry

LAST_NUMBER = 9
"""Highest number of a machine node: routes to all of them are known from the beginning."""

SOCKET = "/run/containerd/containerd.sock"
_ETC = "/etc/lectern"
_UNITS = "/etc/systemd/system"
_REGISTRY = f"{_ETC}/registry"
_CNI_SETTINGS = f"{_ETC}/cni"
_CNI_PROGRAMS = "/usr/lib/cni"
_KUBELET, _CONTAINERD = "kubelet", "containerd"


@dataclass(frozen=True)
class Service:
    """A program that runs on a node beside containerd and the kubelet.

    It is started again whenever it ends, and begins once the kubelet answers.
    """

    name: str
    program: Path
    """A static program of this machine; it is put on the disk with programs."""

    arguments: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files by their absolute path in the guest; only root may read them."""

    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Guest:
    """One node."""

    name: str
    number: int

    @property
    def address(self) -> str:
        """The node's address on the cluster's bridge."""
        return network.machine_address(self.number)

    def prepare(self) -> str:
        """Return the script that `boot` runs before systemd.

        The routes lead straight to other nodes' pods, so that these see who asks.
        What the network plugins remembered of pods is forgotten: after a power cut it
        may be half written, and then no old pod could be cleared away.
        """
        others = {number: network.machine_address(number) for number in range(2, LAST_NUMBER + 1)}
        others[1] = network.MACHINE
        del others[self.number]
        lines = [
            "link set lo up",
            f"address add {self.address}/{network.PREFIX_LENGTH} dev eth0",
            "link set eth0 up",
            f"route add default via {network.MACHINE}",
        ]
        lines += [
            f"route add {network.pods_of(number)} via {others[number]}" for number in sorted(others)
        ]
        batch = "\n".join(lines)
        return f"""\
set -e
export PATH=/usr/sbin:/usr/bin
rm -rf /var/lib/cni
modprobe -a virtio_net virtio_console br_netfilter
echo {self.name} >/proc/sys/kernel/hostname
ip -batch - <<END
{batch}
END
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
"""

    def _identity(self, layout: Layout) -> Iterator[Entry]:
        machine = hashlib.sha256(f"{layout.folder} {self.name}".encode()).hexdigest()[:32]
        yield _text("/etc/hostname", f"{self.name}\n")
        yield _text("/etc/machine-id", f"{machine}\n")
        yield _text("/etc/hosts", f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        yield _text(boot.PREPARE, self.prepare())

    def entries(
        self, layout: Layout, kubelet_words: Sequence[str], services: Sequence[Service]
    ) -> Iterator[Entry]:
        """Yield all files of the node.

        Args:
            layout: the cluster's.
            kubelet_words: name of the kubelet's program on the disk with programs,
                and the words before its options.
            services: what else runs on the node.
        """
        yield from self._identity(layout)
        yield from self._containerd()
        yield from self._kubelet(layout, kubelet_words)
        yield from _agent()
        for service in services:
            yield from _service(service)

    def _containerd(self) -> Iterator[Entry]:
        settings = kubelet.containerd_settings(
            images.PAUSE, _CNI_PROGRAMS, _CNI_SETTINGS, _REGISTRY
        )
        runtime = 'plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc'
        settings += f'[{runtime}]\nruntime_type = "io.containerd.runc.v2"\n'
        settings += f"[{runtime}.options]\nSystemdCgroup = true\n"
        yield _text(f"{_ETC}/containerd.toml", settings)
        # Addresses are forgotten with the power, as are the pods that had them.
        network_of_pods = kubelet.cni_settings(self.number, "/run/cni-addresses")
        yield _text(f"{_CNI_SETTINGS}/10-pods.conflist", json.dumps(network_of_pods))
        with tempfile.TemporaryDirectory() as folder:
            registry.write_hosts(Path(folder))
            for file in (path for path in Path(folder).rglob("*") if path.is_file()):
                yield _text(f"{_REGISTRY}/{file.relative_to(folder)}", file.read_text())
        command = ["/usr/bin/containerd", "--config", f"{_ETC}/containerd.toml"]
        more = {"Type": "notify", "Delegate": "yes", "KillMode": "process", "TasksMax": "infinity"}
        yield from unit(_CONTAINERD, command, more)

    def _kubelet(self, layout: Layout, words: Sequence[str]) -> Iterator[Entry]:
        files = kubelet.issue(layout, self.name, self.address)
        places = {
            f"{_ETC}/ca.crt": pki.Pair.at(layout.certificates, "ca").certificate.read_bytes(),
            f"{_ETC}/kubelet.crt": files.serving.certificate.read_bytes(),
            f"{_ETC}/kubelet.key": files.serving.key.read_bytes(),
            f"{_ETC}/kubelet.kubeconfig": whole_kubeconfig(layout, files.client),
        }
        for path, content in places.items():
            yield Entry(path, content, mode=0o600)
        serving = (f"{_ETC}/kubelet.crt", f"{_ETC}/kubelet.key")
        settings: dict[str, Any] = kubelet.configuration(f"{_ETC}/ca.crt", serving, SOCKET)
        settings |= {"cgroupDriver": "systemd", "resolvConf": "/etc/resolv.conf"}
        yield _text(f"{_ETC}/kubelet.json", json.dumps(settings))
        options = {
            "config": f"{_ETC}/kubelet.json",
            "kubeconfig": f"{_ETC}/kubelet.kubeconfig",
            "hostname-override": self.name,
            "node-ip": self.address,
            "node-labels": "lectern/node-kind=machine",
        }
        command = [f"{boot.PROGRAMS_FOLDER}/{words[0]}", *words[1:]]
        command += [f"--{key}={value}" for key, value in options.items()]
        yield from unit(_KUBELET, command, {"After": "containerd.service"})


def _agent() -> Iterator[Entry]:
    """Yield the guest agent's unit; nobody but us names its port, since no udev runs."""
    find = "/sys/class/virtio-ports/*/name"
    script = (
        f"port=$(grep -l -x {qemu.AGENT_PORT} {find}) && port=${{port%%/name}} && "
        "exec qemu-ga --logfile=/dev/null --method=virtio-serial --path=/dev/${port##*/}"
    )
    yield from unit("agent", ["/bin/sh", "-c", script], {})


def _service(service: Service) -> Iterator[Entry]:
    for path, content in service.files.items():
        yield Entry(path, content, mode=0o600)
    command = [f"{boot.PROGRAMS_FOLDER}/{service.program.name}", *service.arguments]
    until = "until (echo >/dev/tcp/127.0.0.1/10248) 2>/dev/null; do sleep 0.5; done"
    # The weight counts among the system's services alone: the kubelet comes first.
    more = {
        "CPUWeight": "10",
        "After": "kubelet.service",
        "ExecStartPre": quoted(["/bin/bash", "-c", until]),
    }
    more |= {"Environment": quoted(_pairs(service.environment), is_command=False)}
    yield from unit(service.name, command, more)


def unit(name: str, command: Sequence[str], more: Mapping[str, str]) -> Iterator[Entry]:
    """Yield a systemd unit that starts with the system, and starts its command again when it ends.

    Args:
        name: the unit's, without ending.
        command: words, as they shall arrive.
        more: further settings; ``After`` goes where it belongs.
    """
    settings = {"ExecStart": quoted(command), "Restart": "always", "RestartSec": "1"} | dict(more)
    settings |= {"StandardOutput": "append:/dev/hvc0", "StandardError": "inherit"}
    after = settings.pop("After", "")
    lines = ["[Unit]", "StartLimitIntervalSec=0", f"After={after}", f"Wants={after}", "[Service]"]
    lines += [f"{key}={value}" for key, value in settings.items() if value]
    path = f"{_UNITS}/{name}.service"
    yield _text(path, "\n".join([*lines, ""]))
    yield Entry(f"{_UNITS}/multi-user.target.wants/{name}.service", link=path)


def quoted(words: Sequence[str], *, is_command: bool = True) -> str:
    """Return words for a line of systemd, which then sees exactly these.

    Only in commands does ``$`` mean something to it.

    Source: "Command lines" and "Quoting" in systemd.service(5) and systemd.syntax(7).
    """
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "%": "%%"} | (
        {"$": "$$"} if is_command else {}
    )
    table = str.maketrans(escapes)
    return " ".join(f'"{word.translate(table)}"' for word in words)


def _pairs(environment: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in environment.items()]


def whole_kubeconfig(layout: Layout, who: pki.Pair) -> bytes:
    """Return a kubeconfig with all keys in it, for use in a guest."""
    authority = pki.Pair.at(layout.certificates, "ca").certificate
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        kubeconfig.write(path, controlplane.SERVER, authority, who, whole=True)
        return path.read_bytes()


def _text(path: str, content: str) -> Entry:
    return Entry(path, content.encode(), mode=0o644)
