"""The HTTP endpoints for the kubelet and Prometheus: /livez, /readyz, /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from sluice_contract.http_server import BODY_BYTES, serve_application

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class EndpointSources(msgspec.Struct, frozen=True):
    """The functions that the endpoints call.

    None of them sends a request to the API server, because an outage of it must not restart the operator.
    """

    alive: Callable[[], bool]
    ready: Callable[[], bool]
    metrics: Callable[[], bytes]


@asynccontextmanager
async def http_server(sources: EndpointSources, host: str, port: int) -> AsyncIterator[None]:
    """Serve /livez, /readyz and /metrics while the context is open."""
    async with serve_application(_web_application(sources), host, port):
        yield


def _web_application(sources: EndpointSources) -> web.Application:
    async def livez(_: web.Request) -> web.Response:
        return _health_response(sources.alive(), "the event loop is late")

    async def readyz(_: web.Request) -> web.Response:
        return _health_response(sources.ready(), "the first LIST is not complete")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=sources.metrics(), headers={"Content-Type": PROMETHEUS_TEXT})

    application = web.Application(client_max_size=BODY_BYTES)
    application.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    application.add_routes([web.get("/healthz", livez)])  # the former name of /livez, for one more minor version
    return application


def _health_response(is_healthy: bool, problem: str) -> web.Response:
    return web.Response(text="ok\n") if is_healthy else web.Response(text=f"{problem}\n", status=503)
