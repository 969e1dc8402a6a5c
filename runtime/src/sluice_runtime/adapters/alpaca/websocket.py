"""The websocket transport below Alpaca's protocol. Closing it never takes more than 2 s."""

from __future__ import annotations

import asyncio
import logging
import os
import socket as sockets
import ssl
import struct
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar, cast

import aiohttp
import msgspec

from ...domain.clock_skew import ClockReading, date_header_reading
from ...domain.failure import StreamError
from ..error_text import redact_url
from ..user_text import UserTextError, read_certificates
from .errors import unreachable_error, untrusted_certificate_error, upgrade_refused_error
from .messages import Message, decode_frame, decode_frame_in_parts

_log = logging.getLogger(__name__)

_MAX_FRAME = 8 << 20
# A frame of at least this size is decoded in parts, and other tasks run in between.
_LARGE_FRAME = 64 << 10
# Waking up costs fifty times as much as handling one quote. Therefore a connection with few quotes pauses reading in
# between, for no longer than the shortest flush interval, and then reads what has arrived in one batch.
_REST_SECONDS = 0.02
_RESET = struct.pack("ii", 1, 0)
# Looked up once, because accessing an Enum member is a function call in Python 3.11, and each frame needs it.
_BINARY = aiohttp.WSMsgType.BINARY
_ENDS = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR)

_encode = msgspec.msgpack.Encoder().encode

T = TypeVar("T")


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """The timeouts of a connection's phases, in seconds. A peer that is silent for 1.5 times `ping` counts as dead.

    Closing a dead connection may take 2 s in total; `close` leaves half a second of that for everything else.
    """

    upgrade: float = 10.0
    welcome: float = 5.0
    auth: float = 10.0
    ack: float = 5.0
    close: float = 1.5
    ping: float = 10.0


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The URL of the server and its TLS context. If `tls` is None, the system's certificates are trusted."""

    url: str
    tls: ssl.SSLContext | None
    timeouts: Timeouts

    @property
    def redacted_url(self) -> str:
        """The URL without credentials, for messages."""
        return redact_url(self.url)


class Transport(Protocol):
    """One websocket, whatever library implements it. Reading raises StreamError once the websocket has closed."""

    clock_reading: ClockReading | None  # from the response to the upgrade request; None if it has no date

    async def send(self, message: dict[str, object]) -> None:
        """Send one message. Does nothing if the websocket has closed."""

    async def receive_messages(self) -> Sequence[Message]:
        """Wait for the next frame, and return its valid messages."""

    async def read_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> None:
        """Call `on_messages` with the messages of each frame until the websocket closes. Never returns."""

    def pause_reading_briefly(self) -> None:
        """Pause reading for a moment, so that the next data is read in one batch. Does nothing while closing."""

    async def close(self) -> None:
        """Close the websocket within `Timeouts.close`: with a handshake if the peer answers, otherwise without."""


@cache
def system_tls_context() -> ssl.SSLContext:
    """Return a TLS context that trusts the system's certificates, including all of those in SSL_CERT_FILE.

    OpenSSL alone, and aiohttp's default context with it, would skip a certificate after a byte order mark.
    """
    context = ssl.create_default_context()
    if file := os.environ.get("SSL_CERT_FILE"):
        try:
            context.load_verify_locations(cadata=read_certificates(Path(file)))
        except (OSError, UserTextError) as error:  # SSLError is an OSError
            _log.warning("SSL_CERT_FILE: %s cannot be read: %s", file, error, extra={"event_type": "stream"})
    return context


class _WebSocketWithTransport(aiohttp.ClientWebSocketResponse):
    """aiohttp's websocket, with access to the asyncio transport below it."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        connection = self._response.connection
        self.response_headers = self._response.headers
        self.transport: asyncio.ReadTransport | None = connection.transport if connection is not None else None


class NativeTransport:
    """The transport of engine `native`, which uses aiohttp and msgspec."""

    def __init__(self, session: aiohttp.ClientSession, socket: _WebSocketWithTransport, timeouts: Timeouts) -> None:
        self._session = session
        self._socket = socket
        self._timeouts = timeouts
        self.clock_reading: ClockReading | None = None
        self._raw = socket.get_extra_info("socket")  # aiohttp no longer returns it once it is closed
        self._reading: asyncio.Future[Any] | None = None
        self._is_closing = False
        self._later = asyncio.get_running_loop().call_later

    @classmethod
    async def open(cls, endpoint: Endpoint) -> NativeTransport:
        """Open the websocket.

        Raises:
            StreamError: the connection cannot be opened.
        """
        session = aiohttp.ClientSession(ws_response_class=_WebSocketWithTransport)
        clock = asyncio.get_running_loop().time
        try:
            sent_at = clock()
            opened = cls(session, await _open_websocket(session, endpoint), endpoint.timeouts)
            headers = opened._socket.response_headers
            opened.clock_reading = date_header_reading(
                headers.get("Date", ""), headers.get("Age", ""), sent_at, clock()
            )
            return opened
        except BaseException:
            await session.close()
            raise

    async def send(self, message: dict[str, object]) -> None:
        with suppress(aiohttp.ClientError, OSError):  # the reader raises the reason
            await self._socket.send_bytes(_encode(message))

    async def receive_messages(self) -> Sequence[Message]:
        frame = await self._shield_from_cancellation(self._socket.receive())
        if frame.type in _ENDS:
            raise self._close_error()
        return decode_frame(frame.data) if frame.type is _BINARY else ()

    async def read_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> None:
        await self._shield_from_cancellation(self._receive_frames_until_closed(on_messages))

    async def _shield_from_cancellation(self, reading: Coroutine[Any, Any, T]) -> T:
        """Continue to read if the caller is cancelled: after a cancelled read, aiohttp closes without a handshake."""
        self._reading = asyncio.ensure_future(reading)
        return await asyncio.shield(self._reading)

    async def _receive_frames_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> NoReturn:
        receive = self._socket.receive
        while True:
            kind, data, _ = await receive()
            if kind is _BINARY:
                if len(data) < _LARGE_FRAME:
                    on_messages(decode_frame(data))
                else:
                    for messages in decode_frame_in_parts(data):
                        on_messages(messages)
                        await asyncio.sleep(0)
            elif kind in _ENDS:
                raise self._close_error()

    def pause_reading_briefly(self) -> None:
        transport = self._socket.transport
        if transport is not None and not self._is_closing and not transport.is_closing():
            transport.pause_reading()
            self._later(_REST_SECONDS, self._resume_reading)

    def _resume_reading(self) -> None:
        if self._socket.transport is not None:
            self._socket.transport.resume_reading()

    async def close(self) -> None:
        """Close within `Timeouts.close`. aiohttp's own timeout does not limit this: it restarts with each frame."""
        self._is_closing = True
        self._resume_reading()
        try:
            async with asyncio.timeout(self._timeouts.close):
                await self._socket.close()
                if self._reading is not None:  # aiohttp may have left the close handshake to the reader
                    await asyncio.wait([self._reading])
        except (TimeoutError, aiohttp.ClientError, OSError):
            pass
        finally:
            reset_connection(self._raw)
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.gather(self._reading, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._session.close()

    def _close_error(self) -> StreamError:
        if isinstance(self._socket.exception(), TimeoutError):
            return StreamError("stall", "Alpaca no longer answers pings; reconnecting")
        code = self._socket.close_code
        return StreamError("upstreamClosed", f"Alpaca closed the connection (code {code}); reconnecting")


def reset_connection(raw: sockets.socket | None) -> None:
    """Reset a TCP connection immediately. Otherwise, unsent data to a peer that does not read would keep it open."""
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
            raw.shutdown(sockets.SHUT_RDWR)


async def _open_websocket(session: aiohttp.ClientSession, endpoint: Endpoint) -> _WebSocketWithTransport:
    timeouts = endpoint.timeouts
    try:
        async with asyncio.timeout(timeouts.upgrade):
            socket = await session.ws_connect(
                endpoint.url,
                headers={"Content-Type": "application/msgpack"},
                heartbeat=timeouts.ping,
                max_msg_size=_MAX_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=2 * timeouts.close),
                ssl=endpoint.tls or (system_tls_context() if endpoint.url.startswith("wss:") else True),
            )
            return cast("_WebSocketWithTransport", socket)
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
