"""Events about pods: sent beside the work, few at a time, counted when they repeat."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import aiohttp

from cluster.process import times
from cluster.process.client import MERGE, ApiError, Client
from cluster.process.records import Pod

NORMAL, WARNING = "Normal", "Warning"
_REMEMBERED = 4096
_WAITING = 2000
_BURST = 25
_REFILL_SECONDS = 300.0
_LONGEST_MESSAGE = 1000
_ENDS = "-."  # of which a part of a name may have none


@dataclass(slots=True)
class _Sent:
    name: str
    count: int


class Allowance:
    """25 events about one thing at once, then one every five minutes, as client-go has it."""

    def __init__(self) -> None:
        """Allow everything at first."""
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, key: str, now: float) -> bool:
        """Whether one more may be sent; counts it if so."""
        left, since = self._left.pop(key, (float(_BURST), now))
        left = min(float(_BURST), left + (now - since) / _REFILL_SECONDS)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
        return left >= 1


class Events:
    """A queue, emptied by `run`; when it is full, what comes in is dropped."""

    def __init__(self, client: Client) -> None:
        """Send nothing before `run`."""
        self._client = client
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_WAITING)
        self._sent: OrderedDict[tuple[str, ...], _Sent] = OrderedDict()
        self._allowance = Allowance()

    def add(
        self,
        pod: Pod,
        kind: str,
        reason: str,
        message: str,
        *,
        now: float | None = None,
        field: str = "",
    ) -> None:
        """Say something about a pod, or about a container by its field."""
        if not self._allowance.allows(pod.uid, time.monotonic()) or self._queue.full():
            return
        moment = times.whole(time.time() if now is None else now)
        self._queue.put_nowait(_event(pod, kind, reason, message, moment, field))

    async def run(self) -> None:
        """Send events forever."""
        while True:
            content = await self._queue.get()
            try:
                await self._send(content)
            except ApiError as error:  # its namespace may be ending
                print(f"event {content['reason']}: {error}", file=sys.stderr)
            except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                print(f"event {content['reason']} is lost: {error}", file=sys.stderr)

    async def _send(self, content: dict[str, Any]) -> None:
        about = content["involvedObject"]
        key = (about["uid"], about.get("fieldPath", ""), content["reason"], content["message"])
        path = f"/api/v1/namespaces/{about['namespace']}/events"
        sent = self._sent.get(key)
        if sent is None:
            await self._client.ask("POST", path, content)
            self._sent[key] = _Sent(content["metadata"]["name"], 1)
            if len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)
            return
        sent.count += 1
        body = {"count": sent.count, "lastTimestamp": content["lastTimestamp"]}
        await self._client.ask("PATCH", f"{path}/{sent.name}", body, form=MERGE)


def _event(
    pod: Pod, kind: str, reason: str, message: str, moment: str, field: str
) -> dict[str, Any]:
    about = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
    }
    if field:
        about["fieldPath"] = field
    return {
        "metadata": {
            "namespace": pod.namespace,
            "name": f"{pod.name[:200].rstrip(_ENDS)}.{secrets.token_hex(8)}",
        },
        "involvedObject": about,
        "type": kind,
        "reason": reason,
        "message": message[:_LONGEST_MESSAGE],
        "count": 1,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "source": {"component": "kubelet", "host": pod.node},
        "reportingComponent": "kubelet",
        "reportingInstance": pod.node,
    }
