"""Upgrade requests: answered as a fault says, or turned into connections."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sluice_simulators.alpaca.connection import Connection, Endpoint, Rules
from sluice_simulators.alpaca.encoding import codec_for
from sluice_simulators.alpaca.faults import Fault, FaultScript, Upgrade, decided
from sluice_simulators.alpaca.stage import Stage
from sluice_simulators.alpaca.wire import RESET, Wire

ENDPOINTS = (
    Endpoint("iex", "/v2/iex"),
    Endpoint("sip", "/v2/sip"),
    Endpoint("delayed_sip", "/v2/delayed_sip"),
    Endpoint("test", "/v2/test"),
    Endpoint("boats", "/v1beta1/boats"),
    Endpoint("overnight", "/v1beta1/overnight"),
    Endpoint("crypto", "/v1beta3/crypto/us"),
)
KEY_HEADER = "APCA-API-KEY-ID"
SECRET_HEADER = "APCA-API-SECRET-KEY"
LARGEST_REQUEST = 16 << 20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Gate:
    """The server's WebSocket routes; `close_timeout` is the seconds a client has to answer a close."""

    rules: Rules
    stage: Stage
    script: FaultScript
    deflate: bool
    close_timeout: float

    def routes(self) -> list[web.RouteDef]:
        """One for each feed."""
        return [web.get(endpoint.path, self._handler(endpoint)) for endpoint in ENDPOINTS]

    def _handler(self, endpoint: Endpoint) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            faults = self.script.take(endpoint.feed)
            upgrade = decided(faults, lambda fault: fault.upgrade()) or Upgrade()
            if upgrade.status is not None:
                return self._refuse(request, upgrade)
            return await self._connect(request, endpoint, faults)

        return handle

    def _refuse(self, request: web.Request, upgrade: Upgrade) -> web.StreamResponse:
        status = upgrade.status or 0
        self.rules.record.refused(status)
        if not status:
            transport = _transport(request)
            plain: socket.socket = transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            transport.abort()
        return web.Response(status=status or 503, headers=dict(upgrade.headers))

    async def _connect(self, request: web.Request, endpoint: Endpoint, faults: tuple[Fault, ...]) -> web.StreamResponse:
        deflate = decided(faults, lambda fault: (fault.upgrade() or Upgrade()).deflate)
        response = web.WebSocketResponse(
            timeout=self.close_timeout,
            autoclose=False,
            autoping=False,
            compress=self.deflate if deflate is None else deflate,
            max_msg_size=LARGEST_REQUEST,
        )
        wire = Wire(response, _transport(request), codec_for(request.headers.get("Content-Type", "")))
        await wire.open(request)
        connection = Connection(self.rules, endpoint, wire, faults)
        self.stage.enter(connection)
        try:
            await connection.run(_credentials(request))
        except ConnectionError:
            wire.hang_up()
        finally:
            self.stage.leave(connection)
        return response


def _transport(request: web.Request) -> asyncio.Transport:
    if not isinstance(request.transport, asyncio.Transport):
        raise ConnectionResetError("the client has gone")
    return request.transport


def _credentials(request: web.Request) -> tuple[str, str] | None:
    key, secret = request.headers.get(KEY_HEADER), request.headers.get(SECRET_HEADER)
    return None if key is None or secret is None else (key, secret)
