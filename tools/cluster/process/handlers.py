"""What probes and hooks do: run a command, ask a web server, connect, wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp

from cluster.process.status import Ending

_LONGEST_BODY = 10 * 1024


class Run(Protocol):
    """A container that has started, really or not."""

    identity: str

    async def wait(self) -> Ending:
        """Return how it ended, once it has."""
        ...

    def signal(self, number: int) -> None:
        """Send it a signal."""
        ...

    async def execute(self, words: list[str], seconds: float) -> tuple[int, str]:
        """Run a command beside it; return exit code and output."""
        ...


@dataclass(slots=True, frozen=True)
class Target:
    """Whom a handler is for."""

    run: Run
    container: Mapping[str, Any]
    address: str

    def port(self, port: int | str) -> int:
        """Return a port's number from its number or name.

        Raises:
            ValueError: when the container has no such port.
        """
        if isinstance(port, int) or port.isdecimal():
            return int(port)
        for row in self.container.get("ports", []):
            if row.get("name") == port:
                return int(row["containerPort"])
        raise ValueError(f"the container has no port named {port}")


async def act(handler: Mapping[str, Any], target: Target, seconds: float) -> str:
    """Do what a handler says.

    Args:
        handler: with a key ``exec``, ``httpGet``, ``tcpSocket`` or ``sleep``.
        target: the container.
        seconds: how long it may take.

    Returns:
        What went wrong; empty when nothing did.
    """
    try:
        return await asyncio.wait_for(_act(handler, target, seconds), seconds)
    except TimeoutError:
        return f"no answer within {seconds:g} seconds"
    except (OSError, ValueError, aiohttp.ClientError) as error:
        return str(error) or type(error).__name__


async def _act(handler: Mapping[str, Any], target: Target, seconds: float) -> str:
    if "exec" in handler:
        code, output = await target.run.execute(handler["exec"]["command"], seconds)
        return f"exit code {code}: {output.strip()}" if code else ""
    if "httpGet" in handler:
        return await _get(handler["httpGet"], target)
    if "tcpSocket" in handler:
        spec = handler["tcpSocket"]
        host = spec.get("host") or target.address
        _, writer = await asyncio.open_connection(host, target.port(spec["port"]))
        writer.close()
        return ""
    await asyncio.sleep(handler.get("sleep", {}).get("seconds", 0))
    return ""


async def _get(spec: Mapping[str, Any], target: Target) -> str:
    """Ask a web server; its certificate does not matter, as it does not for a kubelet."""
    host, scheme = spec.get("host") or target.address, spec.get("scheme", "HTTP").lower()
    path = spec.get("path", "/") or "/"
    address = f"{scheme}://{host}:{target.port(spec['port'])}/{path.removeprefix('/')}"
    headers = {"User-Agent": "kube-probe/lectern", "Accept": "*/*"}
    headers |= {row["name"]: row["value"] for row in spec.get("httpHeaders", [])}
    connector = aiohttp.TCPConnector(ssl=False, force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(address, headers=headers, allow_redirects=False) as answer,
    ):
        await answer.content.read(_LONGEST_BODY)
        if HTTPStatus.OK <= answer.status < HTTPStatus.BAD_REQUEST:
            return ""
        return f"HTTP probe failed with statuscode: {answer.status}"
