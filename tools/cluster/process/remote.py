"""exec over a WebSocket: the protocols v5.channel.k8s.io and v4.channel.k8s.io.

Each message begins with the number of a channel: 0 input, 1 output, 2 errors, 3 how it
ended, as a Status object, 4 the terminal's size. In version 5 a message ``255, N`` closes
channel N.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import struct
import termios
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from cluster.process.local import Local, end_group

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_CHUNK = 32 * 1024
_LONGEST_MESSAGE = 4 * 1024 * 1024


@dataclass(slots=True)
class Session:
    """A command that runs, and how to speak to it."""

    process: asyncio.subprocess.Process
    copies: list[asyncio.Task[None]]
    put: Callable[[bytes], Awaitable[None]]
    """Hand over input."""

    end: Callable[[], None]
    """Say that there is no more input."""

    terminal: int = -1
    """Our side of its terminal, -1 without one."""


def outcome(code: int) -> bytes:
    """Return the Status object that says how a command ended."""
    status: dict[str, Any] = {"metadata": {}, "status": "Success"}
    if code:
        cause = {"reason": "ExitCode", "message": str(code)}
        status |= {
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: {code}",
            "details": {"causes": [cause]},
        }
    return json.dumps(status).encode()


def size_of(message: bytes) -> tuple[int, int] | None:
    """Return rows and columns of a message about a terminal's size, None if it makes no sense."""
    try:
        wish = json.loads(message)
        rows, columns = int(wish["Height"]), int(wish["Width"])
    except (ValueError, LookupError, TypeError):
        return None
    return (rows, columns) if 0 < rows < 1 << 16 and 0 < columns < 1 << 16 else None


async def execute(request: web.Request, container: Local) -> web.WebSocketResponse:
    """Run a command for somebody who is connected."""
    query = request.query
    socket = web.WebSocketResponse(
        protocols=PROTOCOLS, max_msg_size=_LONGEST_MESSAGE, compress=False, timeout=2.0
    )
    await socket.prepare(request)
    words = query.getall("command", [])
    if not words:
        await socket.send_bytes(bytes([ERROR]) + _failure("exec needs a command"))
        await socket.close()
        return socket
    start = _start_terminal if query.get("tty") == "1" else _start
    session = await start(container, words, socket, has_input=query.get("input") == "1")
    listening = asyncio.create_task(_listen(socket, session))
    try:
        code = await session.process.wait()
        await asyncio.gather(*session.copies)
        code = 128 - code if code < 0 else code
        with contextlib.suppress(ConnectionError):
            await socket.send_bytes(bytes([ERROR]) + outcome(code))
            await socket.close()
    finally:
        end_group(session.process)
        listening.cancel()
        if session.terminal >= 0:
            os.close(session.terminal)
    return socket


def _failure(message: str) -> bytes:
    return json.dumps({"metadata": {}, "status": "Failure", "message": message}).encode()


async def _start(
    container: Local, words: list[str], socket: web.WebSocketResponse, *, has_input: bool
) -> Session:
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await container.spawn(container.entering(words), stdin=pipe if has_input else nothing)
    readers = {STDOUT: process.stdout, STDERR: process.stderr}
    copies = [
        asyncio.create_task(_copy(reader, socket, channel))
        for channel, reader in readers.items()
        if reader
    ]

    async def put(data: bytes) -> None:
        if process.stdin:
            with contextlib.suppress(ConnectionError):
                process.stdin.write(data)
                await process.stdin.drain()

    def end() -> None:
        if process.stdin:
            process.stdin.close()

    return Session(process, copies, put, end)


async def _start_terminal(
    container: Local, words: list[str], socket: web.WebSocketResponse, *, has_input: bool
) -> Session:
    del has_input  # a terminal has one in any case
    ours, theirs = os.openpty()
    try:
        process = await container.spawn(
            container.entering(words, has_terminal=True),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
    finally:
        os.close(theirs)
    os.set_blocking(ours, False)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", buffering=0)
    )

    async def put(data: bytes) -> None:
        while data:
            try:
                data = data[os.write(ours, data) :]
            except BlockingIOError:
                await asyncio.sleep(0.01)
            except OSError:
                return

    copy = asyncio.create_task(_copy(reader, socket, STDOUT))
    return Session(process, [copy], put, lambda: None, ours)


async def _copy(reader: asyncio.StreamReader, socket: web.WebSocketResponse, channel: int) -> None:
    """Send what the command says; read on when nobody listens, so that it can end."""
    with contextlib.suppress(OSError):  # a terminal whose other side is gone cannot be read
        while data := await reader.read(_CHUNK):
            with contextlib.suppress(ConnectionError):
                await socket.send_bytes(bytes([channel]) + data)


async def _listen(socket: web.WebSocketResponse, session: Session) -> None:
    """Hand on what comes in; end the command when whoever started it has gone."""
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
            continue
        # Python's client sends text as text, number of the channel included.
        content = message.data.encode() if isinstance(message.data, str) else message.data
        channel, data = content[0], content[1:]
        if channel == STDIN:
            await session.put(data)
        elif channel == CLOSE and data == bytes([STDIN]):
            session.end()
        elif channel == RESIZE and session.terminal >= 0 and (size := size_of(data)):
            packed = struct.pack("HHHH", *size, 0, 0)
            fcntl.ioctl(session.terminal, termios.TIOCSWINSZ, packed)
    end_group(session.process)
