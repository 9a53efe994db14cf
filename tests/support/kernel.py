"""Compute in a person's server: a kernel over a real websocket through the proxy."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field

import requests
import websocket

PATIENCE_SECONDS = 90


@dataclass
class Outcome:
    """What one cell printed, and how it ended."""

    text: str = ""
    errors: str = ""
    states: list[str] = field(default_factory=list)


@dataclass
class Kernel:
    """A kernel of a person's server, reached with an API token."""

    base: str
    token: str
    user: str
    server: str = ""
    id: str = ""
    """An existing kernel to join; a new one is started if not set."""

    def __post_init__(self):
        self._path = f"/user/{requests.utils.quote(self.user)}/" + (
            f"{self.server}/" if self.server else ""
        )
        self._headers = {"Authorization": f"token {self.token}"}
        if not self.id:
            made = self.ask("POST", "api/kernels", json={})
            made.raise_for_status()
            self.id = made.json()["id"]
        address = self.base.replace("http", "ws", 1)
        self.socket = websocket.create_connection(
            f"{address}{self._path}api/kernels/{self.id}/channels",
            header=self._headers,
            timeout=PATIENCE_SECONDS,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, method: str, path: str, **more):
        return requests.request(
            method,
            self.base + self._path + path,
            headers=self._headers,
            timeout=PATIENCE_SECONDS,
            **more,
        )

    def run(self, code: str, *, until: str = "idle") -> Outcome:
        """Run a cell until the kernel is idle, or in another state."""
        asked = uuid.uuid4().hex
        header = {
            "msg_id": asked,
            "msg_type": "execute_request",
            "username": "",
            "session": "t",
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps(message | {"channel": "shell"}))
        outcome = Outcome()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                news = json.loads(self.socket.recv())
            except websocket.WebSocketTimeoutException:
                break
            kind, body = news["header"]["msg_type"], news["content"]
            ours = news["parent_header"].get("msg_id") == asked
            if kind == "stream" and ours:
                outcome.text += body["text"]
            elif kind == "error" and ours:
                outcome.errors += f"{body['ename']}: {body['evalue']}"
            elif kind == "status" and (ours or body["execution_state"] == "restarting"):
                outcome.states.append(body["execution_state"])
                if body["execution_state"] == until:
                    return outcome
        raise AssertionError(f"the kernel was never {until}: {outcome}")
