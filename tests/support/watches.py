"""Watches of a real API server, in the event loop of a test."""

from __future__ import annotations

import asyncio

from kubespawner.clients import shared_client

_CLOSED_SECONDS = 0.5
"""aiohttp ends its TLS connections in the loop, after the session was closed."""


async def close_client() -> None:
    """Close the client that the watches of this loop share, with its connections."""
    await shared_client("CoreV1Api").api_client.close()
    await asyncio.sleep(_CLOSED_SECONDS)
