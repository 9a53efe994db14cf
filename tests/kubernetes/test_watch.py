"""The watch of pods against a real API server, and what may happen between the two."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from urllib.parse import urlsplit

import kubernetes_asyncio.config
import pytest
from kubernetes_asyncio.client import ApiException, Configuration
from tests.support.pods import pod
from tests.support.watches import close_client

from cluster.controlplane import api_server
from lectern_spawner.kubernetes.records import Pods

PATIENCE_SECONDS = 30
LABELS = {"component": "singleuser-server"}


class Relay:
    """A connection to the API server that can stop to carry anything, and stay open."""

    def __init__(self, address: str) -> None:
        self._target = urlsplit(address)
        self.flows = asyncio.Event()
        self.flows.set()
        self._ends: list[asyncio.StreamWriter] = []

    async def serve(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._ends += [writer, back]
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(65536):
                if not self.flows.is_set():
                    continue  # swallowed
                writer.write(block)
                await writer.drain()
        writer.close()

    def close(self) -> None:
        self._server.close()
        for end in self._ends:
            end.transport.abort()


@contextlib.asynccontextmanager
async def watching(cluster, namespace: str) -> AsyncIterator[tuple[Pods, Relay]]:
    """A watch whose connections go through a relay."""
    await kubernetes_asyncio.config.load_kube_config(str(cluster.kubeconfig))
    settings = Configuration.get_default_copy()
    relay = Relay(settings.host)
    settings.host = f"https://127.0.0.1:{await relay.serve()}"
    Configuration.set_default(settings)
    watch = Pods(namespace=namespace, labels=LABELS)
    try:
        await watch.start()
        yield watch, relay
    finally:
        await watch.stop()
        await close_client()
        relay.close()
        await asyncio.sleep(0.1)  # until the event loop has closed what was ended


def finish(listen: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run to the end, which must come."""

    async def bounded() -> None:
        async with asyncio.timeout(4 * PATIENCE_SECONDS):
            await listen()

    asyncio.run(bounded())


def create(cluster, namespace: str, name: str) -> None:
    made = pod(name, "true", nodeSelector={"room": "none"})
    made["metadata"]["labels"] |= LABELS
    cluster.api.core.create_namespaced_pod(namespace, made)


def delete(cluster, namespace: str, name: str) -> None:
    cluster.api.core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


async def told(watch: Pods, key: str, is_there: bool) -> float:
    """Wait until the watch knows; return after how many seconds it did."""
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await watch.until(key, lambda found: bool(found) is is_there)
    return time.monotonic() - began


def test_changes_come_as_events_of_one_list(own_cluster, namespace):
    async def listen() -> None:
        async with watching(own_cluster, namespace) as (watch, _):
            for name in ("a", "b"):
                create(own_cluster, namespace, name)
                await told(watch, f"{namespace}/{name}", True)
            delete(own_cluster, namespace, "a")
            await told(watch, f"{namespace}/a", False)
            assert set(watch.pods) == {f"{namespace}/b"}
            assert watch.lists == 1

    finish(listen)


def test_a_connection_that_swallows_events_is_noticed_by_whoever_waits(own_cluster, namespace):
    async def listen() -> None:
        async with watching(own_cluster, namespace) as (watch, relay):
            create(own_cluster, namespace, "kept")
            await told(watch, f"{namespace}/kept", True)
            relay.flows.clear()
            create(own_cluster, namespace, "lost")
            waiting = asyncio.create_task(told(watch, f"{namespace}/lost", True))
            await asyncio.sleep(3)
            assert not waiting.done()
            relay.flows.set()
            await waiting
            assert watch.lists == 1

    finish(listen)


def test_an_api_server_that_stands_still_and_goes_on_is_nothing_to_read_all_again_for(
    own_cluster, namespace
):
    server = str(own_cluster.control.states()["kube-apiserver"]["pid"])

    async def listen() -> None:
        async with watching(own_cluster, namespace) as (watch, _):
            own_cluster.run("kill", "-STOP", server)
            try:
                await asyncio.sleep(12)
            finally:
                own_cluster.run("kill", "-CONT", server)
            create(own_cluster, namespace, "after")
            await told(watch, f"{namespace}/after", True)
            assert watch.lists == 1

    finish(listen)


def test_a_server_that_was_killed_has_forgotten_and_is_asked_for_everything(own_cluster, namespace):
    async def listen() -> None:
        async with watching(own_cluster, namespace) as (watch, _):
            create(own_cluster, namespace, "old")
            await told(watch, f"{namespace}/old", True)
            await watch.stop()
            delete(own_cluster, namespace, "old")
            create(own_cluster, namespace, "new")
            own_cluster.control.stop("kube-apiserver", 0)
            own_cluster.control.start(api_server(own_cluster.layout, own_cluster.programs))
            await watch.start()
            await told(watch, f"{namespace}/new", True)
            await told(watch, f"{namespace}/old", False)
            assert watch.lists == 2

    finish(listen)
    own_cluster.wait(own_cluster.api.is_ready, "the API server did not come back")


def test_a_watch_that_may_not_read_says_so_at_once(own_cluster, namespace):
    async def listen() -> None:
        await kubernetes_asyncio.config.load_kube_config(str(own_cluster.kubeconfig))
        settings = Configuration.get_default_copy()
        settings.api_key = {"BearerToken": "Bearer wrong"}
        settings.cert_file = settings.key_file = None
        Configuration.set_default(settings)
        try:
            await Pods(namespace=namespace).start()
        finally:
            await close_client()

    with pytest.raises(ApiException, match="401"):
        finish(listen)
