"""The process that owns a cluster's namespaces and leaves nothing behind when they end.

It stays outside: it makes the group of processes, starts `inside` as the first
process of new namespaces, and waits for one of three things: somebody asks for
the end (SIGTERM), the owner has died, or the inside has ended. Then it kills the
first process, with which the kernel ends every other one and takes away mounts,
links and rules, and removes the group and the folder. If the keeper itself is
killed, the inside dies with it, and `sweep` removes what is left.

Run as ``python -m cluster.keeper FOLDER [OWNER]``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from cluster import cgroups, network
from cluster.layout import Layout

_ENTER_GROUP = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec "$@"'
_NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup")
_LOOK_MILLISECONDS = 1000
"""How often the keeper looks whether its folder is still there."""

_PATIENCE_SECONDS = 30
OWNER_MAY_GO = b"d"
"""What is written to the keeper's standard input to let it outlive its owner."""


@dataclass(frozen=True)
class Life:
    """What is known about a living cluster; kept in its folder."""

    keeper: int
    """Process that ends the cluster when it gets SIGTERM."""

    first: int
    """First process inside, as seen from outside."""

    api_port: int
    """Port on 127.0.0.1 that leads to the API server."""

    web_port: int
    """Port on 127.0.0.1 that leads to the Service with the NodePort `network.WEB_PORT`."""


def group_name(folder: Path) -> str:
    """Return the name of a cluster's group of processes."""
    return f"lectern-cluster-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def life_of(layout: Layout) -> Life | None:
    """Return what a living cluster says about itself, None when there is none."""
    try:
        with layout.life.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Life(**json.loads(layout.life.read_text()))
    except (FileNotFoundError, ValueError):
        return None
    return None


def sweep(layout: Layout) -> None:
    """Remove what a cluster left whose keeper was killed."""
    cgroups.remove(group_name(layout.folder))
    _remove_folder(layout)


def _remove_folder(layout: Layout) -> None:
    if not os.environ.get("LECTERN_KEEP_CLUSTER_FOLDER"):
        shutil.rmtree(layout.folder, ignore_errors=True)


def main(words: list[str]) -> int:
    """Keep one cluster until its end."""
    layout = Layout(Path(words[0]))
    owner = int(words[1]) if len(words) > 1 else None
    end = _wanted_end()
    # The lock is what says that the cluster lives; the kernel gives it back with this process.
    with layout.life.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            _keep(layout, owner, end, lock)
        finally:
            cgroups.remove(group_name(layout.folder))
            if _is_there(lock):
                _remove_folder(layout)
    return 0


def _is_there(lock: TextIO) -> bool:
    """Whether our folder has not been removed; another cluster may have made one in its place."""
    return os.fstat(lock.fileno()).st_nlink > 0


def _wanted_end() -> int:
    """Return a descriptor that becomes readable when somebody asks for the end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def _keep(layout: Layout, owner: int | None, end: int, lock: TextIO) -> None:
    listeners = [_listen(), _listen()]
    outer = _start_inside(layout, listeners)
    try:
        first = _first_process(outer)
        cgroups.step_aside(group_name(layout.folder), outer.pid)
        api_port, web_port = (listener.getsockname()[1] for listener in listeners)
        life = Life(os.getpid(), first, api_port, web_port)
        layout.life.write_text(json.dumps(asdict(life)))
        for listener in listeners:
            listener.close()
        _wait(outer, owner, end, lock)
    finally:
        _kill(layout, outer)


def _listen() -> socket.socket:
    """Return a socket that people on this machine can reach; it goes inside."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    listener.set_inheritable(True)
    return listener


def _start_inside(layout: Layout, listeners: list[socket.socket]) -> subprocess.Popen[bytes]:
    """Start `inside` in the cluster's group and in new namespaces, bound to this process' life."""
    folders = cgroups.make(group_name(layout.folder))
    descriptors = [listener.fileno() for listener in listeners]
    targets = (network.API_PORT, network.WEB_PORT)
    relays = [f"{fd}:{port}" for fd, port in zip(descriptors, targets, strict=True)]
    command = ["sh", "-c", _ENTER_GROUP, "cluster", *(f"{path}/cgroup.procs" for path in folders)]
    command += ["--", "setpriv", "--pdeathsig", "KILL"]
    command += ["unshare", *_NAMESPACES, "--fork", "--kill-child"]
    command += [sys.executable, "-m", "cluster.inside", str(layout.folder), *relays]
    with layout.log("inside").open("wb") as log:
        return subprocess.Popen(
            command,
            env=os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"},
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _first_process(outer: subprocess.Popen[bytes]) -> int:
    """Return the one child of `unshare`, once there is one."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and outer.poll() is None:
        if words := children.read_text().split():
            return int(words[0])
        time.sleep(0.005)
    raise RuntimeError(f"the namespaces were not made; exit code {outer.poll()}")


def _wait(outer: subprocess.Popen[bytes], owner: int | None, end: int, lock: TextIO) -> None:
    """Return when the cluster shall end, has ended, or has lost its owner or its folder."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    poll.register(os.pidfd_open(outer.pid), select.POLLIN)
    if owner is None:
        _ready(poll, lock)
        return
    try:
        owner_descriptor = os.pidfd_open(owner)
    except ProcessLookupError:
        return
    poll.register(owner_descriptor, select.POLLIN)
    poll.register(sys.stdin, select.POLLIN)
    while True:
        ready = _ready(poll, lock)
        if ready != [sys.stdin.fileno()]:
            return
        poll.unregister(sys.stdin)
        if os.read(sys.stdin.fileno(), 1) == OWNER_MAY_GO:
            poll.unregister(owner_descriptor)


def _ready(poll: select.poll, lock: TextIO) -> list[int]:
    """Return the descriptors where something happened, none if the folder has been removed."""
    while _is_there(lock):
        if events := poll.poll(_LOOK_MILLISECONDS):
            return [descriptor for descriptor, _ in events]
    return []


def _kill(layout: Layout, outer: subprocess.Popen[bytes]) -> None:
    """End everything in the cluster's group; its first process takes all others along."""
    outer.kill()
    outer.wait()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    folders = [item.folder / group_name(layout.folder) for item in cgroups.hierarchies()]
    while time.monotonic() < deadline:
        left = {pid for folder in folders for pid in cgroups.members(folder)}
        if not left:
            return
        for pid in left:
            _kill_one(pid)
        time.sleep(0.02)


def _kill_one(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
