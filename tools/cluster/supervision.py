"""Start programs, see them end, stop them; asked over a socket.

Each line that comes in is a JSON object and gets one back:

- ``{"do": "start", "program": {...}}`` -> ``{}``; the keys are `Program`'s
- ``{"do": "stop", "name": NAME, "grace": SECONDS}`` -> ``{}`` once it has ended
- ``{"do": "states"}`` -> ``{NAME: {"pid": PID, "exit": null or CODE}}``; a code below
  zero is a signal's number
- ``{"error": TEXT}`` instead, when it could not be done
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from typing import Any

from cluster.layout import Layout

_RESTART_SECONDS = 1.0


@dataclass(frozen=True)
class Program:
    """What to start."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    """Added to that of the first process."""

    restarts: bool = False
    """Whether to start it again a second after it has ended by itself."""


@dataclass
class _Running:
    program: Program
    pid: int
    ended: asyncio.Event
    code: int | None = None
    is_stopping: bool = False


class Supervisor:
    """All programs of a cluster, by their names."""

    def __init__(self, layout: Layout) -> None:
        """Look after nothing yet; ``layout`` says where logs go."""
        self._layout = layout
        self._running: dict[str, _Running] = {}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one who is connected, line by line."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                try:
                    answer = await self._answer(json.loads(line))
                except (OSError, LookupError, TypeError, ValueError) as error:
                    answer = {"error": f"{type(error).__name__}: {error}"}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked["do"]:
            case "start":
                self._start(Program(**asked["program"]))
                return {}
            case "stop":
                await self._stop(asked["name"], asked["grace"])
                return {}
            case "states":
                rows = self._running.items()
                return {name: {"pid": row.pid, "exit": row.code} for name, row in rows}
        raise ValueError(f"nobody knows how to {asked['do']}")

    def _start(self, program: Program) -> None:
        running = self._running.get(program.name)
        if running and running.code is None:
            raise ValueError(f"{program.name} runs already")
        with self._layout.log(program.name).open("ab") as log:
            process = subprocess.Popen(
                program.command,
                env=os.environ | program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        process.returncode = 0  # `reap` waits for everybody; Popen must not wait or complain
        self._running[program.name] = _Running(program, process.pid, asyncio.Event())

    async def _stop(self, name: str, grace: float) -> None:
        """End a program and its process group; after ``grace`` seconds with SIGKILL."""
        running = self._running[name]
        running.is_stopping = True
        if running.code is not None:
            return
        if grace:
            os.killpg(running.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.ended.wait(), grace)
        if running.code is None:
            os.killpg(running.pid, signal.SIGKILL)
            await running.ended.wait()

    def reap(self) -> None:
        """Take note of everything that has ended, orphans of pods included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for running in self._running.values():
                if running.pid == pid and running.code is None:
                    self._ended(running, os.waitstatus_to_exitcode(status))

    def _ended(self, running: _Running, code: int) -> None:
        running.code = code
        running.ended.set()
        if running.program.restarts and not running.is_stopping:
            loop = asyncio.get_running_loop()
            loop.call_later(_RESTART_SECONDS, self._restart, running)

    def _restart(self, running: _Running) -> None:
        if not running.is_stopping and self._running[running.program.name] is running:
            self._start(running.program)
