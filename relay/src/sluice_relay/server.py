"""The server: Alpaca's stream protocol on WebSockets in front of a source, with health, metrics and state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from aiohttp import web

from .client_socket import ClientSocket
from .clients import Client, ClientDirectory
from .connection import ClientConnection
from .faults import GAP, HALF_OPEN, POLL_SECONDS, SLOW_CLIENT, FaultClock
from .hub import Hub
from .metrics import RelayTotals, prometheus_text
from .ports import Source
from .protocol.encoding import codec_for
from .protocol.messages import KEY_HEADER, SECRET_HEADER
from .session import SessionRules, SymbolUsage

_log = logging.getLogger(__name__)
_RELAY: Final = {"event_type": "relay"}
_PATHS: Final = ("/v2/{feed}", "/v1beta1/{feed}", "/v1beta3/crypto/{region}")
# Small: what waits in a kernel's buffer can no longer be replaced by a newer quote.
SEND_BUFFER_BYTES: Final = 16 << 10


class RelayServer:
    """Serves the feeds of a source to any number of clients. It has no state that outlives it."""

    def __init__(self, source: Source, directory: ClientDirectory, faults: FaultClock | None = None) -> None:
        """`faults` are scripted faults of the connections; `FaultySource` has those of the data."""
        self.hub = Hub()
        self._source = source
        self._directory = directory
        self._faults = faults or FaultClock()
        self._rules = SessionRules(directory, source, SymbolUsage(), self._faults)
        self._connections: dict[ClientConnection, None] = {}
        self._totals = RelayTotals()

    @asynccontextmanager
    async def serve(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        """Serve on this listener while the context is open; with `tls`, serve wss and https."""
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        await web.SockSite(runner, listener, ssl_context=tls).start()
        applying = asyncio.create_task(self._apply_connection_faults_forever())
        try:
            yield
        finally:
            applying.cancel()
            await self._close_all()
            await runner.cleanup()

    async def run_source(self) -> None:
        """Publish the events of the source until it ends."""
        await self._source.run(self.hub)

    async def replace_clients(self, clients: dict[str, Client]) -> None:
        """Accept these clients from now on, and disconnect those that have changed or are no longer declared."""
        self._directory.replace_clients(clients)
        for each in list(self._connections):
            client = each.session.client
            if client is not None and not self._directory.is_current(client):
                await each.drop(402, "its entry in the clients has changed")

    def _application(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get(path, self._serve_client) for path in _PATHS])
        app.add_routes(
            [
                web.get("/healthz", self._serve_health),
                web.get("/metrics", self._serve_metrics),
                web.get("/_state", self._serve_state),
            ]
        )
        return app

    async def _serve_client(self, request: web.Request) -> web.StreamResponse:
        self._faults.start()
        kinds = self._faults.active_kinds()
        if GAP in kinds:
            return web.Response(status=503, text="a scripted gap: no connection is accepted until it ends\n")
        client_socket = ClientSocket(codec_for(request.headers.get("Content-Type", "")))
        client_socket.is_half_open = HALF_OPEN in kinds
        response = await client_socket.open(request)
        connection = ClientConnection(client_socket, self._rules, self.hub, crypto="/crypto/" in request.path)
        self._connections[connection] = None
        try:
            await connection.run(_header_credentials(request))
        finally:
            del self._connections[connection]
            self._totals.add_ended_connection(connection)
        return response

    async def _serve_health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        text = prometheus_text(self._totals, list(self._connections), self.hub)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _serve_state(self, _: web.Request) -> web.Response:
        state = {
            "clients": sum(each.session.client is not None for each in self._connections),
            "connections": len(self._connections),
            "source": dict(self._source.state()),
        }
        return web.Response(body=msgspec.json.encode(state) + b"\n", content_type="application/json")

    async def _apply_connection_faults_forever(self) -> None:
        before: frozenset[str] = frozenset()
        while self._faults.are_scripted:
            await asyncio.sleep(POLL_SECONDS)
            kinds = self._faults.active_kinds()
            for each in list(self._connections):
                if GAP in kinds:
                    each.abort()
                if HALF_OPEN in kinds - before:
                    each.become_half_open()
                if SLOW_CLIENT in kinds and each.session.subscription:
                    await each.drop(407, "a scripted fault")
            before = kinds

    async def _close_all(self) -> None:
        closing = [asyncio.ensure_future(each.close(1001)) for each in self._connections]
        if closing:
            await asyncio.wait(closing, timeout=1.0)
        for each in list(self._connections):
            each.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while self._connections:  # noqa: ASYNC110  each connection ends by itself
                    await asyncio.sleep(0.01)


def _header_credentials(request: web.Request) -> tuple[str, str] | None:
    key, secret = request.headers.get(KEY_HEADER), request.headers.get(SECRET_HEADER)
    return None if key is None or secret is None else (key, secret)
