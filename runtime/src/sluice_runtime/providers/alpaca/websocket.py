"""The websocket transport below Alpaca's protocol. Closing it never takes more than 2 s."""

from __future__ import annotations

import asyncio
import logging
import os
import socket as sockets
import ssl
import struct
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

import aiohttp
import msgspec

from sluice_contract.proxies import Proxy

from ...adapters.error_text import redact_url
from ...adapters.http_proxies import via_proxy
from ...adapters.user_text import UserTextError, read_certificates
from ...domain.clock_skew import ClockReading, date_header_reading
from ...domain.failure import StreamError
from .messages import Message, decode_frame, decode_frame_in_parts
from .reading_pause import ReadingPause
from .upgrade import WebSocketWithTransport, create_session, open_websocket

_log = logging.getLogger(__name__)

# A frame of at least this size is decoded in parts, and other tasks run in between.
_LARGE_FRAME = 64 << 10
_RESET = struct.pack("ii", 1, 0)
# Looked up once, because accessing an Enum member is a function call in Python 3.11, and each frame needs it.
_BINARY = aiohttp.WSMsgType.BINARY
_TEXT = aiohttp.WSMsgType.TEXT
_ENDS = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR)

_encode_binary = msgspec.msgpack.Encoder().encode
_encode_text = msgspec.json.Encoder().encode


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
    """The URL of the server, its TLS context and its proxy.

    If `tls` is None, the system's certificates are trusted. If `proxy` is None, the connection is direct.
    """

    url: str
    tls: ssl.SSLContext | None
    timeouts: Timeouts
    proxy: Proxy | None = None

    @property
    def redacted_url(self) -> str:
        """The URL without credentials, for messages."""
        return redact_url(self.url)

    @property
    def via_proxy(self) -> str:
        """Words that name the proxy of the connection, for messages; empty without a proxy."""
        return via_proxy(self.proxy)

    @property
    def tls_context(self) -> ssl.SSLContext:
        """The TLS context of the server and of an https:// proxy."""
        return self.tls or system_tls_context()

    @property
    def aiohttp_tls(self) -> ssl.SSLContext | bool:
        """The same for aiohttp's argument `ssl`."""
        return aiohttp_tls(self.tls)


class Frame(NamedTuple):
    """A received frame: its valid messages, and its content."""

    messages: Sequence[Message]
    content: bytes | str


class Transport(Protocol):
    """One websocket, whatever library implements it. Reading raises StreamError once the websocket has closed."""

    clock_reading: ClockReading | None  # from the response to the upgrade request; None if it has no date

    async def send(self, message: dict[str, object]) -> None:
        """Send one message, in the encoding of the last frame that `receive_frame` returned.

        Does nothing if the websocket has closed.
        """

    async def receive_frame(self) -> Frame:
        """Wait for the next frame."""

    async def read_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> None:
        """Call `on_messages` with the messages of each frame until the websocket closes. Never returns."""

    def pause_reading_briefly(self) -> None:
        """Pause reading for a moment, so that the next data is read in one batch. Does nothing while closing."""

    def without_pauses(self) -> AbstractContextManager[None]:
        """Return a context in which reading does not pause. A pause that is requested meanwhile begins at its end."""

    def send_close_frame(self) -> None:
        """Send the close frame without waiting. Does nothing if the websocket is closing or has closed."""

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


def aiohttp_tls(tls: ssl.SSLContext | None) -> ssl.SSLContext | bool:
    """Return aiohttp's argument `ssl` for the TLS context `tls`; for None, one that trusts the system's certificates.

    Without SSL_CERT_FILE, aiohttp's own context trusts the same certificates. A second context would take 0.8 MiB.
    """
    if tls is not None:
        return tls
    return system_tls_context() if os.environ.get("SSL_CERT_FILE") else True


class NativeTransport:
    """The transport of engine `native`, which uses aiohttp and msgspec."""

    def __init__(self, session: aiohttp.ClientSession, socket: WebSocketWithTransport, timeouts: Timeouts) -> None:
        self._session = session
        self._socket = socket
        self._timeouts = timeouts
        self.clock_reading: ClockReading | None = None
        self._raw = socket.get_extra_info("socket")  # aiohttp no longer returns it once it is closed
        self._reading: asyncio.Future[Any] | None = None
        self._reading_pause = ReadingPause(socket.transport)
        self._peer_sends_text = False

    @classmethod
    async def open(cls, endpoint: Endpoint) -> NativeTransport:
        """Open the websocket.

        Raises:
            StreamError: the connection cannot be opened.
        """
        session = create_session(endpoint)
        clock = asyncio.get_running_loop().time
        try:
            sent_at = clock()
            opened = cls(session, await open_websocket(session, endpoint), endpoint.timeouts)
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
            if self._peer_sends_text:
                await self._socket.send_str(_encode_text(message).decode())
            else:
                await self._socket.send_bytes(_encode_binary(message))

    async def receive_frame(self) -> Frame:
        frame = await self._shield_from_cancellation(self._socket.receive())
        if frame.type in _ENDS:
            raise self._close_error()
        if frame.type is not _BINARY and frame.type is not _TEXT:
            return Frame((), b"")
        self._socket.frames.mark_frame_handled()
        self._peer_sends_text = frame.type is _TEXT
        return Frame(decode_frame(frame.data), frame.data)

    async def read_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> None:
        await self._shield_from_cancellation(self._receive_frames_until_closed(on_messages))

    async def _shield_from_cancellation(self, reading: Coroutine[Any, Any, T]) -> T:
        """Continue to read if the caller is cancelled: after a cancelled read, aiohttp closes without a handshake."""
        self._reading = asyncio.ensure_future(reading)
        return await asyncio.shield(self._reading)

    async def _receive_frames_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> NoReturn:
        receive, frames = self._socket.receive, self._socket.frames
        if self._peer_sends_text:
            frames.forward_all_frames()
        else:
            frames.decode_frames_for(on_messages)
        try:
            while True:
                kind, data, _ = await receive()  # only what `frames` does not decode
                if frames.failure is not None:
                    raise frames.failure
                if kind is _BINARY or kind is _TEXT:
                    await _handle_frame(data, on_messages)
                    frames.mark_frame_handled()
                elif kind in _ENDS:
                    raise self._close_error()
        finally:
            frames.discard_frames()

    def pause_reading_briefly(self) -> None:
        self._reading_pause.begin()

    def without_pauses(self) -> AbstractContextManager[None]:
        return self._reading_pause.suspended()

    def send_close_frame(self) -> None:
        self._reading_pause.end_for_good()
        self._socket.send_close_frame()

    async def close(self) -> None:
        """Close within `Timeouts.close`. aiohttp's own timeout does not limit this: it restarts with each frame."""
        self._socket.frames.discard_frames()
        self._reading_pause.end_for_good()
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


async def _handle_frame(content: bytes | str, on_messages: Callable[[Sequence[Message]], None]) -> None:
    if len(content) < _LARGE_FRAME:
        on_messages(decode_frame(content))
        return
    for messages in decode_frame_in_parts(content):
        on_messages(messages)
        await asyncio.sleep(0)


def reset_connection(raw: sockets.socket | None) -> None:
    """Reset a TCP connection immediately. Otherwise, unsent data to a peer that does not read would keep it open."""
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
            raw.shutdown(sockets.SHUT_RDWR)
