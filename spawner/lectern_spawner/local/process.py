"""Start, watch and end the processes of one server.

Used by the local spawner; knows nothing of JupyterHub. A process is known by
pid *and* start time, so a pid that the machine gave to something else after a
reboot is never mistaken for a server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from lectern_spawner.local import launch
from lectern_spawner.local.cgroups import Slice

_LAST_LINES = 12
_LONGEST_TAIL_BYTES = 8_000
_POLL_SECONDS = 0.05
_FIRST_LOOK_SECONDS = 0.8
_LOOK_SECONDS = 0.15
_KILL_ROUNDS = 100

MARK = "LECTERN_SERVER"
"""Environment variable that names the server that a process belongs to."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """Which process a server is, safe across reboots and recycled pids."""

    pid: int
    started: str
    """Boot id and start time in clock ticks, as Linux counts them."""

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """Return the identity of a running process; None if there is none, or a zombie."""
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            if stat[0] not in (b"Z", b"X"):
                return cls(pid, f"{_boot_id()}:{int(stat[19])}")
        return None

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        return ProcessId.of(self.pid) == self


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the launcher needs to turn root into a person."""

    uid: int
    passwd: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything about one start."""

    command: Sequence[str]
    env: Mapping[str, str]
    home: Path
    log: Path
    identity: Identity | None
    slice: Slice | None
    rlimits: Mapping[str, int]


def start(what: Launch) -> subprocess.Popen[bytes]:
    """Start a server; its output goes to its log file.

    Raises:
        OSError: when the machine cannot start another process.
    """
    spec = {
        "join": what.slice.joins if what.slice else [],
        "rlimits": dict(what.rlimits),
        "account": asdict(what.identity) if what.identity else None,
        "home": str(what.home),
    }
    command = [sys.executable, "-I", "-S", launch.__file__, json.dumps(spec), "--", *what.command]
    with _fresh_log(what.log) as log:
        return subprocess.Popen(
            command,
            env=dict(what.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _fresh_log(file: Path) -> IO[bytes]:
    """Open a log, keeping the one of the start before as ``.1``."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        file.replace(file.with_name(file.name + ".1"))
    return os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb")


def last_lines(log: Path) -> str:
    """Return the end of a log, at most 12 lines, safe to show as text."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LONGEST_TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_LAST_LINES:])


async def ended(process: ProcessId) -> None:
    """Return when a process has ended, without polling it."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if not process.alive:
            return
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        loop.add_reader(handle, done.set)
        try:
            await done.wait()
        finally:
            loop.remove_reader(handle)
    finally:
        os.close(handle)


async def answers(host: str, port: int, path: str) -> None:
    """Return as soon as a server answers HTTP on its port.

    Args:
        host: IPv4 address to connect to.
        port: TCP port.
        path: what to ask for; any answer counts.
    """
    request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    # A whole class waits like this in one process, so looks are few and cheap:
    # none before a server can be there, and no request before somebody listens.
    await asyncio.sleep(_FIRST_LOOK_SECONDS)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if not _listens(host, port):
            continue
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                if await reader.read(5):
                    return
            finally:
                writer.close()


def _listens(host: str, port: int) -> bool:
    """Whether somebody listens on a port of this machine, which answers at once."""
    with socket.socket() as probe:
        probe.settimeout(_LOOK_SECONDS)
        return probe.connect_ex((host, port)) == 0


def marked(marker: str) -> set[ProcessId]:
    """Return the processes that carry a server's mark in their environment.

    Finds also what has left the server's session and process group.

    Args:
        marker: value of ``LECTERN_SERVER`` of that server.
    """
    wanted = f"{MARK}={marker}".encode()
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        # Processes end meanwhile, and those of other people are none of our business.
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.add(ProcessId.of(int(folder.name)))
    return {known for known in found if known}


def send(members: set[ProcessId], sig: signal.Signals) -> None:
    """Send a signal to processes that are still the ones they were."""
    for member in members:
        if member.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member.pid, sig)


async def end(
    process: ProcessId, marker: str, group: Slice | None, *, patience_seconds: float
) -> bool:
    """End a server and everything it started.

    The server gets the chance to shut its kernels down; what is left after that
    is killed.

    Args:
        process: the server's leader.
        marker: the server's mark.
        group: the server's cgroup.
        patience_seconds: how long the leader may take.

    Returns:
        Whether everything is gone.
    """
    send({process}, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ended(process), patience_seconds)
    return await sweep(marker, group, {process})


async def sweep(marker: str, group: Slice | None, known: Iterable[ProcessId] = ()) -> bool:
    """Kill what is left of a server: what carries its mark or is in its cgroup.

    Returns:
        Whether everything is gone.
    """
    for _ in range(_KILL_ROUNDS):
        members = {*known, *marked(marker)}
        if group:
            members |= {found for pid in group.pids() if (found := ProcessId.of(pid))}
        members = {member for member in members if member.alive}
        if not members and (group is None or group.remove()):
            return True
        send(members, signal.SIGKILL)
        await asyncio.sleep(_POLL_SECONDS)
    return False
