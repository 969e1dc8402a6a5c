"""The WebSocket routes: a fault answers an upgrade request, or the request becomes a connection."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sluice_relay.protocol.encoding import JSON, codec_for
from sluice_relay.protocol.messages import KEY_HEADER, SECRET_HEADER
from sluice_simulators.alpaca.connection import ConnectionSettings, Endpoint, StreamConnection
from sluice_simulators.alpaca.faults import Fault, FaultScript, UpgradeAnswer, first_answer
from sluice_simulators.alpaca.live_connections import LiveConnections
from sluice_simulators.alpaca.websocket import RESET, ServerWebSocket

ENDPOINTS = (
    Endpoint("iex", "/v2/iex"),
    Endpoint("sip", "/v2/sip"),
    Endpoint("delayed_sip", "/v2/delayed_sip"),
    Endpoint("test", "/v2/test"),
    Endpoint("boats", "/v1beta1/boats"),
    Endpoint("overnight", "/v1beta1/overnight"),
    Endpoint("crypto", "/v1beta3/crypto/us"),
)
LARGEST_REQUEST = 16 << 20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class StreamRoutes:
    """The server's WebSocket routes; a client has `close_timeout` seconds to answer a close frame."""

    rules: ConnectionSettings
    connections: LiveConnections
    script: FaultScript
    deflate: bool
    close_timeout: float

    def routes(self) -> list[web.RouteDef]:
        """Return one route for each feed."""
        return [web.get(endpoint.path, self._upgrade_handler(endpoint)) for endpoint in ENDPOINTS]

    def _upgrade_handler(self, endpoint: Endpoint) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            faults = self.script.take_next(endpoint.feed)
            upgrade = first_answer(faults, lambda fault: fault.upgrade_answer()) or UpgradeAnswer()
            if upgrade.status is not None:
                return self._refuse_upgrade(request, upgrade)
            return await self._run_connection(request, endpoint, faults)

        return handle

    def _refuse_upgrade(self, request: web.Request, upgrade: UpgradeAnswer) -> web.StreamResponse:
        status = upgrade.status or 0
        self.rules.record.add_refused_upgrade(status)
        if not status:
            transport = _open_transport(request)
            plain: socket.socket = transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            transport.abort()
        return web.Response(status=status or 503, headers=dict(upgrade.headers), text=upgrade.body or None)

    async def _run_connection(
        self, request: web.Request, endpoint: Endpoint, faults: tuple[Fault, ...]
    ) -> web.StreamResponse:
        deflate = first_answer(faults, lambda fault: (fault.upgrade_answer() or UpgradeAnswer()).deflate)
        response = web.WebSocketResponse(
            timeout=self.close_timeout,
            autoclose=False,
            autoping=False,
            compress=self.deflate if deflate is None else deflate,
            max_msg_size=LARGEST_REQUEST,
        )
        uses_text = any(fault.uses_text_frames() for fault in faults)
        codec = JSON if uses_text else codec_for(request.headers.get("Content-Type", ""))
        websocket = ServerWebSocket(response, _open_transport(request), codec)
        await websocket.complete_upgrade(request)
        connection = StreamConnection(self.rules, endpoint, websocket, faults)
        self.connections.add(connection)
        try:
            await connection.run(_header_credentials(request))
        except ConnectionError:
            websocket.hang_up()
        finally:
            self.connections.remove(connection)
        return response


def _open_transport(request: web.Request) -> asyncio.Transport:
    if not isinstance(request.transport, asyncio.Transport):
        raise ConnectionResetError("the client has disconnected")
    return request.transport


def _header_credentials(request: web.Request) -> tuple[str, str] | None:
    key, secret = request.headers.get(KEY_HEADER), request.headers.get(SECRET_HEADER)
    return None if key is None or secret is None else (key, secret)
