"""Opening a websocket with aiohttp, and the errors of an upgrade that fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import aiohttp

from ...domain.failure import StreamError
from .errors import unreachable_error, untrusted_certificate_error, upgrade_refused_error

if TYPE_CHECKING:
    from .websocket import Endpoint

MAX_FRAME_BYTES = 8 << 20


class WebSocketWithTransport(aiohttp.ClientWebSocketResponse):
    """aiohttp's websocket, with access to the asyncio transport below it."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        connection = self._response.connection
        self.transport: asyncio.ReadTransport | None = connection.transport if connection is not None else None


async def open_websocket(session: aiohttp.ClientSession, endpoint: Endpoint) -> WebSocketWithTransport:
    """Open the websocket. The session's response class must be WebSocketWithTransport.

    Raises:
        StreamError: the connection cannot be opened.
    """
    timeouts = endpoint.timeouts
    try:
        async with asyncio.timeout(timeouts.upgrade):
            socket = await session.ws_connect(
                endpoint.url,
                headers={"Content-Type": "application/msgpack"},
                heartbeat=timeouts.ping,
                max_msg_size=MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=2 * timeouts.close),
                ssl=endpoint.tls_context if endpoint.url.startswith("wss:") else True,
            )
            return cast("WebSocketWithTransport", socket)
    except aiohttp.WSServerHandshakeError as error:
        after = error.headers.get("Retry-After", "") if error.headers else ""
        raise upgrade_refused_error(error.status, after, endpoint.redacted_url) from None
    except TimeoutError:
        raise StreamError(
            "network", f"{endpoint.redacted_url} did not answer within {timeouts.upgrade:.0f} s"
        ) from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise untrusted_certificate_error(endpoint.redacted_url, error.certificate_error) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host name
        raise unreachable_error(endpoint.redacted_url, error) from None
