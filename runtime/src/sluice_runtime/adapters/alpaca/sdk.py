"""Engine `sdk`: alpaca-py's stream under the runtime's own supervision. Imported only if a job uses it.

alpaca-py connects, decodes and dispatches. It does not limit its waits, distinguish errors by their code, close when
it is cancelled, or skip a malformed message in a batch. Therefore its endless loop, its reconnecting and its `stop` are
never run. The overridden names are private: a test fails when a new version changes one.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, get_args

import msgpack
import msgspec

from ...domain.clock_skew import ClockReading, date_header_reading
from ...domain.failure import StreamError
from .errors import unreachable_error, untrusted_certificate_error, upgrade_refused_error
from .messages import Message
from .websocket import Endpoint, reset_connection

with warnings.catch_warnings():
    # alpaca-py uses websockets.legacy, which warns of its deprecation at each import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.utils import get_default_user_agent
    from alpaca.data.live import CryptoDataStream, StockDataStream
    from websockets import exceptions
    from websockets.legacy import client as legacy
    from websockets.legacy.exceptions import InvalidStatusCode

# Below this level, websockets logs the last bytes of each frame; in the login, they are a part of the secret key.
logging.getLogger("websockets").setLevel(logging.WARNING)

_MAX_FRAME = 8 << 20
_MAX_QUEUE = 64
_CONTROL = frozenset({"success", "subscription", "error"})
_KINDS: dict[str, type[Message]] = {kind.__struct_config__.tag: kind for kind in get_args(Message)}
_CHANNELS = ("quotes", "trades", "bars", "statuses")
_FAULTS = (msgspec.MsgspecError, ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError)


class _BatchingStreamMixin:
    """A mixin for alpaca-py's streams: collects all messages of a frame, also errors, in place of calling handlers."""

    _ws: Any
    _endpoint: str
    _handlers: dict[str, dict[str, Any]]
    _websocket_params: dict[str, Any]
    batch: list[Message]

    def configure(self, endpoint: Endpoint) -> None:
        """Collect the messages of all symbols and channels, and replace alpaca-py's settings of the websocket."""
        timeouts = endpoint.timeouts
        self.batch = []
        for channel in _CHANNELS:
            self._handlers[channel]["*"] = self._add_to_batch
        # These replace all of alpaca-py's settings, so none may be missing. A close takes up to four of its timeouts.
        self._websocket_params = {
            "open_timeout": None,
            "ping_interval": timeouts.ping,
            "ping_timeout": timeouts.ping / 2,
            "close_timeout": timeouts.close / 4,
            "max_queue": _MAX_QUEUE,
            "max_size": _MAX_FRAME,
        }
        if endpoint.tls is not None:
            self._websocket_params["ssl"] = endpoint.tls

    async def _connect(self) -> None:
        """Connect like alpaca-py, but without its wait for the welcome, which has no limit and loses error codes."""
        headers = {"Content-Type": "application/msgpack", "User-Agent": get_default_user_agent()}
        self._ws = await legacy.connect(self._endpoint, extra_headers=headers, **self._websocket_params)

    async def receive_batch(self) -> Sequence[Message]:
        """Return the messages of the next frame, decoded and dispatched by alpaca-py. Malformed ones are left out."""
        data = await self._ws.recv()
        self.batch = []
        if isinstance(data, bytes):
            with suppress(*_FAULTS, msgpack.UnpackException):
                for message in msgpack.unpackb(data):
                    with suppress(*_FAULTS):
                        await self._dispatch(message)
        return self.batch

    async def _dispatch(self, msg: dict[str, Any]) -> None:
        if msg.get("T") in _CONTROL:
            await self._add_to_batch(msg)
        else:
            await super()._dispatch(msg)  # type: ignore[misc]  # alpaca-py's method, from the other base class

    async def _add_to_batch(self, msg: dict[str, Any]) -> None:
        known = {**msg, "t": msg["t"].to_datetime()} if "t" in msg else msg
        # With the concrete type, msgspec takes a tenth of the time: for a union it checks all types each time.
        self.batch.append(msgspec.convert(known, _KINDS[msg["T"]]))


class _StockStream(_BatchingStreamMixin, StockDataStream):
    pass


class _CryptoStream(_BatchingStreamMixin, CryptoDataStream):
    pass


class SDKTransport:
    """The transport of engine `sdk`, which uses alpaca-py."""

    def __init__(self, stream: _StockStream | _CryptoStream, close_seconds: float) -> None:
        self._stream = stream
        self._socket: Any = stream._ws
        self._close_seconds = close_seconds
        self.clock_reading: ClockReading | None = None

    @classmethod
    async def open(cls, endpoint: Endpoint) -> SDKTransport:
        """Open the websocket. The welcome message is not read here.

        Raises:
            StreamError: the connection cannot be opened.
        """
        kind = _CryptoStream if "crypto" in endpoint.url else _StockStream
        # alpaca-py gets no key: the runtime sends the login itself, so that a refusal keeps its code.
        stream = kind("", "", raw_data=True, url_override=endpoint.url)
        stream.configure(endpoint)
        clock = asyncio.get_running_loop().time
        sent_at = clock()
        await _connect(stream, endpoint)
        opened = cls(stream, endpoint.timeouts.close)
        headers = opened._socket.response_headers
        opened.clock_reading = date_header_reading(headers.get("Date", ""), headers.get("Age", ""), sent_at, clock())
        return opened

    async def send(self, message: dict[str, object]) -> None:
        with suppress(exceptions.WebSocketException, OSError):
            await self._socket.send(msgpack.packb(message))

    async def receive_messages(self) -> Sequence[Message]:
        try:
            return await self._stream.receive_batch()
        except exceptions.ConnectionClosed as closed:
            raise _close_error(closed) from None

    async def read_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> None:
        while True:
            on_messages(await self.receive_messages())

    def pause_reading_briefly(self) -> None:
        """Do nothing: alpaca-py controls when this transport reads."""

    async def close(self) -> None:
        try:
            async with asyncio.timeout(self._close_seconds):
                await self._stream.close()
        except (TimeoutError, exceptions.WebSocketException, OSError):
            pass
        finally:
            reset_connection(self._socket.transport.get_extra_info("socket"))
            self._socket.transport.abort()


async def _connect(stream: Any, endpoint: Endpoint) -> None:
    try:
        async with asyncio.timeout(endpoint.timeouts.upgrade):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                await stream._connect()
    except InvalidStatusCode as error:
        raise upgrade_refused_error(
            error.status_code, error.headers.get("Retry-After", ""), endpoint.redacted_url
        ) from None
    except TimeoutError:
        seconds = endpoint.timeouts.upgrade
        raise StreamError("network", f"{endpoint.redacted_url} did not answer within {seconds:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        raise untrusted_certificate_error(endpoint.redacted_url, error) from None
    except (exceptions.WebSocketException, OSError, ValueError) as error:
        why = ValueError(error) if isinstance(error, exceptions.InvalidURI) else error
        raise unreachable_error(endpoint.redacted_url, why) from None


def _close_error(closed: exceptions.ConnectionClosed) -> StreamError:
    if closed.rcvd is None and closed.sent is not None and "keepalive" in closed.sent.reason:
        return StreamError("stall", "Alpaca no longer answers pings; reconnecting")
    code = closed.rcvd.code if closed.rcvd else closed.sent.code if closed.sent else 1006
    return StreamError("upstreamClosed", f"Alpaca closed the connection (code {code}); reconnecting")
