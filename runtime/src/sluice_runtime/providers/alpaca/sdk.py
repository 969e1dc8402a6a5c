"""Engine `sdk`: alpaca-py's stream under the runtime's own supervision. Imported only if a job uses it.

alpaca-py decodes and dispatches. It does not limit its waits, distinguish errors by their code, close when
it is cancelled, or skip a malformed message in a batch. Therefore its endless loop, its reconnecting and its `stop` are
never run. The overridden names are private: a test fails when a new version changes one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, get_args

import msgpack
import msgspec

from sluice_contract.proxies import Proxy

from ...adapters.http_proxies import proxy_refusal_text, proxy_unreachable_text
from ...domain.clock_skew import ClockReading, date_header_reading
from ...domain.failure import StreamError
from .errors import unreachable_error, untrusted_certificate_error, upgrade_refused_error
from .foreign_content import describe_content
from .messages import Message
from .upgrade import MAX_FRAME_BYTES, timeout_error
from .websocket import Endpoint, Frame, reset_connection

with warnings.catch_warnings():
    # alpaca-py imports websockets.legacy, which warns of its deprecation at each import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.utils import get_default_user_agent
    from alpaca.data.live import CryptoDataStream, StockDataStream
from websockets import exceptions
from websockets.asyncio import client
from websockets.frames import CloseCode

# Below this level, websockets logs the last bytes of each frame; in the login, they are a part of the secret key.
logging.getLogger("websockets").setLevel(logging.WARNING)

_MAX_QUEUE = 64
_CONTROL = frozenset({"success", "subscription", "error"})
_KINDS: dict[str, type[Message]] = {kind.__struct_config__.tag: kind for kind in get_args(Message)}
# alpaca-py subscribes to corrections and cancellations together with trades. Its crypto stream has the same handlers.
_CHANNELS = ("quotes", "trades", "corrections", "cancelErrors", "bars", "statuses")
_FAULTS = (msgspec.MsgspecError, ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError)


class _Connect(client.connect):
    """A connection that follows no redirect, and reports it by its HTTP status as any other refusal."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


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
        # These replace all of alpaca-py's settings, so none may be missing.
        self._websocket_params = {
            "open_timeout": None,
            "ping_interval": timeouts.ping,
            "ping_timeout": timeouts.ping / 2,
            "close_timeout": timeouts.close / 2,
            "max_queue": _MAX_QUEUE,
            "max_size": MAX_FRAME_BYTES,
            "proxy": None,  # otherwise websockets reads the environment in its own way
        }
        if endpoint.url.startswith("wss:"):
            self._websocket_params["ssl"] = endpoint.tls_context
        if endpoint.proxy is not None:
            self._websocket_params["proxy"] = endpoint.proxy.url_with_credentials
            if endpoint.proxy.scheme == "https":
                self._websocket_params["proxy_ssl"] = endpoint.tls_context

    async def _connect(self) -> None:
        """Connect in place of alpaca-py, which uses the deprecated client of websockets, without proxies.

        alpaca-py would also wait for the welcome, without a limit, and lose its error code.
        """
        self._ws = await _Connect(
            self._endpoint,
            additional_headers={"Content-Type": "application/msgpack"},
            user_agent_header=get_default_user_agent(),
            **self._websocket_params,
        )

    async def receive_frame(self) -> Frame:
        """Return the next frame. alpaca-py dispatches its messages, and malformed ones are left out."""
        data = await self._ws.recv()
        self.batch = []
        with suppress(*_FAULTS, msgpack.UnpackException):
            for message in json.loads(data) if isinstance(data, str) else msgpack.unpackb(data):
                with suppress(*_FAULTS):
                    await self._dispatch(message)
        return Frame(self.batch, data)

    async def _dispatch(self, msg: dict[str, Any]) -> None:
        if msg.get("T") in _CONTROL:
            await self._add_to_batch(msg)
        else:
            await super()._dispatch(msg)  # type: ignore[misc]  # alpaca-py's method, from the other base class

    async def _add_to_batch(self, msg: dict[str, Any]) -> None:
        # The time is text in JSON, which msgspec converts, and an extension type in MessagePack.
        known = {**msg, "t": msg["t"].to_datetime()} if isinstance(msg.get("t"), msgpack.Timestamp) else msg
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
        self._peer_sends_text = False
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
        headers = opened._socket.response.headers
        opened.clock_reading = date_header_reading(headers.get("Date", ""), headers.get("Age", ""), sent_at, clock())
        return opened

    async def send(self, message: dict[str, object]) -> None:
        with suppress(exceptions.WebSocketException, OSError):
            await self._socket.send(json.dumps(message) if self._peer_sends_text else msgpack.packb(message))

    async def receive_frame(self) -> Frame:
        frame = await self._receive_frame()
        self._peer_sends_text = isinstance(frame.content, str)
        return frame

    async def _receive_frame(self) -> Frame:
        try:
            return await self._stream.receive_frame()
        except exceptions.ConnectionClosed as closed:
            raise _close_error(closed) from None

    async def read_until_closed(self, on_messages: Callable[[Sequence[Message]], None]) -> None:
        while True:
            on_messages((await self._receive_frame()).messages)

    def pause_reading_briefly(self) -> None:
        """Do nothing: alpaca-py controls when this transport reads."""

    def without_pauses(self) -> AbstractContextManager[None]:
        """Return a context that does nothing, likewise."""
        return nullcontext()

    def send_close_frame(self) -> None:
        with suppress(exceptions.WebSocketException, OSError):
            self._socket.protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._socket.send_data()

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
    url = endpoint.redacted_url
    try:
        async with asyncio.timeout(endpoint.timeouts.upgrade):
            await stream._connect()
    except exceptions.InvalidStatus as error:
        answer = error.response
        content = describe_content(bytes(answer.body)) if answer.body else ""
        raise upgrade_refused_error(answer.status_code, dict(answer.headers.raw_items()), url, content) from None
    except TimeoutError:
        raise timeout_error(endpoint) from None
    except ssl.SSLCertVerificationError as error:
        raise untrusted_certificate_error(f"{url}{endpoint.via_proxy}", error) from None
    except (exceptions.WebSocketException, OSError, ValueError, EOFError) as error:
        if endpoint.proxy is not None and (said := _proxy_error_text(endpoint.proxy, error)) is not None:
            raise StreamError("network", f"{url} cannot be reached: {said}") from None
        why = ValueError(error) if isinstance(error, exceptions.InvalidURI) else error
        raise unreachable_error(url, why, endpoint.via_proxy) from None


def _proxy_error_text(proxy: Proxy, error: Exception) -> str | None:
    """Return a clause about an error of the proxy; None for another error. The error's own text may have a password."""
    if isinstance(error, exceptions.InvalidProxyStatus):
        return proxy_refusal_text(proxy, error.response.status_code)
    if isinstance(error, exceptions.ProxyError):
        return proxy_unreachable_text(proxy, "it did not answer as an HTTP proxy")
    return None


def _close_error(closed: exceptions.ConnectionClosed) -> StreamError:
    if closed.rcvd is None and closed.sent is not None and "keepalive" in closed.sent.reason:
        return StreamError("stall", "Alpaca no longer answers pings; reconnecting")
    code = closed.rcvd.code if closed.rcvd else closed.sent.code if closed.sent else 1006
    return StreamError("upstreamClosed", f"Alpaca closed the connection (code {code}); reconnecting")
