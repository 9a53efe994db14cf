"""Runs as the first process of a virtual machine: limits of a server under cgroup v2.

Prints lines ``RESULT name value`` on the console, then switches the machine off.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import traceback
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, "/lectern")

from lectern_spawner.local import cgroups, process

UID = 1_900_000_000
MEMORY_BYTES = 128 * 2**20

GREEDY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "x = bytearray(192 * 2**20); print(len(x))"])
print("greedy child ended with", child.wait(), flush=True)
time.sleep(600)
"""

BUSY = """
import os, sys, time
end = time.monotonic() + 10
children = []
for _ in range(2):
    pid = os.fork()
    if not pid:
        while time.monotonic() < end:
            pass
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
print("busy over", flush=True)
time.sleep(600)
"""


def mount() -> None:
    for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), ("cgroup2", "/sys/fs/cgroup")):
        subprocess.run(["mount", "-t", kind, kind, place], check=True)
    subprocess.run(["mount", "-t", "devtmpfs", "dev", "/dev"], check=False)


def start(name: str, program: str, hierarchy: cgroups.Hierarchy, cores: Fraction):
    home = Path("/homes") / name
    home.mkdir(parents=True)
    os.chown(home, UID, UID)
    for file in ("passwd", "group"):
        (home.parent / file).write_text(f"{name}:x:{UID}:{UID}\n")
    group = hierarchy.make(name, cores, MEMORY_BYTES)
    identity = process.Identity(
        uid=UID, passwd=str(home.parent / "passwd"), group=str(home.parent / "group")
    )
    log = Path("/logs") / f"{name}.log"
    started = process.start(
        process.Launch(
            command=[sys.executable, "-c", program],
            env={"PATH": "/usr/bin:/bin", process.MARK: name},
            home=home,
            log=log,
            identity=identity,
            slice=group,
            rlimits={},
        )
    )
    return started, process.ProcessId.of(started.pid), group, log


def wait_for(log: Path, word: str) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if log.exists() and word in (text := log.read_text()):
            return " ".join(text.split())
        time.sleep(0.2)
    raise AssertionError(f"{log} never said {word}: {log.read_text()}")


def cpu_seconds(group: cgroups.Slice) -> float:
    rows = (group.folders[0] / "cpu.stat").read_text().splitlines()
    return int(rows[0].split()[1]) / 1e6


def say(name: str, value: object) -> None:
    print(f"RESULT {name} {value}", flush=True)


def main() -> None:
    mount()
    hierarchy = cgroups.find("lectern-test")
    say("version", hierarchy.version)
    say("controllers", ",".join(sorted(hierarchy.parents)))

    _, greedy, group, log = start("greedy", GREEDY, hierarchy, Fraction(1))
    say("greedy", wait_for(log, "ended"))
    say("kills", group.out_of_memory_kills())
    say("leader-alive", greedy.alive)
    ended = process.end(greedy, "greedy", group, patience_seconds=1)
    say("ended", asyncio.run(ended))
    say("folder-left", group.folders[0].exists())

    _, busy, group, log = start("busy", BUSY, hierarchy, Fraction(1))
    before, began = cpu_seconds(group), time.monotonic()
    wait_for(log, "over")
    say("cores", f"{(cpu_seconds(group) - before) / (time.monotonic() - began):.3f}")
    asyncio.run(process.end(busy, "busy", group, patience_seconds=1))


try:
    main()
except Exception:  # noqa: BLE001 - whatever it is, the console must show it
    traceback.print_exc()
finally:
    print("RESULT over 1", flush=True)
    subprocess.run(["mount", "-o", "remount,ro", "/"], check=False)
    Path("/proc/sysrq-trigger").write_text("o")
    time.sleep(60)
