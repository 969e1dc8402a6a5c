"""Bounds for the connections of an HTTP server, so that incomplete requests cost it neither memory nor its probes.

aiohttp waits for the end of a request's headers without a limit of time, and has no limit of connections. A
`ConnectionLimiter` stands between the listening socket and aiohttp's protocol and closes connections that exceed the
bounds. It does not parse requests: it only looks for the end of the headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

import msgspec

_END_OF_HEADERS: Final = b"\r\n\r\n"


class ConnectionBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds. Only the request of a client that is too slow, too large, or one of too many fails."""

    request_seconds: float = 5.0  # from the connection, or the first byte of a further request, to the request's end
    idle_seconds: float = 75.0  # between two requests on one connection
    header_bytes: int = 64 * 1024
    body_bytes: int = 64 * 1024  # more than an application accepts, so that it can answer a body that is too long
    connections: int = 100


class ConnectionLimiter:
    """A protocol factory that bounds the connections of another protocol factory.

    The caller reports a complete request with `begin_request`, and its end with `end_request`.
    """

    def __init__(self, create_protocol: Callable[[], asyncio.Protocol], bounds: ConnectionBounds) -> None:
        """`create_protocol` creates aiohttp's protocol for one connection."""
        self._create_protocol = create_protocol
        self._bounds = bounds
        # The connections that wait for a complete request, the one that has waited longest first; then all others.
        self._waiting: dict[asyncio.BaseTransport, _BoundedConnection] = {}
        self._busy: dict[asyncio.BaseTransport, _BoundedConnection] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol for a new connection."""
        return _BoundedConnection(self, self._create_protocol(), self._bounds)

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._waiting) + len(self._busy)

    def begin_request(self, transport: asyncio.BaseTransport | None) -> None:
        """Record that a connection has a complete request, so it is closed only if all others have one, too."""
        if transport is not None and (connection := self._waiting.pop(transport, None)) is not None:
            self._busy[transport] = connection
            connection.stop_timer()

    def end_request(self, transport: asyncio.BaseTransport | None) -> None:
        """Record that a request is answered, so the connection waits for the next one."""
        if transport is None:
            return
        connection = self._busy.pop(transport, None) or self._waiting.pop(transport, None)
        if connection is not None:
            self._waiting[transport] = connection
            connection.wait_for_next_request()

    def add(self, transport: asyncio.BaseTransport, connection: _BoundedConnection) -> None:
        """Add a new connection. If there are too many, close the one that has waited longest for its request."""
        if len(self) >= self._bounds.connections:
            oldest = next(iter(self._waiting.values() or self._busy.values()))
            oldest.close()
        self._waiting[transport] = connection

    def remove(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection that is closed."""
        self._waiting.pop(transport, None)
        self._busy.pop(transport, None)


class _BoundedConnection(asyncio.Protocol):
    """One connection: it passes everything to aiohttp's protocol, and closes the connection at a bound."""

    def __init__(self, limiter: ConnectionLimiter, inner: asyncio.Protocol, bounds: ConnectionBounds) -> None:
        self._limiter = limiter
        self._inner = inner
        self._bounds = bounds
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._header_bytes = 0  # of the request that is not complete; 0 between two requests
        self._tail = b""  # the last bytes, in which the end of the headers may have begun
        self._has_headers = False
        self._body_bytes = 0  # after the headers, until the response is sent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._limiter.add(transport, self)
        self._close_after(self._bounds.request_seconds)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._has_headers:
            self._body_bytes += len(data)
        else:
            self._count_header_bytes(data)
        if self._header_bytes > self._bounds.header_bytes or self._body_bytes > self._bounds.body_bytes:
            self.close()
        else:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_timer()
        if self._transport is not None:
            self._limiter.remove(self._transport)
        self._inner.connection_lost(exc)

    def stop_timer(self) -> None:
        """Stop the limit of time, because the request is complete."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wait_for_next_request(self) -> None:
        """Begin to wait for the next request on this connection."""
        self._header_bytes, self._body_bytes, self._tail, self._has_headers = 0, 0, b"", False
        self._close_after(self._bounds.idle_seconds)

    def close(self) -> None:
        """Close the connection at once. What it has received and not answered is dropped."""
        self.stop_timer()
        if self._transport is not None:
            self._limiter.remove(self._transport)
            self._transport.abort()

    def _count_header_bytes(self, data: bytes) -> None:
        """Count the bytes of the headers, and those after their end as part of the body."""
        if self._header_bytes == 0:
            self._close_after(self._bounds.request_seconds)
        seen = self._tail + data
        end = seen.find(_END_OF_HEADERS)
        self._has_headers = end >= 0
        after = len(seen) - end - len(_END_OF_HEADERS) if self._has_headers else 0
        self._header_bytes += len(data) - after
        self._body_bytes += after
        self._tail = seen[-(len(_END_OF_HEADERS) - 1) :]

    def _close_after(self, seconds: float) -> None:
        self.stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.close)
