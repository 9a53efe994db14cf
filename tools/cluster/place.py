"""Mounts and network of a cluster, made once by its first process.

Whatever the programs write to fixed places of the system, and whatever they
change in the kernel's settings, must not reach the machine; so these places are
the cluster's own here.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from cluster import cgroups, network
from cluster.layout import Layout

_OWN_FOLDERS = (
    "/run",  # sockets, locks, network namespaces of pods
    "/dev/shm",
    "/var/log",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/nfs",
    "/etc/cni",
    "/etc/kubernetes",
    "/etc/containers",
)
_IN_MEMORY = ("/run", "/dev/shm")
_WANTED_BY_KUBELET = {
    "kernel/keys/root_maxbytes": 25_000_000,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
}
"""The kubelet writes these where they differ, and they would hold for the whole machine."""

_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
    "net/ipv4/conf/all/route_localnet": "1",
}


def prepare(layout: Layout) -> None:
    """Make the namespaces of the calling process ready."""
    _mount_system()
    _mount_own_folders(layout)
    _hide_settings(Path("/run/kernel-settings"))
    _name_resolver(Path("/run/resolv.conf"))
    _make_network()


def _do(*words: str | Path) -> None:
    subprocess.run(words, check=True)


def _mount_system() -> None:
    """Show this cluster's processes, network devices and groups only."""
    groups = cgroups.hierarchies()
    _do("mount", "-t", "proc", "proc", "/proc")
    # The old tree of groups goes with /sys; the new one has the cluster's group as its root.
    _do("mount", "-t", "sysfs", "sysfs", "/sys")
    if not groups[0].options:
        _do("mount", "-t", "cgroup2", "cgroup2", cgroups.ROOT)
        cgroups.hand_on(cgroups.ROOT)
        return
    _do("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", cgroups.ROOT)
    for group in groups:
        folder = cgroups.ROOT / group.folder.name
        folder.mkdir()
        _do("mount", "-t", "cgroup", "-o", group.options, "cgroup", folder)


def _mount_own_folders(layout: Layout) -> None:
    for name in _OWN_FOLDERS:
        if not Path(name).is_dir():
            continue
        if name in _IN_MEMORY:
            _do(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "mode=1777" if name == "/dev/shm" else "mode=755",
                "tmpfs",
                name,
            )
            continue
        own = layout.data / "system" / name.strip("/").replace("/", "-")
        own.mkdir(parents=True)
        _do("mount", "--bind", own, name)


def _hide_settings(folder: Path) -> None:
    """Show the kubelet files that have the values it wants, instead of the kernel's."""
    for name, value in _WANTED_BY_KUBELET.items():
        file = folder / name.replace("/", "-")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{value}\n")
        _do("mount", "--bind", file, Path("/proc/sys") / name)


def _name_resolver(file: Path) -> None:
    """Let programs inside ask the cluster's own DNS; the machine's cannot be reached."""
    file.write_text(f"nameserver {network.DNS_SERVICE}\nsearch svc.{network.DNS_DOMAIN}\n")
    place = Path("/etc/resolv.conf").resolve()  # often a link into /run, which is empty here
    if place.is_relative_to("/run"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    if place.exists():
        _do("mount", "--bind", file, place)


def _make_network() -> None:
    """Make the bridge that all nodes hang on. Nothing leads out of it."""
    _do("ip", "link", "set", "lo", "up")
    _do("ip", "link", "add", network.BRIDGE, "type", "bridge")
    address = f"{network.MACHINE}/{network.PREFIX_LENGTH}"
    _do("ip", "address", "add", address, "dev", network.BRIDGE)
    _do("ip", "link", "set", network.BRIDGE, "up")
    # A Service's address must have some route before its rule rewrites it.
    _do("ip", "route", "add", network.SERVICES, "dev", network.BRIDGE)
    for name, value in _SETTINGS.items():
        file = Path("/proc/sys") / name
        if file.exists():
            file.write_text(value)
