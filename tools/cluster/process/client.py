"""The API server, as all nodes of this process see it: one identity, few connections."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from cluster.errors import ClusterError

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_CONNECTIONS = 16
_WATCHES = 2
URGENT_CONNECTIONS = 16
"""For leases, which must not wait behind what thousands of pods have to say."""

_ANSWER_SECONDS = 30
_LONGEST_WAIT_SECONDS = 5.0


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        """Remember the answer's status and its message."""
        super().__init__(message)
        self.status = status


class Client:
    """Asks in JSON; to be closed by its owner."""

    def __init__(self, kubeconfig: Path) -> None:
        """Read who we are and where the API server is; nothing is asked yet."""
        cluster, user = _read(kubeconfig)
        self.server = str(cluster["server"]).rstrip("/")
        headers = {"User-Agent": "lectern-process-nodes"}
        if token := user.get("token"):
            headers["Authorization"] = f"Bearer {token}"
        context = _context(cluster, user)
        self._gate = asyncio.Semaphore(_CONNECTIONS)
        self._session, self._urgent = (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, limit=connections), headers=headers
            )
            for connections in (_CONNECTIONS + _WATCHES, URGENT_CONNECTIONS)
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._urgent.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        form: str = "application/json",
        query: Mapping[str, str] | None = None,
        is_urgent: bool = False,
    ) -> dict[str, Any]:
        """Ask once.

        Args:
            method: of HTTP.
            path: such as ``/api/v1/nodes``.
            body: what is sent.
            form: its content type.
            query: parameters.
            is_urgent: whether it has connections of its own, see `URGENT_CONNECTIONS`.

        Raises:
            ApiError: when the answer is no.
            aiohttp.ClientError, TimeoutError: when there is none.
        """
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        session = self._urgent if is_urgent else self._session
        asked = session.request(
            method,
            self.server + path,
            data=data,
            params=query,
            headers={"Content-Type": form},
            timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS),
        )
        # Patience begins once it is one's turn: thousands may wait for a connection.
        async with contextlib.nullcontext() if is_urgent else self._gate, asked as answer:
            return _content(answer.status, await answer.read())

    async def insist(
        self, method: str, path: str, body: Mapping[str, Any], *, form: str = "application/json"
    ) -> dict[str, Any]:
        """Ask until the API server answers and is not too busy.

        Raises:
            ApiError: when the answer is no.
        """
        delay = 0.1
        while True:
            try:
                return await self.ask(method, path, body, form=form)
            except ApiError as error:
                busy = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                if not busy and error.status != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                delay = max(delay, 0.2)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_WAIT_SECONDS)

    async def find(self, path: str) -> dict[str, Any] | None:
        """Return an object, None when there is none.

        Raises:
            ApiError: when the answer is no for another reason.
        """
        try:
            return await self.ask("GET", path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    async def watch(self, path: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        """Yield a watch's events until the API server ends it.

        Raises:
            ApiError: when the answer is no.
        """
        patience = aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=_ANSWER_SECONDS)
        parameters = {"watch": "true", "allowWatchBookmarks": "true", **query}
        async with self._session.get(
            self.server + path, params=parameters, timeout=patience
        ) as answer:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise ApiError(answer.status, _message(await answer.read(), answer.status))
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)


def _content(status: int, text: bytes) -> dict[str, Any]:
    if status >= HTTPStatus.BAD_REQUEST:
        raise ApiError(status, _message(text, status))
    content: dict[str, Any] = json.loads(text)
    return content


def _message(text: bytes, status: int) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, LookupError, TypeError):
        return f"HTTP {status}"


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return cluster and user of a kubeconfig's current context."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        context = _named(content["contexts"], content["current-context"])["context"]
        cluster = _named(content["clusters"], context["cluster"])["cluster"]
        user = _named(content["users"], context["user"])["user"]
    except (LookupError, TypeError, StopIteration):
        raise ClusterError(f"{path} has no current context with a cluster and a user") from None
    if "exec" in user or "auth-provider" in user:
        raise ClusterError(
            f"The user of {path} logs in by way of a program; process nodes need a client "
            "certificate or a token in the file."
        )
    for rows, key in (
        (cluster, "certificate-authority"),
        (user, "client-certificate"),
        (user, "client-key"),
    ):
        if key in rows:
            place = Path(path.parent, rows[key])
            rows[f"{key}-data"] = base64.b64encode(place.read_bytes()).decode()
    return cluster, user


def _named(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(row for row in rows if row["name"] == name)


def _context(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = cluster.get("certificate-authority-data")
    text = base64.b64decode(authority).decode() if authority else None
    context = ssl.create_default_context(cadata=text)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if "client-certificate-data" in user:
        _load_pair(context, user["client-certificate-data"], user["client-key-data"])
    return context


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Load a pair from text; OpenSSL wants a file, which is gone again at once."""
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64decode(certificate) + b"\n" + base64.b64decode(key))
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
