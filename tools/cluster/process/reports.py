"""A pod's status on its way to the API server: changes that come together are one report."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from cluster.process.client import STRATEGIC, ApiError, Client
from cluster.process.node import Node
from cluster.process.records import Pod
from cluster.process.status import View, status_of

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
"""There is none of this name, or another one by now."""


def _path(pod: Pod) -> str:
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"


class Reporter:
    """Reports one pod; says nothing while its node is silent."""

    __slots__ = ("_client", "_gone", "_is_dirty", "_node", "_sent", "_task", "is_closed", "view")

    def __init__(self, view: View, node: Node, client: Client, gone: Callable[[], None]) -> None:
        """Report nothing yet; ``gone`` is called when there is no such pod any more."""
        self.view = view
        self.is_closed = False
        """Whether there is nothing left to report."""

        self._node = node
        self._client = client
        self._gone = gone
        self._is_dirty = False
        self._sent = 0
        self._task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Report before long."""
        self._is_dirty = True
        if not self.is_closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._report())

    def insist(self) -> None:
        """Report again even if nothing has changed: somebody else has written something."""
        self._sent = 0
        self.changed()

    async def flush(self) -> None:
        """Return once the last change has been reported."""
        if self._task:
            await self._task

    async def _report(self) -> None:
        while self._is_dirty and not self.is_closed:
            await self._node.online.wait()
            self._is_dirty = False
            self.view.now = self._node.now()
            status = status_of(self.view)
            digest = hash(json.dumps(status, sort_keys=True))
            if digest != self._sent:
                await self._send(status)
                self._sent = digest

    async def _send(self, status: dict[str, Any]) -> None:
        pod = self.view.pod
        body = {"metadata": {"uid": pod.uid}, "status": status}
        try:
            await self._client.insist("PATCH", f"{_path(pod)}/status", body, form=STRATEGIC)
        except ApiError as error:
            if error.status in _GONE:
                self._gone()
            else:
                print(f"status of {pod.key}: {error}", file=sys.stderr)

    async def remove(self) -> None:
        """Tell the API server that nothing of the pod is left here."""
        if self.is_closed:
            return
        await self._node.online.wait()
        pod = self.view.pod
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid}}
        try:
            await self._client.insist("DELETE", _path(pod), body)
        except ApiError as error:
            if error.status not in _GONE:
                print(f"{pod.key} was not removed: {error}", file=sys.stderr)
