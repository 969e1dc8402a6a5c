"""The pod's HTTP interface: liveness, readiness, status and metrics."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from sluice_contract.http_server import BODY_BYTES, serve_application

from ...view_ports import RuntimeView
from .bearer_token import RequestCheck
from .control import error_response
from .status import status_body
from .symbols import symbols_body

if TYPE_CHECKING:
    from .metrics import RuntimeMetrics

# The flush loop runs several times a second. The age of data means nothing, because there is none at night.
_LOOP_STALLED = timedelta(seconds=30)


def _allow(_: web.Request) -> None:
    """Refuse no request."""


@asynccontextmanager
async def serve_http(
    view: RuntimeView,
    listeners: Sequence[socket.socket],
    routes: Iterable[web.RouteDef] = (),
    read_check: RequestCheck = _allow,
) -> AsyncIterator[None]:
    """Serve the HTTP interface on these listeners until the context is left: see `create_http_application`."""
    async with serve_application(create_http_application(view, routes, read_check), listeners, shutdown_seconds=1.0):
        yield


def _with_read_check(read: Handler, check: RequestCheck) -> Handler:
    """Return a handler that refuses the requests that `check` refuses."""

    async def handle(request: web.Request) -> web.StreamResponse:
        why = check(request)
        return await read(request) if why is None else error_response(403, why)

    return handle


def _metrics_handler(view: RuntimeView) -> Handler:
    """Return a handler that creates the registry at the first scrape: the first quote does not wait for it."""
    created: list[RuntimeMetrics] = []

    async def metrics(_: web.Request) -> web.Response:
        from .metrics import CONTENT_TYPE, RuntimeMetrics  # noqa: PLC0415

        if not created:
            created.append(RuntimeMetrics(view))
        return web.Response(body=created[0].encode_as_prometheus_text(), headers={"Content-Type": CONTENT_TYPE})

    return metrics


@web.middleware
async def _convert_errors_to_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Convert aiohttp's own errors below /runtime to the JSON form that all errors have there."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith("/runtime"):
            raise
        answer = error_response(error.status, f"{request.method} {request.path}: {error.reason}")
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer


def create_http_application(
    view: RuntimeView, routes: Iterable[web.RouteDef] = (), read_check: RequestCheck = _allow
) -> web.Application:
    """Return the web application with the read-only routes and `routes`.

    `read_check` returns why a request may not read the status or the symbols; None if it may.
    """

    async def livez(_: web.Request) -> web.Response:
        snapshot = view.snapshot()
        age = snapshot.at - snapshot.clocks.loop_tick_at
        if age > _LOOP_STALLED:
            return web.Response(status=503, text=f"the flush loop has not run for {age.total_seconds():.0f} s\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        snapshot = view.snapshot()
        # This is open to everyone: only the status has the message, which can name symbols.
        why = f": {snapshot.failure.type}" if snapshot.failure else ""
        return web.Response(status=200 if snapshot.is_ready else 503, text=f"{snapshot.state}{why}\n")

    async def status(_: web.Request) -> web.Response:
        return web.Response(body=status_body(view.snapshot()), content_type="application/json")

    async def symbols(_: web.Request) -> web.Response:
        return web.Response(body=symbols_body(view), content_type="application/json")

    app = web.Application(middlewares=[_convert_errors_to_json], client_max_size=BODY_BYTES)
    app.router.add_routes(routes)
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", _metrics_handler(view))
    app.router.add_get("/runtime/ingest/status", _with_read_check(status, read_check))
    app.router.add_get("/runtime/ingest/symbols", _with_read_check(symbols, read_check))
    return app
