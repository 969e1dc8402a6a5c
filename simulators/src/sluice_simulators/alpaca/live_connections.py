"""The open connections, to which feeds and tests send data."""

import asyncio
from collections.abc import Iterable

from sluice_simulators.alpaca.batches import Batch
from sluice_simulators.alpaca.connection import StreamConnection
from sluice_simulators.alpaca.record import StreamRecord


class LiveConnections:
    """The open connections: delivers data to them and waits for their subscriptions."""

    def __init__(self, record: StreamRecord) -> None:
        """No client is connected yet."""
        self._record = record
        self._connections: dict[StreamConnection, asyncio.Task[None] | None] = {}
        # Computing the union of thousands of symbols is slow, so it is repeated only when a connection's set changes.
        self._parts: tuple[frozenset[str], ...] = ()
        self._symbols: frozenset[str] = frozenset()

    def add(self, connection: StreamConnection) -> None:
        """Add a connection that the current task runs."""
        self._connections[connection] = asyncio.current_task()

    def remove(self, connection: StreamConnection) -> None:
        """Remove a connection."""
        self._connections.pop(connection, None)

    def find_connections(self, endpoint: str | None = None, number: int | None = None) -> list[StreamConnection]:
        """Return the open connections to a feed (None: any) with a record id (None: any)."""
        return [
            each
            for each in self._connections
            if endpoint in (None, each.endpoint.feed) and number in (None, each.record.id)
        ]

    @property
    def subscribed_symbols(self) -> frozenset[str]:
        """The symbols for whose quotes any connection is subscribed; the same object until they change."""
        parts = tuple(each.websocket.subscription.quote_symbols for each in self._connections)
        if parts != self._parts:
            self._parts, self._symbols = parts, frozenset[str]().union(*parts)
        return self._symbols

    async def wait_for_subscriptions(self, symbols: Iterable[str]) -> None:
        """Wait until all of these symbols are subscribed, on any connection; if there are none, until any symbol is."""
        wanted = frozenset(symbols)
        while not self._are_subscribed(wanted):
            await self._record.wait_until(lambda record: self._are_subscribed(wanted), timeout=None)

    async def deliver(self, batch: Batch, per_frame: int, *, wait: bool) -> int:
        """Send each connection its subscribed messages; return the total number of messages sent."""
        return sum([await each.deliver(batch, per_frame, wait=wait) for each in list(self._connections)])

    async def close_all(self, code: int, within: float) -> None:
        """Close every connection, by force after `within` seconds."""
        closing = [asyncio.ensure_future(each.websocket.close(code)) for each in self._connections]
        if closing:
            await asyncio.wait(closing, timeout=within)
        for connection, task in list(self._connections.items()):
            connection.websocket.abort()
            if task is not None:
                task.cancel()

    def _are_subscribed(self, wanted: frozenset[str]) -> bool:
        return bool(self.subscribed_symbols) and ("*" in self.subscribed_symbols or wanted <= self.subscribed_symbols)
