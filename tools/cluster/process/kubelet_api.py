"""The server that the API server asks for logs and exec, as it asks a kubelet.

One port serves all nodes, since paths name the pod. Only the API server's certificate
is let in; everybody else goes by way of the API server, which knows who may what.
"""

from __future__ import annotations

import ssl
import time
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from cluster.process import logs, remote
from cluster.process.containers import Runner
from cluster.process.fleet import Fleet
from cluster.process.local import Local
from cluster.process.node import ADDRESS
from cluster.process.pretended import LOG_LINE
from cluster.process.settings import Settings
from cluster.process.status import RUNNING

_FLEET: web.AppKey[Fleet] = web.AppKey("fleet", Fleet)
_POD = "{namespace}/{pod}/{container}"


class Server:
    """Listens before there are nodes: they must name its port."""

    def __init__(self, settings: Settings) -> None:
        """Do not listen yet."""
        self._settings = settings
        self._runner: web.AppRunner | None = None
        self._app = web.Application(middlewares=[_only(settings.caller)])
        self._app.add_routes(
            [
                web.get("/healthz", _health),
                web.get("/pods", _pods),
                web.get(f"/containerLogs/{_POD}", _logs),
                web.get(f"/exec/{_POD}", _exec),
                web.post(f"/exec/{_POD}", _exec),
                web.route("*", "/attach/{rest:.*}", _refuse),
                web.route("*", "/portForward/{rest:.*}", _refuse),
            ]
        )

    async def start(self) -> int:
        """Listen and return the port; 0 when the settings have no certificate to show."""
        if not self._settings.serving:
            return 0
        certificate, key, authority = self._settings.serving
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificate, key)
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, ADDRESS, 0, ssl_context=context)
        await site.start()
        return int(self._runner.addresses[0][1])

    def serve(self, fleet: Fleet) -> None:
        """Answer about these nodes' pods."""
        self._app[_FLEET] = fleet

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()


def common_name(certificate: dict[str, Any]) -> str:
    """Return whom a certificate speaks for."""
    parts = [pair for row in certificate.get("subject", ()) for pair in row]
    return str(dict(parts).get("commonName", ""))


def _only(caller: str) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.transport.get_extra_info("peercert") if request.transport else None
        if common_name(shown or {}) != caller:
            return web.Response(status=403, text="Only the API server may ask here.\n")
        try:
            return await handler(request)
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")

    return check


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _pods(request: web.Request) -> web.Response:
    rows = [
        {"metadata": {"namespace": row.pod.namespace, "name": row.pod.name, "uid": row.pod.uid}}
        for row in request.app[_FLEET].workers.values()
    ]
    return web.json_response({"kind": "PodList", "apiVersion": "v1", "items": rows})


def _container(request: web.Request) -> Runner:
    """Return the container that a path names.

    Raises:
        web.HTTPNotFound: when it is not here.
    """
    names = request.match_info
    worker = request.app[_FLEET].find(names["namespace"], names["pod"])
    if worker is None:
        raise web.HTTPNotFound(text=f'pod "{names["pod"]}" is not on this node')
    runner = worker.runner(names["container"])
    if runner is None:
        raise web.HTTPNotFound(
            text=f'container {names["container"]} is not in pod "{names["pod"]}"'
        )
    return runner


async def _logs(request: web.Request) -> web.StreamResponse:
    runner, query = _container(request), request.query
    wish = logs.Wish.parse(query, time.time())
    previous = query.get("previous") == "true"
    path = runner.starter.previous_log if previous else runner.starter.log
    if not request.app[_FLEET].tools.settings.runs:
        return web.Response(body=LOG_LINE, content_type="text/plain")
    if not path.exists():
        return web.Response(status=HTTPStatus.BAD_REQUEST, text=_no_log(runner, previous=previous))
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)

    def goes_on() -> bool:
        return not previous and runner.state.phase == RUNNING and runner.starter.log == path

    async for text in logs.read(path, wish, goes_on):
        await response.write(text)
    return response


def _no_log(runner: Runner, *, previous: bool) -> str:
    name = runner.state.name
    if previous:
        return f'previous terminated container "{name}" not found'
    if runner.state.phase == RUNNING or runner.state.ending:
        return f'the log of container "{name}" was lost when the process node started anew'
    return f'container "{name}" is waiting to start: {runner.state.reason}'


async def _exec(request: web.Request) -> web.StreamResponse:
    runner = _container(request)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        text = "A process node speaks WebSockets only, not SPDY: use kubectl 1.31 or newer.\n"
        return web.Response(status=HTTPStatus.BAD_REQUEST, text=text)
    if not isinstance(runner.run, Local):
        pretended = runner.run is not None
        why = "only pretends to run" if pretended else "does not run"
        text = f'container "{runner.state.name}" {why}: no command can run in it\n'
        return web.Response(status=HTTPStatus.BAD_REQUEST, text=text)
    return await remote.execute(request, runner.run)


async def _refuse(request: web.Request) -> web.Response:
    what = request.path.split("/")[1]
    text = f"A process node has no {what}; it has logs and exec.\n"
    return web.Response(status=HTTPStatus.NOT_IMPLEMENTED, text=text)
