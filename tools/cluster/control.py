"""Ask the first process of a cluster to start and stop programs, from outside."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict
from typing import Any

from cluster.errors import ClusterError
from cluster.layout import Layout
from cluster.supervision import Program

_PATIENCE_SECONDS = 120.0


class Control:
    """A connection to `inside` for each question, so that several may ask at once."""

    def __init__(self, layout: Layout) -> None:
        """Remember whose first process to ask."""
        self._layout = layout

    def start(self, program: Program) -> None:
        """Start a program."""
        self._ask({"do": "start", "program": asdict(program)})

    def stop(self, name: str, grace_seconds: float = 5.0) -> None:
        """End a program; at once, as a power cut would, when there is no grace."""
        self._ask({"do": "stop", "name": name, "grace": grace_seconds})

    def states(self) -> dict[str, dict[str, int | None]]:
        """Return ``pid`` (inside) and ``exit`` code of all programs."""
        return self._ask({"do": "states"})

    def failed(self, *names: str) -> str | None:
        """Return a sentence about a program that has ended by itself, with its last lines."""
        for name, state in self.states().items():
            if name in names and state["exit"] is not None:
                return f"{name} ended with exit code {state['exit']}:\n{self.last_lines(name)}"
        return None

    def last_lines(self, name: str, count: int = 15) -> str:
        """Return the end of a program's log."""
        path = self._layout.log(name)
        text = path.read_text(errors="replace") if path.exists() else "(no log)"
        return "\n".join(text.splitlines()[-count:])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._connect() as connection:
            connection.sendall(json.dumps(question).encode() + b"\n")
            line = connection.makefile("rb").readline()
        if not line:
            raise ClusterError("the cluster has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ClusterError(f"{question['do']}: {answer['error']}")
        return answer

    def _connect(self) -> socket.socket:
        """Connect by way of the folder, since its path may be too long for a socket's address."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_PATIENCE_SECONDS)
        try:
            folder = os.open(self._layout.folder, os.O_PATH)
        except OSError:
            connection.close()
            raise ClusterError(f"no cluster runs in {self._layout.folder}") from None
        try:
            connection.connect(f"/proc/self/fd/{folder}/{self._layout.control.name}")
        except OSError as error:
            connection.close()
            raise ClusterError(
                f"no cluster answers in {self._layout.folder}: {error.strerror}"
            ) from None
        finally:
            os.close(folder)
        return connection

    def answers(self) -> bool:
        """Whether the first process is ready to be asked."""
        try:
            self.states()
        except ClusterError:
            return False
        return True
