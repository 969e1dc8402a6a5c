"""The pod's HTTP interface: liveness, readiness, status and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import web
from aiohttp.typedefs import Handler

from sluice_contract.http_server import BODY_BYTES, serve_application

from ...ports import RuntimeView
from .control import error_response
from .status import status_body
from .symbols import symbols_body

# The flush loop runs several times a second. The age of data means nothing, because there is none at night.
_LOOP_STALLED = timedelta(seconds=30)


@asynccontextmanager
async def serve_http(
    view: RuntimeView, host: str, port: int, routes: Iterable[web.RouteDef] = ()
) -> AsyncIterator[None]:
    """Serve the HTTP interface until the context is left. `routes` are added to the read-only routes."""
    async with serve_application(create_http_application(view, routes), host, port, shutdown_seconds=1.0):
        yield


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


def create_http_application(view: RuntimeView, routes: Iterable[web.RouteDef] = ()) -> web.Application:
    """Return the web application with the read-only routes and `routes`."""

    async def livez(_: web.Request) -> web.Response:
        snapshot = view.snapshot()
        age = snapshot.at - snapshot.clocks.loop_tick_at
        if age > _LOOP_STALLED:
            return web.Response(status=503, text=f"the flush loop has not run for {age.total_seconds():.0f} s\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        snapshot = view.snapshot()
        why = f": {snapshot.failure.message}" if snapshot.failure else ""
        return web.Response(status=200 if snapshot.is_ready else 503, text=f"{snapshot.state}{why}\n")

    async def status(_: web.Request) -> web.Response:
        return web.Response(body=status_body(view.snapshot()), content_type="application/json")

    async def symbols(_: web.Request) -> web.Response:
        return web.Response(body=symbols_body(view), content_type="application/json")

    async def metrics(_: web.Request) -> web.Response:
        # Imported with the first scrape, so that the first quote does not wait for it.
        from .metrics import CONTENT_TYPE, encode_as_prometheus_text  # noqa: PLC0415

        return web.Response(body=encode_as_prometheus_text(view), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application(middlewares=[_convert_errors_to_json], client_max_size=BODY_BYTES)
    app.router.add_routes(routes)
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/runtime/ingest/status", status)
    app.router.add_get("/runtime/ingest/symbols", symbols)
    return app
