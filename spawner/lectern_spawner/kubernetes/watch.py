"""Watch one kind of Kubernetes objects: one list, then one long watch with bookmarks.

A change acts when its event comes. After a broken connection the watch goes on where it
stopped; only when the server has forgotten that place (410) is the list read again. It
never gives up.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from kubernetes_asyncio.client import ApiException
from kubespawner.clients import shared_client
from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Unicode
from traitlets.config import LoggingConfigurable

Record = dict[str, Any]
"""An object in the shape of the API, with few of its fields."""

_PAGE = 500
"""Objects per request of a list: more would hold the event loop while they are parsed."""

_LONGEST_SECONDS = 900
_QUIET_SECONDS = 10.0
"""Without a word for so long, while somebody waits for one, a watch is begun anew."""

_STALLED_SECONDS = 75.0
"""The same while nobody waits: the server sends a bookmark every minute."""

_CONNECT_SECONDS = 5.0
_LIST_SECONDS = 30.0
_FIRST_DELAY_SECONDS, _LAST_DELAY_SECONDS = 0.1, 5.0
_REFUSALS = (401, 403, 404)
_GONE = 410
_BROKEN = (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError)


class GoneError(Exception):
    """The server no longer knows what happened since we looked last."""


class Watch(LoggingConfigurable):
    """All objects of one kind, kept up to date.

    Stands where KubeSpawner has its reflector, and is used like one.
    """

    kind = ""
    """Plural name of the kind, as in KubeSpawner."""

    namespace = Unicode(None, allow_none=True, help="Where they are.")
    omit_namespace = Bool(False, help="Whether they are looked for in all namespaces.")
    labels = Dict(help="Labels that they have.")
    fields = Dict(help="Fields that they have.")
    on_failure = AnyTrait(None, help="Never called: this does not give up.")

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - traits of any kind
        """Prepare for a list; needs a running event loop."""
        super().__init__(**kwargs)
        self.resources: dict[str, Record] = {}
        self.first_load_future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lists = 0
        """How often everything was read."""

        self._version: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._select = {
            "label_selector": ",".join(f"{key}={value}" for key, value in self.labels.items()),
            "field_selector": ",".join(f"{key}={value}" for key, value in self.fields.items()),
        }

    # What a kind decides.

    def slim(self, raw: Record) -> Record:
        """Return what is kept of an object."""
        return raw

    def forget(self, key: str) -> None:
        """Take note that an object is gone."""
        self.resources.pop(key, None)

    def keep(self, key: str, record: Record) -> None:
        """Take note of an object."""
        self.resources[key] = record

    # What users of it call.

    async def start(self) -> None:
        """Begin, and return when everything is known.

        Raises:
            ApiException: when the server refuses the list.
        """
        self._task = asyncio.create_task(self._run())
        await asyncio.shield(self.first_load_future)

    async def stop(self) -> None:
        """End, and wait for the end."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def until(self, key: str, holds: Callable[[Record | None], object]) -> Record | None:
        """Return an object as soon as something holds of it; it may be gone then.

        Args:
            key: ``namespace/name``.
            holds: asked now and at each change.
        """
        while not holds(self.resources.get(key)):
            await self.change(key)
        return self.resources.get(key)

    async def change(self, key: str) -> None:
        """Return at the next change of an object."""
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(key, set())
        waiting.add(future)
        try:
            await future
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(key) is waiting:
                del self._waiting[key]

    # How it works.

    async def _run(self) -> None:
        delay = _FIRST_DELAY_SECONDS
        broken = False
        while True:
            try:
                if self._version is None or (broken and await self._is_ahead(self._version)):
                    await self._list()
                broken = False
                async for event in self._events():
                    delay = _FIRST_DELAY_SECONDS
                    self._take(event)
            except GoneError:
                self._version = None
            except ApiException as error:
                if error.status in _REFUSALS and not self.first_load_future.done():
                    self.first_load_future.set_exception(error)
                    return
                broken, delay = True, await self._wait(error, delay)
            except _BROKEN as error:
                broken, delay = True, await self._wait(error, delay)

    async def _wait(self, error: Exception, delay: float) -> float:
        """Wait before the next try; return for how long after the one after that."""
        why = getattr(error, "reason", None) or f"{type(error).__name__} {error}".strip()
        self.log.warning("Watching %s: %s; again in %.1f s", self.kind, why, delay)
        await asyncio.sleep(delay * random.uniform(0.5, 1))
        return min(delay * 2, _LAST_DELAY_SECONDS)

    async def _list(self) -> None:
        """Read everything, in pages."""
        found: dict[str, Record] = {}
        page: Record = {"metadata": {}}
        while True:
            page = await self._get(limit=_PAGE, _continue=page["metadata"].get("continue"))
            for raw in page["items"]:
                found[_key(raw)] = self.slim(raw)
            if not page["metadata"].get("continue"):
                break
            await asyncio.sleep(0)
        self.lists += 1
        self._version = page["metadata"]["resourceVersion"]
        for key in [key for key in self.resources if key not in found]:
            self.forget(key)
            self._tell(key)
        for key, record in found.items():
            self.keep(key, record)
            self._tell(key)
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)

    async def _is_ahead(self, version: str) -> bool:
        """Whether we know more than the server does: it was restored from a backup."""
        page = await self._get(limit=1)
        now: str = page["metadata"]["resourceVersion"]
        return int(now) < int(version)

    async def _get(self, **options: Any) -> Record:  # noqa: ANN401 - options of the API
        options = {key: value for key, value in options.items() if value is not None}
        timeout = aiohttp.ClientTimeout(total=_LIST_SECONDS, sock_connect=_CONNECT_SECONDS)
        response = await self._call(timeout, **options)
        async with response:
            page: Record = json.loads(await response.read())
        return page

    async def _events(self) -> AsyncIterator[Record]:
        """Yield what happens from where we are, until the server ends the watch."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        response = await self._call(
            timeout,
            watch=True,
            allow_watch_bookmarks=True,
            resource_version=self._version,
            timeout_seconds=int(_LONGEST_SECONDS * random.uniform(0.8, 1)),
        )
        async with response:
            async for line in self._lines(response.content):
                yield json.loads(line)

    async def _call(
        self,
        timeout: aiohttp.ClientTimeout,
        **options: Any,  # noqa: ANN401 - options of the API
    ) -> aiohttp.ClientResponse:
        """Ask the server for objects.

        Raises:
            GoneError: when it no longer has what we want to go on from.
            ApiException: for other refusals.
        """
        where = {} if self.omit_namespace else {"namespace": self.namespace}
        response: aiohttp.ClientResponse = await self._method()(
            **where, **self._select, **options, _preload_content=False, _request_timeout=timeout
        )
        if response.status == _GONE:
            response.release()
            raise GoneError
        if response.status >= 400:
            text = await response.text()
            raise ApiException(status=response.status, reason=text[:500])
        return response

    def _method(self) -> Callable[..., Any]:
        """Return the client's method that lists this kind."""
        singular = self.kind.removesuffix("s")
        name = f"list_{singular}_for_all_namespaces"
        if not self.omit_namespace:
            name = f"list_namespaced_{singular}"
        method: Callable[..., Any] = getattr(shared_client("CoreV1Api"), name)
        return method

    async def _lines(self, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        """Yield lines of any length; end when none has come for too long.

        Raises:
            TimeoutError: when the connection seems dead.
        """
        rest = b""
        heard = time.monotonic()
        while not content.at_eof():
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    chunk = await content.readany()
            except TimeoutError:
                silent = time.monotonic() - heard
                if self._waiting or silent > _STALLED_SECONDS:
                    self.log.debug("Nothing about %s for %.0f s", self.kind, silent)
                    return
                continue
            heard = time.monotonic()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line

    def _take(self, event: Record) -> None:
        """Take note of one event.

        Raises:
            GoneError: when the server has forgotten what we want to go on from.
            ApiException: for other errors that the watch reports.
        """
        kind, raw = event["type"], event["object"]
        if kind == "ERROR":
            if raw.get("code") == _GONE:
                raise GoneError
            raise ApiException(status=raw.get("code"), reason=raw.get("message"))
        self._version = raw["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return
        key = _key(raw)
        if kind == "DELETED":
            self.forget(key)
        else:
            self.keep(key, self.slim(raw))
        self._tell(key)

    def _tell(self, key: str) -> None:
        for future in self._waiting.pop(key, ()):
            if not future.done():
                future.set_result(None)


def _key(raw: Record) -> str:
    return f"{raw['metadata']['namespace']}/{raw['metadata']['name']}"
