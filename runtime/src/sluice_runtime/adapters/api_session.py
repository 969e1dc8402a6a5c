"""Authenticated requests to the API server, with the pod's own ServiceAccount."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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


def kubernetes_error_message(body: bytes) -> str:
    """Return the message of a Kubernetes Status. If the body is not a Status, return its beginning."""
    try:
        return str(decode_json(body, dict[str, Any])["message"])[:300]
    except (msgspec.MsgspecError, KeyError):
        return body[:300].decode(errors="replace")
