"""What the tests of the cluster need on this machine, looked for by program.

By program and not by package, because some machines have containerd from another
place, and Debian's package would remove that one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from workshop import apt, interpreters
from workshop.environments import Environment
from workshop.say import stop

_PACKAGES = {
    "bwrap": ["bubblewrap"],
    "conntrack": ["conntrack"],
    "containerd": ["containerd"],
    "ganesha.nfsd": ["nfs-ganesha", "nfs-ganesha-vfs"],
    "ip": ["iproute2"],
    "ipset": ["ipset"],
    "iptables": ["iptables"],
    "mkfs.ext4": ["e2fsprogs"],
    "mmdebstrap": ["mmdebstrap"],
    "nft": ["nftables"],
    "qemu-system-x86_64": ["qemu-system-x86"],
    "runc": ["runc"],
}
_PLUGINS = ("/usr/lib/cni/bridge", "/opt/cni/bin/bridge")
_BUILT = (
    "node",
    "pause",
    "coredns",
    "kube-router",
    "registry",
    "helm",
    "containerfile-lint",
    "machine",
)


def prepare(environment: Environment, variables: dict[str, str]) -> None:
    """Install and build what a cluster of this machine needs, unless another is named."""
    if not interpreters.is_root() or variables.get("KUBECONFIG"):
        return  # the tests say why they are skipped, or use the cluster that is named
    install()
    command: list[str | Path] = [environment.python, "-m", "cluster", "prepare", *_BUILT]
    subprocess.run(command, env=variables | {"PYTHONPATH": "tools"}, check=True)


def require_root() -> None:
    """Say what to do, when somebody else than root tries to start or end a cluster."""
    if not interpreters.is_root():
        stop(
            "Only root may start and end a cluster of this machine: sudo make cluster, "
            "sudo make cluster-down. One that runs elsewhere is used with KUBECONFIG=FILE."
        )


def install() -> None:
    """Install the programs that are missing."""
    if missing := missing_packages():
        apt.install(missing, "for a cluster on this machine")


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs are not there."""
    # Debian keeps what only root needs in folders that are not on everybody's PATH.
    folders = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    missing = [
        package
        for program, packages in _PACKAGES.items()
        if shutil.which(program, path=folders) is None
        for package in packages
    ]
    if not any(Path(plugin).exists() for plugin in _PLUGINS):
        missing.append("containernetworking-plugins")
    return missing
