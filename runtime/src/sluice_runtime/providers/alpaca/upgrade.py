"""Opening a websocket with aiohttp, also through a proxy, and the errors of an upgrade that fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import aiohttp

from ...adapters.http_proxies import (
    aiohttp_proxy_error_text,
    aiohttp_tunnel_arguments,
    websocket_session_arguments,
)
from ...domain.failure import StreamError
from .errors import unreachable_error, untrusted_certificate_error, upgrade_refused_error
from .foreign_content import describe_content
from .frame_protocol import FrameProtocol

if TYPE_CHECKING:
    from .websocket import Endpoint

MAX_FRAME_BYTES = 8 << 20

# Of the body of a response that refuses an upgrade.
_READ_BYTES = 2048
_READ_SECONDS = 1.0
_SWITCHING_PROTOCOLS = 101


class _SilentWriter:
    """aiohttp's writer after the close frame, after which a websocket sends nothing more."""

    async def close(self, *_: object, **__: object) -> None:
        """Send no second close frame."""

    async def send_frame(self, *_: object, **__: object) -> None:
        """Send no other frame, such as the answer to a ping."""


class WebSocketWithTransport(aiohttp.ClientWebSocketResponse):
    """aiohttp's websocket, with access to the asyncio transport below it and to the headers of its response.

    Its `frames`, between both, decode most data. It can send the close frame without waiting: aiohttp's `close` first
    waits for the task that reads (docs/adr/0040).
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        connection = self._response.connection
        if connection is None:
            raise aiohttp.ClientConnectionError("The connection was closed during the upgrade")
        self.response_headers = self._response.headers
        self.transport: asyncio.ReadTransport | None = connection.transport
        self.frames = FrameProtocol(connection)

    def send_close_frame(self) -> None:
        """Send the close frame now. `close` then only waits for the answer."""
        if self.closed or isinstance(self._writer, _SilentWriter):
            return
        sending = self._writer.close(aiohttp.WSCloseCode.OK)
        with suppress(StopIteration, aiohttp.ClientError, OSError):
            sending.send(None)  # aiohttp writes the frame before it waits for anything
        sending.close()
        self._writer = cast("Any", _SilentWriter())


def create_session(endpoint: Endpoint) -> aiohttp.ClientSession:
    """Return a session for one websocket to the endpoint."""
    return aiohttp.ClientSession(
        ws_response_class=WebSocketWithTransport,
        middlewares=[_raise_if_not_upgraded],
        **websocket_session_arguments(endpoint.url, endpoint.proxy),
    )


class _NotUpgradedError(Exception):
    """The server answered the upgrade request with another response. `content` describes its body."""

    def __init__(self, response: aiohttp.ClientResponse, content: str) -> None:
        super().__init__()
        self.status = response.status
        self.headers = response.headers
        self.content = content


async def _raise_if_not_upgraded(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A middleware that raises _NotUpgradedError with the kind of the body, which aiohttp's own error leaves out.

    It also raises it for a redirect, which aiohttp would follow.
    """
    response = await handler(request)
    if response.status == _SWITCHING_PROTOCOLS:
        return response
    body = b""
    with suppress(TimeoutError, aiohttp.ClientError, OSError, ValueError):
        async with asyncio.timeout(_READ_SECONDS):
            body = await response.content.read(_READ_BYTES)
    response.close()
    raise _NotUpgradedError(response, describe_content(body) if body else "")


async def open_websocket(session: aiohttp.ClientSession, endpoint: Endpoint) -> WebSocketWithTransport:
    """Open the websocket with a session of `create_session`.

    Raises:
        StreamError: the connection cannot be opened.
    """
    timeouts = endpoint.timeouts
    is_encrypted = endpoint.url.startswith("wss:") or (endpoint.proxy is not None and endpoint.proxy.scheme == "https")
    try:
        async with asyncio.timeout(timeouts.upgrade):
            socket = await session.ws_connect(
                endpoint.url,
                headers={"Content-Type": "application/msgpack"},
                heartbeat=timeouts.ping,
                max_msg_size=MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=2 * timeouts.close),
                ssl=endpoint.aiohttp_tls if is_encrypted else True,
                **aiohttp_tunnel_arguments(endpoint.proxy),
            )
            return cast("WebSocketWithTransport", socket)
    except _NotUpgradedError as error:
        raise upgrade_refused_error(error.status, error.headers, endpoint.redacted_url, error.content) from None
    except aiohttp.WSServerHandshakeError as error:
        raise upgrade_refused_error(error.status, error.headers or {}, endpoint.redacted_url) from None
    except TimeoutError:
        raise timeout_error(endpoint) from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise untrusted_certificate_error(_certificate_owner(endpoint, error), error.certificate_error) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host name
        if (said := aiohttp_proxy_error_text(endpoint.proxy, error)) is not None:
            raise StreamError("network", f"{endpoint.redacted_url} cannot be reached: {said}") from None
        raise unreachable_error(endpoint.redacted_url, error, endpoint.via_proxy) from None


def timeout_error(endpoint: Endpoint) -> StreamError:
    """Return the StreamError for a server, or a proxy in front of it, that does not answer the upgrade request."""
    seconds = endpoint.timeouts.upgrade
    return StreamError("network", f"{endpoint.redacted_url} did not answer within {seconds:.0f} s{endpoint.via_proxy}")


def _certificate_owner(endpoint: Endpoint, error: aiohttp.ClientConnectorCertificateError) -> str:
    """Return the server, or the proxy, whose certificate is not trusted."""
    proxy = endpoint.proxy
    if proxy is not None and (error.host, error.port) == (proxy.host, proxy.port):
        return f"the proxy {proxy.address} ({proxy.variable})"
    return endpoint.redacted_url
