"""The host node: this machine's containerd and kubelet, in the cluster's namespaces.

Containers run at full speed. Everything that containerd and the kubelet write lies
in the cluster's folder or in the cluster's own /run.
"""

from __future__ import annotations

import time
from pathlib import Path

from cluster import cgroups, controlplane, images, kubelet, network, programs, registry, services
from cluster.cluster import Cluster
from cluster.supervision import Program

NAME = "host"
NUMBER = 1
SOCKET = "/run/containerd/containerd.sock"
"""In the cluster's own /run."""

_CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
_CONTAINERD, _KUBELET = "containerd", "kubelet"


class HostNode:
    """Real containers on this machine."""

    name = NAME

    def __init__(self, cluster: Cluster) -> None:
        """Make it ready to be started."""
        self.cluster = cluster
        self._folder = cluster.layout.data / "host"

    def start(self) -> None:
        """Start the node and return once it is Ready.

        Raises:
            ClusterError: when a program is missing or ended; with its last lines.
        """
        began = time.monotonic()
        cluster = self.cluster
        archives = images.archives(cluster.say)
        self._write_settings()
        cluster.control.start(self._containerd())
        cluster.wait(self._containers_answer, "containerd did not answer", _CONTAINERD)
        for archive in archives:
            self.load(archive)
        cluster.control.start(self._kubelet())
        cluster.wait(
            lambda: cluster.api.is_node_ready(NAME),
            "the host node was not ready",
            _CONTAINERD,
            _KUBELET,
        )
        services.start(cluster, NAME)
        cluster.say(f"Node {NAME} ready after {time.monotonic() - began:.1f} s more")

    def load(self, archive: Path) -> None:
        """Make an image from an OCI or Docker archive known to the node."""
        self._ctr("images", "import", "--all-platforms", archive)

    def images(self) -> list[str]:
        """Return the names of the images that the node has."""
        return self._ctr("images", "list", "--quiet").split()

    def push(self, image: str, name: str) -> None:
        """Copy an image of the node into the cluster's registry, under a whole name there."""
        self._ctr("images", "tag", "--force", image, name)
        self._ctr("images", "push", "--hosts-dir", self._folder / "registry", name)
        self._ctr("images", "remove", name)

    def _containers_answer(self) -> bool:
        if not Path(f"/proc/{self.cluster.life.first}/root{SOCKET}").exists():
            return False
        self._ctr("version")
        return True

    def _ctr(self, *words: str | Path) -> str:
        ctr = programs.on_path("ctr", "containerd")
        return self.cluster.run(ctr, "--address", SOCKET, "--namespace", "k8s.io", *words)

    def _write_settings(self) -> None:
        folder = self._folder
        for name in ("cni", "registry", "kubelet"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        addresses = str(folder / "addresses")
        controlplane.write_json(
            folder / "cni" / "10-pods.conflist", kubelet.cni_settings(NUMBER, addresses)
        )
        plugins = next(path for path in (*_CNI_FOLDERS, "") if path == "" or Path(path).is_dir())
        settings = kubelet.containerd_settings(
            images.PAUSE, plugins, str(folder / "cni"), str(folder / "registry")
        )
        places = f'root = "{folder / "containerd"}"\nstate = "/run/containerd"\n'
        places += f'[grpc]\naddress = "{SOCKET}"\n'
        version, _, rest = settings.partition("\n")
        (folder / "containerd.toml").write_text(f"{version}\n{places}{rest}", encoding="utf-8")
        registry.write_hosts(folder / "registry")
        (folder / "resolv.conf").write_text("", encoding="utf-8")

    def _containerd(self) -> Program:
        command = [programs.on_path("containerd", "containerd"), "--config"]
        return Program(_CONTAINERD, [*command, str(self._folder / "containerd.toml")])

    def _kubelet(self) -> Program:
        layout = self.cluster.layout
        files = kubelet.issue(layout, NAME, network.MACHINE)
        authority = str(layout.certificates / "ca.crt")
        serving = (str(files.serving.certificate), str(files.serving.key))
        settings = kubelet.configuration(authority, serving, SOCKET) | _groups()
        settings |= {"resolvConf": str(self._folder / "resolv.conf"), "podLogsDir": "/var/log/pods"}
        options = {
            "config": str(controlplane.write_json(self._folder / "kubelet.json", settings)),
            "kubeconfig": str(files.kubeconfig),
            "hostname-override": NAME,
            "node-ip": network.MACHINE,
            "node-labels": "lectern/node-kind=host",
            "root-dir": "/var/lib/kubelet",
        }
        words = [f"--{key}={value}" for key, value in options.items()]
        return Program(_KUBELET, [*self.cluster.programs.command(_KUBELET), *words])


def _groups() -> dict[str, object]:
    """Return what a kubelet must be told about the machine's control groups."""
    if not cgroups.hierarchies()[0].options:
        return {"cgroupDriver": "cgroupfs"}
    # Version 1, and perhaps without the controllers that groups of whole pods need.
    return {
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
    }
