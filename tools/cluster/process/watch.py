"""Follow a kind of objects: all there are, then every change, for as long as it takes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import aiohttp

from cluster.process.client import ApiError, Client

_PAGE = "250"
_WATCH_SECONDS = "600"
_RETRY_SECONDS = 0.5

Seen = Callable[[str, dict[str, Any]], None]
"""Called with ADDED, MODIFIED or DELETED and the object."""

Listed = Callable[[Iterable[str]], None]
"""Called with the uids of all there are, after a list."""


async def follow(client: Client, path: str, seen: Seen, listed: Listed, **selectors: str) -> None:
    """Follow forever.

    Args:
        client: the API server.
        path: such as ``/api/v1/pods``.
        seen: is told about each object and each change, in order.
        listed: is told what there is, so that it can forget what has gone unseen.
        selectors: such as ``fieldSelector``.
    """
    version = ""
    while True:
        try:
            version = version or await _list(client, path, seen, listed, selectors)
            version = await _watch(client, path, seen, version, selectors)
        except ApiError as error:
            print(f"{path}: {error}", file=sys.stderr)
            version = ""  # 410: the version is too old; any other: begin anew as well
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            print(f"{path}: {error}", file=sys.stderr)
        await asyncio.sleep(_RETRY_SECONDS if not version else 0.05)


async def _list(
    client: Client, path: str, seen: Seen, listed: Listed, selectors: dict[str, str]
) -> str:
    uids: list[str] = []
    query = {**selectors, "limit": _PAGE}
    while True:
        page = await client.ask("GET", path, query=query)
        for content in page["items"]:
            uids.append(content["metadata"]["uid"])
            seen("ADDED", content)
        query["continue"] = page["metadata"].get("continue", "")
        if not query["continue"]:
            listed(uids)
            return str(page["metadata"]["resourceVersion"])
        await asyncio.sleep(0)  # let leases be renewed between pages


async def _watch(
    client: Client, path: str, seen: Seen, version: str, selectors: dict[str, str]
) -> str:
    """Return the version to go on from."""
    query = {**selectors, "resourceVersion": version, "timeoutSeconds": _WATCH_SECONDS}
    try:
        async for event in client.watch(path, **query):
            kind, content = event["type"], event["object"]
            if kind == "ERROR":
                raise ApiError(content.get("code", HTTPStatus.GONE), content.get("message", ""))
            version = content["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                seen(kind, content)
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        print(f"{path}: {error}; the watch goes on from {version}", file=sys.stderr)
    return version
