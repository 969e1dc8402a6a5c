"""The HTTP endpoints for the kubelet and Prometheus: /livez, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from sluice_contract.http_server import BODY_BYTES, create_listener, serve_application

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class EndpointSources(msgspec.Struct, frozen=True):
    """The functions that the endpoints call.

    None of them sends a request to the API server, because an outage of it must not restart the operator.
    """

    alive: Callable[[], bool]
    readiness_problem: Callable[[], str]  # a sentence; empty if the replica is ready
    metrics: Callable[[], Iterator[bytes]]  # the text of a scrape, in parts


@asynccontextmanager
async def http_server(sources: EndpointSources, host: str, port: int) -> AsyncIterator[None]:
    """Serve /livez, /readyz and /metrics while the context is open."""
    async with serve_application(_web_application(sources), [create_listener(host, port)]):
        yield


def _web_application(sources: EndpointSources) -> web.Application:
    async def livez(_: web.Request) -> web.Response:
        return _health_response("" if sources.alive() else "the event loop is late")

    async def readyz(_: web.Request) -> web.Response:
        return _health_response(sources.readiness_problem())

    async def metrics(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": PROMETHEUS_TEXT})
        await response.prepare(request)
        for part in sources.metrics():
            await response.write(part)
            await asyncio.sleep(0)  # a scrape of many jobs must not delay a stop
        await response.write_eof()
        return response

    application = web.Application(client_max_size=BODY_BYTES)
    application.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    application.add_routes([web.get("/healthz", livez)])  # the former name of /livez, for one more minor version
    return application


def _health_response(problem: str) -> web.Response:
    return web.Response(text=f"{problem}\n", status=503) if problem else web.Response(text="ok\n")
