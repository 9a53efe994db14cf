"""What a cluster could leave on a machine: taken before and after, and compared.

Other programs of the machine come and go meanwhile. So a process counts when it
carries the mark of the one that started it, or is in the cluster's group; what
few others touch is compared whole.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.processes import processes

_PATIENCE_SECONDS = 20
_TABLES = ("iptables-save", "ip6tables-save", "iptables-legacy-save")
_FOLDERS = (
    "/run",
    "/run/netns",
    "/run/containerd",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/nfs",
    "/var/log",
    "/var/log/pods",
    "/etc/cni/net.d",
    "/dev/shm",
)
_KERNEL = ("vm", "kernel/panic", "kernel/panic_on_oops", "kernel/keys", "net/ipv4/ip_forward",
           "net/netfilter/nf_conntrack_max")  # fmt: skip
_OTHERS = ("lectern-test-", ".org.chromium.")
"""Names of what tests of other things have open meanwhile."""

_PID = re.compile(r"pid=(\d+)")
_RESTLESS = ("vm/stat_refresh", "vm/compact_memory", "vm/drop_caches")

Snapshot = dict[str, list[str]]


def snapshot(mark: str, group: str) -> Snapshot:
    """Return everything that a start of a cluster touches on a machine.

    Args:
        mark: text in the environment of all that belongs to the cluster.
        group: name of the cluster's group of processes.
    """
    return {
        "processes": sorted(_command_lines(mark, group)),
        "mounts": sorted(_lines("/proc/self/mountinfo", 4)),
        "links": sorted(_links()),
        "routes": _output("ip", "route", "show", "table", "all"),
        "named namespaces": _output("ip", "netns"),
        "firewall": [line for tool in _TABLES for line in _rules(tool)],
        "nft": _output("nft", "list", "ruleset"),
        "ipset": _output("ipset", "list"),
        "loop devices": _output("losetup", "--list", "--noheadings"),
        "control groups": sorted(_groups(group)),
        "listening sockets": sorted(_sockets(mark, group)),
        "kernel settings": sorted(_settings()),
        "folders": [f"{folder}/{name}" for folder in _FOLDERS for name in _names(folder)],
        "temporary": [name for name in _names(tempfile.gettempdir()) if name.startswith("lectern")],
    }


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Return what came and what went."""
    return [
        f"{sign} {what}: {line}"
        for what in before
        for sign, lines, others in (("-", before, after), ("+", after, before))
        for line in lines[what]
        if line not in others[what]
    ]


def assert_nothing_left(before: Snapshot, mark: str, group: str) -> None:
    """Wait for the kernel to clear up, which it does in the background, and compare."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while found := differences(before, snapshot(mark, group)):
        assert time.monotonic() < deadline, "\n".join(found)
        time.sleep(0.2)


def _command_lines(mark: str, group: str) -> list[str]:
    found = []
    for folder in processes():
        if _belongs(folder, mark, group):
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            found.append(f"{folder.name} {words.decode(errors='replace')[:150]}")
    return found


def _belongs(process: Path, mark: str, group: str) -> bool:
    try:
        marked = mark.encode() in (process / "environ").read_bytes()
        return marked or group in (process / "cgroup").read_text()
    except OSError:
        return False


def _lines(path: str, column: int) -> list[str]:
    return [" ".join(line.split()[column:]) for line in Path(path).read_text().splitlines()]


def _links() -> list[str]:
    return [path.name for path in Path("/sys/class/net").iterdir()]


def _output(*words: str) -> list[str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def _rules(tool: str) -> list[str]:
    try:
        return [line for line in _output(tool) if not line.startswith("#")]
    except FileNotFoundError:
        return []


def _groups(group: str) -> list[str]:
    folders = (folder for folder, _, _ in os.walk("/sys/fs/cgroup"))
    return [folder for folder in folders if group in folder]


def _sockets(mark: str, group: str) -> list[str]:
    """Return what listens, on ports and on files, unless a process of somebody else's holds it."""
    found = []
    for line in _output("ss", "-H", "--listening", "--numeric", "--processes", "-t", "-u", "-x"):
        holders = _PID.findall(line)
        if not holders or any(_belongs(Path("/proc", pid), mark, group) for pid in holders):
            found.append(line.partition("users:")[0])
    return found


def _settings() -> list[str]:
    found = []
    for name in _KERNEL:
        top = Path("/proc/sys") / name
        for path in [top, *top.rglob("*")] if top.is_dir() else [top]:
            short = str(path.relative_to("/proc/sys"))
            if path.is_file() and short not in _RESTLESS:
                try:
                    found.append(f"{short} = {path.read_text().strip()}")
                except OSError:
                    continue
    return found


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith(_OTHERS))
    except OSError:
        return []
