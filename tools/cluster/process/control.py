"""Faults and questions for the nodes, over a socket; one JSON object a line, one back.

- ``{"do": "fault", "kind": ..., ...}`` -> ``{}``; the other keys are `faults.Fault`'s
- ``{"do": "clear"}`` -> ``{}``
- ``{"do": "state"}`` -> ``{"registered": NODES, "pods": PODS}``
- ``{"do": "retire"}`` -> ``{}`` once nothing of the nodes is left in the API server
- ``{"error": TEXT}`` instead, when it could not be done
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

from cluster.process.faults import fault_of
from cluster.process.fleet import Fleet


async def serve(path: Path, fleet: Fleet) -> asyncio.Server:
    """Listen, for root alone. The name must fit a socket's address; its folder need not."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                try:
                    answer = await _answer(json.loads(line), fleet)
                except (LookupError, TypeError, ValueError) as error:
                    answer = {"error": str(error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    os.chdir(path.parent)
    try:
        return await asyncio.start_unix_server(talk, path.name)
    finally:
        os.chdir("/")
        os.umask(before)


async def _answer(asked: dict[str, Any], fleet: Fleet) -> dict[str, Any]:
    match asked.pop("do", None):
        case "fault":
            fleet.fault(fault_of(asked))
        case "clear":
            fleet.clear()
        case "state":
            return {"registered": fleet.registered, "pods": len(fleet.workers)}
        case "retire":
            await fleet.retire()
        case unknown:
            raise ValueError(f"nobody knows how to {unknown}")
    return {}
