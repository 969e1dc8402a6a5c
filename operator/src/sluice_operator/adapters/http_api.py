"""The HTTP endpoints for the kubelet and Prometheus: /livez, /readyz, /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class EndpointSources(msgspec.Struct, frozen=True):
    """The functions that the endpoints call.

    None of them sends a request to the API server, because an outage of it must not restart the operator.
    """

    alive: Callable[[], bool]
    ready: Callable[[], bool]
    metrics: Callable[[], bytes]


@asynccontextmanager
async def http_server(health: EndpointSources, host: str, port: int) -> AsyncIterator[None]:
    """Serve /livez, /readyz and /metrics while the context is open."""
    runner = web.AppRunner(_web_application(health), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


def _web_application(health: EndpointSources) -> web.Application:
    async def livez(_: web.Request) -> web.Response:
        return _health_response(health.alive(), "the event loop is late")

    async def readyz(_: web.Request) -> web.Response:
        return _health_response(health.ready(), "the first LIST is not complete")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=health.metrics(), headers={"Content-Type": PROMETHEUS_TEXT})

    application = web.Application()
    application.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    application.add_routes([web.get("/healthz", livez)])  # the former name of /livez, for one more minor version
    return application


def _health_response(good: bool, otherwise: str) -> web.Response:
    return web.Response(text="ok\n") if good else web.Response(text=f"{otherwise}\n", status=503)
