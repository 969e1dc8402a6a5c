"""The connections that are live now, as the feeds and the test see them."""

import asyncio
from collections.abc import Iterable

from sluice_simulators.alpaca.batches import Batch
from sluice_simulators.alpaca.connection import StreamConnection
from sluice_simulators.alpaca.record import StreamRecord


class LiveConnections:
    """Delivers to every connection; waits for an audience."""

    def __init__(self, record: StreamRecord) -> None:
        """Nobody is connected."""
        self._record = record
        self._connections: dict[StreamConnection, asyncio.Task[None] | None] = {}
        # Thousands of symbols are united only when a connection's set is another one (compared by identity first).
        self._parts: tuple[frozenset[str], ...] = ()
        self._symbols: frozenset[str] = frozenset()

    def add(self, connection: StreamConnection) -> None:
        """Adds a connection, run by the current task."""
        self._connections[connection] = asyncio.current_task()

    def remove(self, connection: StreamConnection) -> None:
        """Removes a connection."""
        self._connections.pop(connection, None)

    def matching(self, endpoint: str | None = None, number: int | None = None) -> list[StreamConnection]:
        """The open connections, of an endpoint's feed or with a record's id."""
        return [
            each
            for each in self._connections
            if endpoint in (None, each.endpoint.feed) and number in (None, each.record.id)
        ]

    @property
    def subscribed_symbols(self) -> frozenset[str]:
        """The symbols whose quotes anyone is subscribed to; the same object until that changes."""
        parts = tuple(each.websocket.subscription.quote_symbols for each in self._connections)
        if parts != self._parts:
            self._parts, self._symbols = parts, frozenset[str]().union(*parts)
        return self._symbols

    async def wait_for_subscriptions(self, symbols: Iterable[str]) -> None:
        """Waits until all of these are subscribed (by one connection or several); if none, until any is."""
        wanted = frozenset(symbols)
        while not self._are_subscribed(wanted):
            await self._record.wait_until(lambda record: self._are_subscribed(wanted), timeout=None)

    async def deliver(self, batch: Batch, per_frame: int, *, wait: bool) -> int:
        """To each connection what it is subscribed to; returns how many messages went out in all."""
        return sum([await each.deliver(batch, per_frame, wait=wait) for each in list(self._connections)])

    async def close_all(self, code: int, within: float) -> None:
        """Closes every connection, by force after `within` seconds."""
        closing = [asyncio.ensure_future(each.websocket.close(code)) for each in self._connections]
        if closing:
            await asyncio.wait(closing, timeout=within)
        for connection, task in list(self._connections.items()):
            connection.websocket.abort()
            if task is not None:
                task.cancel()

    def _are_subscribed(self, wanted: frozenset[str]) -> bool:
        return bool(self.subscribed_symbols) and ("*" in self.subscribed_symbols or wanted <= self.subscribed_symbols)
