"""Commands in a guest, by way of QEMU's guest agent and a serial port: no network is needed.

Source: "QEMU Guest Agent Protocol Reference" in QEMU's documentation.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from cluster.errors import ClusterError

_FIRST_SECONDS, _LONGEST_SECONDS = 0.02, 0.5
"""Between two questions whether a command has ended: each costs an emulated machine something."""

_ANSWER_SECONDS = 10.0
_MARK = b"\xff"
"""Never part of JSON: what is before it belongs to an earlier connection."""

_BLOCK_BYTES = 65_536


class Agent:
    """The agent of one machine; each question has a connection of its own."""

    def __init__(self, name: str, socket_path: Path) -> None:
        """Name the machine and QEMU's socket for its agent."""
        self._name = name
        self._path = socket_path

    def answers(self, seconds: float = 1.0) -> bool:
        """Whether the agent answers within some seconds."""
        try:
            with _Connection(self._path, seconds):
                return True
        except OSError:
            return False

    def run(self, words: Sequence[str], seconds: float = 60.0) -> str:
        """Run a command as root to its end and return what it printed.

        Raises:
            ClusterError: with its messages when it fails, or when it takes longer.
        """
        try:
            with _Connection(self._path, _ANSWER_SECONDS) as connection:
                return self._run(connection, list(words), seconds)
        except OSError as error:
            raise ClusterError(f"{self._name} does not answer: {error}") from None

    def _run(self, connection: _Connection, words: list[str], seconds: float) -> str:
        started = connection.ask(
            "guest-exec", {"path": words[0], "arg": words[1:], "capture-output": True}
        )
        deadline, pause = time.monotonic() + seconds, _FIRST_SECONDS
        while not (state := connection.ask("guest-exec-status", started))["exited"]:
            if time.monotonic() > deadline:
                raise ClusterError(f"{words[0]} on {self._name} ran longer than {seconds:g} s")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_SECONDS)
        output, messages = (_text(state.get(key, "")) for key in ("out-data", "err-data"))
        if code := state.get("exitcode", -state.get("signal", 0)):
            raise ClusterError(f"{words[0]} on {self._name} ended with {code}: {messages}{output}")
        return output


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")


class _Connection:
    """One connection, after both sides have agreed where it begins."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._buffer = b""
        self._socket.settimeout(seconds)
        try:
            self._socket.connect(os.fspath(path))
            self._agree()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _agree(self) -> None:
        number = secrets.randbelow(2**31)
        self._socket.sendall(_MARK)
        self._send("guest-sync-delimited", {"id": number})
        while True:
            self._line(_MARK)
            if json.loads(self._line(b"\n")).get("return") == number:
                return

    def ask(self, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the agent's answer."""
        self._send(what, arguments)
        answer: dict[str, Any] = json.loads(self._line(b"\n"))
        if "error" in answer:
            raise ClusterError(f"{what}: {answer['error'].get('desc')}")
        result: dict[str, Any] = answer["return"]
        return result

    def _send(self, what: str, arguments: dict[str, Any]) -> None:
        question = {"execute": what, "arguments": arguments}
        self._socket.sendall(json.dumps(question).encode() + b"\n")

    def _line(self, end: bytes) -> bytes:
        while end not in self._buffer:
            block = self._socket.recv(_BLOCK_BYTES)
            if not block:
                raise ConnectionError("the machine has ended")
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(end)
        return line
