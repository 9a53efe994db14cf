"""All nodes of this process, and all pods that are bound to them."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

import aiohttp

from cluster.process import node as nodes
from cluster.process import watch
from cluster.process.client import STRATEGIC, URGENT_CONNECTIONS, ApiError
from cluster.process.faults import Fault
from cluster.process.node import Node
from cluster.process.pods import Worker
from cluster.process.records import pod_of
from cluster.process.settings import LABEL
from cluster.process.tools import Tools

_AT_ONCE = 16
_HEARTBEAT_SECONDS = 300.0
"""How often a node says that nothing has changed, as a kubelet does."""

_RENEWALS_PER_SECOND = 50
_LONGEST_RENEWAL_SECONDS = 5.0
"""A cluster of ours counts a node as lost after 12 seconds."""

_BURIED = 4096


class Fleet:
    """Registers the nodes, keeps them alive, and hands pods to their workers."""

    def __init__(self, tools: Tools, port: int) -> None:
        """Know the nodes' names, and the port at which they serve logs."""
        self.tools = tools
        self.registered = 0
        self.workers: dict[str, Worker] = {}
        self._nodes = {name: Node(name, port) for name in tools.settings.names}
        self._buried: deque[str] = deque(maxlen=_BURIED)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Register all nodes, then follow their pods."""
        gate = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._register(node, gate) for node in self._nodes.values()))
        client = self.tools.client
        label = f"{LABEL}={self.tools.settings.prefix}"
        self._loops = [
            asyncio.create_task(work)
            for work in (
                self.tools.events.run(),
                *self._lease_keepers(),
                self._heartbeats(),
                watch.follow(
                    client,
                    "/api/v1/pods",
                    self._pod_seen,
                    self._pods_listed,
                    fieldSelector="spec.nodeName!=",
                ),
                watch.follow(
                    client, "/api/v1/nodes", self._node_seen, lambda _: None, labelSelector=label
                ),
            )
        ]

    async def _register(self, node: Node, gate: asyncio.Semaphore) -> None:
        async with gate:
            node.obey(self.tools.faults)
            await nodes.register(self.tools.client, node, self.tools.settings)
            self.registered += 1

    def _renewal_seconds(self) -> float:
        """Return how often leases are renewed; less often when there are many."""
        wanted = self.tools.settings.lease_seconds / 4
        affordable = len(self._nodes) / _RENEWALS_PER_SECOND
        return min(max(wanted, affordable), max(wanted, _LONGEST_RENEWAL_SECONDS))

    def _lease_keepers(self) -> list[Coroutine[Any, Any, None]]:
        """Return what renews leases: several at once, so that a slow answer delays few."""
        loop = asyncio.get_running_loop()
        seconds = self._renewal_seconds()
        share = seconds / len(self._nodes)
        rows = enumerate(self._nodes.values(), 1)
        due = deque((loop.time() + number * share, node) for number, node in rows)
        keepers = min(URGENT_CONNECTIONS, len(due))
        return [self._keep_leases(due, seconds) for _ in range(keepers)]

    async def _keep_leases(self, due: deque[tuple[float, Node]], seconds: float) -> None:
        """Renew whichever lease is due next, forever; ``due`` is in the order of time."""
        loop = asyncio.get_running_loop()
        while True:
            if not due:  # all are being renewed by others
                await asyncio.sleep(seconds / 10)
                continue
            moment, node = due.popleft()
            await asyncio.sleep(moment - loop.time())
            if node.online.is_set():
                await _tolerate(self._renew(node))
            due.append((max(loop.time(), moment + seconds), node))

    async def _renew(self, node: Node) -> None:
        await nodes.renew(self.tools.client, node, self.tools.settings)

    async def _heartbeats(self) -> None:
        """Let each node report in turn, evenly spread, forever."""
        while True:
            for node in self._nodes.values():
                await asyncio.sleep(_HEARTBEAT_SECONDS / len(self._nodes))
                if node.online.is_set():
                    self._spawn(self._report(node))

    async def _report(self, node: Node) -> None:
        await nodes.report(self.tools.client, node)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_tolerate(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pod_seen(self, kind: str, content: dict[str, Any]) -> None:
        node = self._nodes.get(content["spec"].get("nodeName", ""))
        if node is None:
            return
        uid = content["metadata"]["uid"]
        worker = self.workers.get(uid)
        if kind == "DELETED":
            if worker:
                worker.gone()
        elif worker:
            worker.update(pod_of(content, whole=self.tools.settings.runs))
        elif uid not in self._buried:
            pod = pod_of(content, whole=self.tools.settings.runs)
            made = self.workers[uid] = Worker(pod, node, self.tools)
            made.task.add_done_callback(lambda _: self._bury(uid))

    def _bury(self, uid: str) -> None:
        """Forget a pod, but know it if the watch tells an old tale of it."""
        self.workers.pop(uid, None)
        self._buried.append(uid)

    def _pods_listed(self, uids: Iterable[str]) -> None:
        present = set(uids)
        for uid, worker in list(self.workers.items()):
            if uid not in present:
                worker.gone()

    def _node_seen(self, kind: str, content: dict[str, Any]) -> None:
        name = content["metadata"]["name"]
        node = self._nodes.get(name)
        if node is None:
            return
        if kind == "DELETED":
            print(
                f"node {name} was removed by somebody; start anew to register it", file=sys.stderr
            )
            return
        if node.online.is_set() and nodes.is_given_up(content):
            self._spawn(self._report(node))
        own = nodes.capacity_of(self.tools.settings)
        if foreign := nodes.foreign_resources(content, own):
            self._spawn(self._allocate(name, foreign))

    async def _allocate(self, name: str, resources: dict[str, str]) -> None:
        body = {"status": {"allocatable": resources}}
        await self.tools.client.insist(
            "PATCH", f"/api/v1/nodes/{name}/status", body, form=STRATEGIC
        )

    def find(self, namespace: str, name: str) -> Worker | None:
        """Return the worker of a pod that is here."""
        rows = (row for row in self.workers.values() if row.pod.name == name)
        return next((row for row in rows if row.pod.namespace == namespace), None)

    def fault(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self.tools.faults.add(fault)
        self._obey()
        for worker in list(self.workers.values()):
            worker.obey_faults()

    def clear(self) -> None:
        """Let all go well again."""
        self.tools.faults.clear()
        for worker in self.workers.values():
            worker.calm()
        self._obey()

    def _obey(self) -> None:
        for node in self._nodes.values():
            if node.obey(self.tools.faults) and node.online.is_set():
                self._spawn(self._renew(node))
                self._spawn(self._report(node))

    async def retire(self) -> None:
        """Remove all nodes, their leases and their pods from the API server."""
        await self.stop()
        gate = asyncio.Semaphore(_AT_ONCE)
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        await asyncio.gather(*(self._delete(f"/api/v1/nodes/{name}", gate) for name in self._nodes))
        await asyncio.gather(*(self._delete(f"{leases}/{name}", gate) for name in self._nodes))
        await asyncio.gather(*(self._delete(path, gate) for path in self._pod_paths()))

    def _pod_paths(self) -> Iterator[str]:
        for worker in self.workers.values():
            yield f"/api/v1/namespaces/{worker.pod.namespace}/pods/{worker.pod.name}"

    async def _delete(self, path: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            await _tolerate(self._insist_on_deletion(path))

    async def _insist_on_deletion(self, path: str) -> None:
        await self.tools.client.insist("DELETE", path, {"gracePeriodSeconds": 0})

    async def stop(self) -> None:
        """Say nothing more to the API server, and end all containers."""
        for task in (*self._loops, *self._tasks):
            task.cancel()
        for worker in list(self.workers.values()):
            worker.abandon()


async def _tolerate(work: Coroutine[Any, Any, None]) -> None:
    """Do something that is tried again later or does not matter if it fails."""
    try:
        await work
    except (ApiError, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
