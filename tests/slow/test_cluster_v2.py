"""`make cluster` on a machine with cgroup v2 and systemd, as most are: within a machine node.

The machine that runs the tests may have cgroup v1. So a machine node gets our tools,
Python and Kubernetes' programs, and starts a whole cluster of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import images, network, programs
from cluster import nfs as nfs_server
from cluster.cluster import TOOLS
from cluster.machine.node import MachineNode

pytestmark = pytest.mark.slow

CACHE = "/opt/cache"
FOLDER = "/nested/clusters"
BUILT = ("node", "pause", "coredns", "kube-router")
START_SECONDS, COMMAND_SECONDS = 900.0, 240.0

SERVICES = ("kubelet", "containerd", "kube-proxy", "kube-router")

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "limited"},
    "spec": {
        "restartPolicy": "Never",
        "containers": [
            {
                "name": "main",
                "image": images.BUSYBOX,
                "imagePullPolicy": "Never",
                "command": ["sh", "-c", "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max"],
                "resources": {"limits": {"memory": "48Mi", "cpu": "500m"}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def guest(own_cluster, nfs: nfs_server.NfsServer) -> Iterator[MachineNode]:
    """A machine with our tools on it, and its own part in the outer cluster ended."""
    shared = nfs.folder / "shared"
    for folder in folders():
        shutil.copytree(folder, shared / folder.relative_to("/"), symlinks=True)
    fill_cache(shared / Path(CACHE).relative_to("/"))
    with tarfile.open(shared / "files.tar", "w") as tar:
        for path in files():
            tar.add(path.resolve(), str(path))
    subprocess.run(["chmod", "-R", "a+rX", shared], check=True)
    node = MachineNode(own_cluster, number=9, memory_mib=6144)
    node.start()
    node.run(
        "mount", "-t", "nfs4", "-o", "vers=4.1", f"{network.MACHINE}:{nfs_server.EXPORT}", "/mnt"
    )
    node.run("tar", "xf", "/mnt/shared/files.tar", "-C", "/", seconds=COMMAND_SECONDS)
    for folder in (*folders(), Path(CACHE)):
        node.run("mkdir", "-p", str(folder))
        node.run("mount", "--bind", f"/mnt/shared{folder}", str(folder))
    node.run("systemctl", "stop", *SERVICES, seconds=COMMAND_SECONDS)
    # Containers cannot lie on the overlay that the guest's system is.
    node.run("mkdir", "-p", "/nested")
    node.run("mount", "--bind", "/var/lib/containerd", "/nested")
    yield node
    node.delete()


def folders() -> list[Path]:
    """Return what the guest sees over NFS, at the places that it has here."""
    base = (
        Path(sys.base_prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
    return [base, Path(sys.prefix), TOOLS, programs.MODULES]


def files() -> set[Path]:
    """Return the interpreter and the libraries that it and its modules are linked with."""
    python = Path(sys.executable).resolve()
    return {python} | set().union(*(libraries(folder) for folder in folders()[:2]))


def fill_cache(folder: Path) -> None:
    """Copy programs and images that were built here; the guest cannot build."""
    busybox = shutil.which("busybox")
    assert busybox
    kept = {
        f"programs/{path.name}": path for path in (programs.built(name, print) for name in BUILT)
    }
    kept |= {f"images/{path.name}": path for path in images.archives(print)}
    for name, path in (kept | {"images/busybox": Path(busybox)}).items():
        target = folder / "lectern" / "cluster" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def libraries(folder: Path) -> set[Path]:
    """Return the shared libraries of the system that the modules of a folder are linked with."""
    modules = [str(path) for path in folder.rglob("*.so*") if path.is_file()]
    listed = subprocess.run(["ldd", *modules], capture_output=True, text=True, check=False).stdout
    words = (line.split("=>")[-1].split()[0] for line in listed.splitlines() if "=> /" in line)
    return {Path(word) for word in words if word.startswith(("/lib", "/usr/lib"))}


def tool(node: MachineNode, *words: str, seconds: float = COMMAND_SECONDS) -> str:
    command = [sys.executable, "-m", "cluster", *words, "--folder", FOLDER]
    variables = [f"PYTHONPATH={TOOLS}", f"XDG_CACHE_HOME={CACHE}", "HOME=/root"]
    return node.run("env", *variables, *command, seconds=seconds)


def test_a_cluster_with_version_2_of_control_groups(guest):
    assert "cgroup2fs" in guest.run("stat", "-fc", "%T", "/sys/fs/cgroup")
    before = traces(guest)
    assert "Node host ready" in tool(guest, "up", seconds=START_SECONDS)
    kubectl = f"{FOLDER}/lectern/kubectl"
    guest.run("sh", "-c", f"cat > /root/pod.json <<'END'\n{json.dumps(POD)}\nEND")
    guest.run(kubectl, "apply", "-f", "/root/pod.json", seconds=COMMAND_SECONDS)
    wait = ("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/limited", "--timeout=200s")
    guest.run(kubectl, *wait, seconds=COMMAND_SECONDS)
    printed = guest.run(kubectl, "logs", "limited", seconds=COMMAND_SECONDS)
    assert printed.split() == [str(48 * 2**20), "50000", "100000"]
    assert "has ended" in tool(guest, "down")
    assert sorted(traces(guest) ^ before) == []


def traces(node: MachineNode) -> set[str]:
    """Return what a cluster could leave: groups, mounts, links and rules, but no counters."""
    script = (
        "find /sys/fs/cgroup -name 'lectern-cluster-*'; findmnt -rno TARGET; ls /sys/class/net; "
        "nft --stateless list ruleset; iptables-save | sed 's/ \\[.*//; /^#/d'; "
        "sysctl vm.overcommit_memory kernel.panic"
    )
    return set(node.run("sh", "-c", script).splitlines())
