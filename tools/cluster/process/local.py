"""One container that really runs: a process of this machine in a sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cluster.process import logs, quantities, sandbox
from cluster.process.guard import Guard
from cluster.process.sandbox import Plan
from cluster.process.status import Ending
from lectern_spawner.local.cgroups import Hierarchy, Slice

KILLED = 128 + signal.SIGKILL
_JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"'
_NO_MEMORY_LIMIT = 2**62
_LEAST_CORES = Fraction(1, 100)
_LOOK_SECONDS = 0.003
_LEAVE_TRIES = 20
_LEAVE_SECONDS = 0.05
_LONGEST_OUTPUT = 10 * 1024


class StartError(Exception):
    """The container could not be started.

    Attributes:
        reason: what the container waits with, such as ``CreateContainerError``.
    """

    def __init__(self, reason: str, message: str) -> None:
        """Remember the reason and the message."""
        super().__init__(message)
        self.reason = reason


@dataclass(slots=True, frozen=True)
class Order:
    """What shall run."""

    plan: Plan
    variables: Mapping[str, str]
    programs: Mapping[str, str]


class Local:
    """A container that has started."""

    def __init__(
        self, order: Order, log: logs.Writer, group: Slice | None, guard: Guard | None
    ) -> None:
        """Start nothing: that is `start`'s."""
        self.identity = f"lectern-process://{secrets.token_hex(16)}"
        self._order = order
        self._log = log
        self._group = group
        self._guard = guard
        self._pid = 0
        self._status: asyncio.ReadTransport | None = None
        self._copies: list[asyncio.Task[None]] = []
        self._outer: asyncio.subprocess.Process | None = None

    @classmethod
    async def start(
        cls, order: Order, log: logs.Writer, group: Slice | None, guard: Guard | None
    ) -> Local:
        """Start a container and return once its command runs.

        Raises:
            StartError: when there is no sandbox for it.
        """
        made = cls(order, log, group, guard)
        reading, writing = os.pipe()
        try:
            words = sandbox.command(order.plan, order.programs, writing)
            made._outer = await made.spawn(words, pass_fds=(writing,))
        except OSError as error:
            os.close(reading)
            raise StartError("CreateContainerError", str(error)) from None
        finally:
            os.close(writing)
        made._copies = [
            asyncio.create_task(log.copy(name, reader))
            for name, reader in (("stdout", made._outer.stdout), ("stderr", made._outer.stderr))
            if reader is not None
        ]
        try:
            if await made._has_begun(reading):
                return made
        except asyncio.CancelledError:
            end_group(made._outer)
            await made.wait()
            raise
        await made.wait()
        raise StartError("CreateContainerError", "no sandbox could be made for the container")

    async def spawn(
        self,
        words: list[str],
        *,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int = asyncio.subprocess.PIPE,
        stderr: int = asyncio.subprocess.PIPE,
        pass_fds: tuple[int, ...] = (),
    ) -> asyncio.subprocess.Process:
        """Start a command with the container's variables in its group of processes."""
        joins = self._group.joins if self._group else []
        return await asyncio.create_subprocess_exec(
            *(["/bin/sh", "-c", _JOIN, "sh", *joins, "--"] if joins else []),
            *words,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
            env=dict(self._order.variables),
            cwd="/",
            start_new_session=True,
        )

    async def _has_begun(self, reading: int) -> bool:
        """Learn the command's process and wait until it is no longer bubblewrap itself."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        # Open for as long as it runs: bubblewrap would die of a pipe that nobody reads.
        self._status, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
        )
        line = await reader.readline()
        if not line:
            return False
        self._pid = int(json.loads(line)["child-pid"])
        if self._guard:
            self._guard.add(self._pid)
        own = os.path.realpath(self._order.programs["bwrap"])
        while self._program() == own:
            await asyncio.sleep(_LOOK_SECONDS)
        # What ends at once has run all the same: bubblewrap then says with which exit code.
        return self._program() != "" or b"exit-code" in await reader.read()

    def _program(self) -> str:
        try:
            return os.readlink(f"/proc/{self._pid}/exe")
        except OSError:
            return ""

    async def wait(self) -> Ending:
        """Return how it ended, once it has."""
        assert self._outer is not None  # started above
        code = await self._outer.wait()
        await asyncio.gather(*self._copies)
        if self._guard and self._pid:
            self._guard.remove(self._pid)
        self._log.close()
        if self._status:
            self._status.close()
        code = 128 - code if code < 0 else code
        starved = self._group is not None and self._group.out_of_memory_kills() > 0
        if self._group:
            await _leave(self._group)
        is_oom = code == KILLED and starved
        return Ending(code, "OOMKilled" if is_oom else "", identity=self.identity)

    def signal(self, number: int) -> None:
        """Send a signal to the command; SIGKILL ends all that it started."""
        if self._outer is None or self._outer.returncode is not None:
            return
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:
            return

    def entering(self, words: list[str], *, has_terminal: bool = False) -> list[str]:
        """Return the words that run a command beside the container's own.

        With a terminal it leads a session of its own, made inside: a shell does not find
        its way with one that was made in another tree of processes.
        """
        programs, plan = self._order.programs, replace(self._order.plan, words=words)
        enter = [programs["nsenter"], "--target", str(self._pid)]
        enter += ["--mount", "--pid", "--ipc", "--uts", "--"]
        enter += [programs["setsid"], "--ctty"] if has_terminal else []
        return [*enter, *sandbox.as_user(plan, programs)]

    async def execute(self, words: list[str], seconds: float) -> tuple[int, str]:
        """Run a command beside it to its end.

        Returns:
            Its exit code and the beginning of what it said.

        Raises:
            TimeoutError: when it takes too long; it is ended.
        """
        both = asyncio.subprocess.STDOUT
        process = await self.spawn(self.entering(words), stderr=both)
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds)
        except (TimeoutError, asyncio.CancelledError):
            end_group(process)
            await process.wait()
            raise
        return process.returncode or 0, output[:_LONGEST_OUTPUT].decode(errors="replace")


def end_group(process: asyncio.subprocess.Process) -> None:
    """Kill a process and all of its session's group."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


async def _leave(group: Slice) -> None:
    """Remove a group of processes; the last of them may take a moment to go."""
    for _ in range(_LEAVE_TRIES):
        if group.remove():
            return
        await asyncio.sleep(_LEAVE_SECONDS)


def group_of(hierarchy: Hierarchy | None, name: str, container: Mapping[str, Any]) -> Slice | None:
    """Return a group with a container's limits, None without limits or where none can be made.

    Args:
        hierarchy: where groups may be made.
        name: unique among containers.
        container: its part of the pod's spec.
    """
    limits = container.get("resources", {}).get("limits", {})
    if hierarchy is None or not limits.keys() & {"memory", "cpu"}:
        return None
    cores = quantities.parse(limits.get("cpu", os.cpu_count() or 1))
    memory = int(quantities.parse(limits.get("memory", _NO_MEMORY_LIMIT)))
    return hierarchy.make(name, max(cores, _LEAST_CORES), memory)
