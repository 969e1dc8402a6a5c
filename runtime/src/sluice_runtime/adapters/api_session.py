"""Authenticated requests to the API server, with the pod's own ServiceAccount."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
import msgspec

from sluice_contract.redirects import refuse_redirects

from .decoding import decode_json, decode_kubernetes_json
from .sockets import create_nonblocking_socket

SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ApiServer(msgspec.Struct, frozen=True, kw_only=True):
    """The URL of the API server, and the directory of the pod's ServiceAccount credentials."""

    url: str
    credentials: Path = SERVICE_ACCOUNT_DIR


class ApiSession:
    """Sends authenticated requests to the API server, and manages the connections to it."""

    def __init__(self, api: ApiServer) -> None:
        self.url = api.url
        self._credentials = api.credentials
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections. Requests in flight fail; the next request opens a new connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def client_session(self) -> aiohttp.ClientSession:
        """Return aiohttp's session. It is created on the first call, on the event loop that uses it."""
        if self._session is None:
            context = ssl.create_default_context(cafile=str(self._credentials / "ca.crt"))
            connector = aiohttp.TCPConnector(ssl=context, limit=4, socket_factory=create_nonblocking_socket)
            self._session = aiohttp.ClientSession(connector=connector, middlewares=[refuse_redirects])
        return self._session

    def authorization_header(self) -> dict[str, str]:
        """Return the header with the pod's token. The file is read each time, because bound tokens rotate."""
        token = (self._credentials / "token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    @asynccontextmanager
    async def get(
        self, url: str, params: Mapping[str, str], timeout: aiohttp.ClientTimeout, accept: str = "application/json"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a GET request, and yield the response, whatever its status."""
        headers = self.authorization_header() | {"Accept": accept}
        async with self.client_session().get(url, params=params, headers=headers, timeout=timeout) as response:
            yield response

    @asynccontextmanager
    async def websocket(
        self, url: str, params: Mapping[str, str], *, ping_seconds: float, timeout: float
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse[Literal[False]]]:
        """Open a WebSocket within `timeout` seconds, and yield it.

        After `ping_seconds` without data it sends a ping. Without an answer in half of that, it closes with an error.

        Raises:
            aiohttp.WSServerHandshakeError: the server answers with another response.
            TimeoutError: the server does not answer.
        """
        async with asyncio.timeout(timeout):
            socket = await self.client_session().ws_connect(
                url,
                params=params,
                headers=self.authorization_header() | {"Accept": "application/json"},
                origin=self.url,  # the API server refuses a WebSocket without an origin
                heartbeat=ping_seconds,
                max_msg_size=0,  # an object can have 1.5 MB, and its JSON can be longer
                decode_text=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=0.0),  # wait for no answer to the close
            )
        try:
            yield socket
        finally:
            await socket.close()


async def read_json_object(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return the JSON object in a response."""
    return decode_kubernetes_json(await response.read(), dict[str, Any])


async def stream_json_lines(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON object of each line as it arrives, however long the line is."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield decode_kubernetes_json(line, dict[str, Any])


async def stream_json_messages(
    socket: aiohttp.ClientWebSocketResponse[Literal[False]],
) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON object of each message until the server closes the WebSocket.

    Raises:
        ConnectionError: the connection is lost, or a ping is not answered.
    """
    while (message := await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            is_silent = isinstance(socket.exception(), aiohttp.ServerTimeoutError)
            raise ConnectionError("the server did not answer a ping" if is_silent else "the connection was lost")
        yield decode_kubernetes_json(message.data, dict[str, Any])


def kubernetes_error_message(body: bytes) -> str:
    """Return the message of a Kubernetes Status. If the body is not a Status, return its beginning."""
    try:
        return str(decode_json(body, dict[str, Any])["message"])[:300]
    except (msgspec.MsgspecError, KeyError):
        return body[:300].decode(errors="replace")
