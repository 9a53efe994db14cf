"""Run inside an image: start its Jupyter server as a person's, and compute something.

Prints one JSON object with what was found, or one line that says what is wrong. Needs
nothing but the server's own Python. With the argument `foreign`, for images of others,
the person's name and the skeleton of the home are not asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TOKEN = uuid.uuid4().hex
PATIENCE_SECONDS = 120
CODE = "import os; print(6 * 7, os.getuid(), os.path.expanduser('~'))"


def main() -> None:
    """Look at the place, then start the server and let it compute."""
    root_is_read_only()
    name = person()
    if "foreign" not in sys.argv:
        expect(name == os.environ["JUPYTERHUB_USER"], f"this person is called {name}")
        expect(os.path.exists(os.path.expanduser("~/.bashrc")), "the home has no skeleton")
    version = output("jupyterhub-singleuser", "--version")
    with server() as (address, started):
        kernel = ask(address, "api/kernels", {"name": "python3"})["id"]
        printed = asyncio.run(compute(address, kernel))
        computed = time.monotonic() - started[0]
    wanted = f"42 {os.getuid()} {os.environ['HOME']}"
    expect(printed.strip() == wanted, f"the kernel printed {printed!r}, not {wanted!r}")
    print(
        json.dumps(
            {
                "person": name,
                "jupyterhub": version,
                "answers_after_seconds": round(started[1], 2),
                "computes_after_seconds": round(computed, 2),
            }
        )
    )


def person() -> str:
    """Return the name that this user id has here."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "nobody"


def expect(holds: bool, otherwise: str) -> None:
    """End with a sentence unless something holds."""
    if not holds:
        sys.exit(otherwise)


def root_is_read_only() -> None:
    """Try to write where nobody should be able to."""
    for folder in ("/", "/opt", "/usr/local", "/etc"):
        try:
            with open(f"{folder}/.probe", "w"):
                sys.exit(f"{folder} can be written to")
        except OSError:
            continue


def output(*words: str) -> str:
    """Return what a program prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def server() -> Iterator[tuple[str, list[float]]]:
    """Run a server; yield its address, and when it was started and how long it took to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["jupyter-lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    words += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    started = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    address = f"127.0.0.1:{port}"
    try:
        while not answers(address):
            if process.poll() is not None or time.monotonic() > started + PATIENCE_SECONDS:
                process.kill()
                said = process.stdout.read() if process.stdout else ""
                sys.exit(f"the server does not answer; it said: {said[-2000:]}")
            time.sleep(0.05)
        yield address, [started, time.monotonic() - started]
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    """Whether the page of JupyterLab is there."""
    try:
        return "jupyter-config-data" in text(address, "lab")
    except (OSError, urllib.error.URLError):
        return False


def text(address: str, path: str, data: bytes | None = None) -> str:
    """Ask the server for something."""
    request = urllib.request.Request(
        f"http://{address}/{path}", data, {"Authorization": f"token {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: str = answer.read().decode()
    return found


def ask(address: str, path: str, content: dict[str, Any]) -> dict[str, Any]:
    """Post something and return the answer."""
    found: dict[str, Any] = json.loads(text(address, path, json.dumps(content).encode()))
    return found


async def compute(address: str, kernel: str) -> str:
    """Run `CODE` in a kernel and return what it prints."""
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    session = uuid.uuid4().hex
    where = f"ws://{address}/api/kernels/{kernel}/channels?session_id={session}&token={TOKEN}"
    socket_ = await websocket_connect(HTTPRequest(where, connect_timeout=30))
    header = {"msg_id": session, "msg_type": "execute_request", "username": "", "session": session,
              "version": "5.3", "date": "2026-01-01T00:00:00Z"}  # fmt: skip
    content = {"code": CODE, "silent": False, "store_history": False, "user_expressions": {},
               "allow_stdin": False, "stop_on_error": True}  # fmt: skip
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content,
               "channel": "shell", "buffers": []}  # fmt: skip
    await socket_.write_message(json.dumps(message))
    printed, left = "", {"execute_reply", "idle"}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while left:
            received = json.loads(await socket_.read_message() or "{}")
            if received.get("parent_header", {}).get("msg_id") != session:
                continue
            kind, content = received["msg_type"], received["content"]
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                sys.exit(f"the kernel says: {content['evalue']}")
            left -= {kind, content.get("execution_state")}
    socket_.close()
    return printed


if __name__ == "__main__":
    main()
