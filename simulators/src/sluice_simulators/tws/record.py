"""The record of what happened at the simulated gateway: connections, requests and subscriptions."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

START_API, CONTRACT_DETAILS, MARKET_DATA, CANCEL_MARKET_DATA = 71, 9, 1, 2
ACCOUNT_SUMMARY, CURRENT_TIME, AUTO_OPEN_ORDERS, CANCEL_POSITIONS = 62, 49, 15, 64


@dataclass
class GatewayConnectionRecord:
    """One connection; times are Unix seconds, and `subscribed` maps each request id to its symbol."""

    id: int
    opened: float
    client_id: int | None = None
    closed: float | None = None
    subscribed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GatewayRequest:
    """One message that a client sent, split into its fields."""

    connection: int
    fields: list[str]

    @property
    def kind(self) -> int:
        """The number of the request type."""
        return int(self.fields[0])


class GatewayRecord:
    """Everything that happened at the gateway; a test waits for an event with `wait_until`."""

    def __init__(self) -> None:
        self.connections: list[GatewayConnectionRecord] = []
        self.requests: list[GatewayRequest] = []
        self.refused_ids: list[int] = []
        self.concurrent_max = 0
        self._changed = asyncio.Event()

    @property
    def open_connections(self) -> list[GatewayConnectionRecord]:
        """The connections that are open now."""
        return [each for each in self.connections if each.closed is None]

    @property
    def subscribed_symbols(self) -> set[str]:
        """The symbols to which open connections are subscribed."""
        return {symbol for each in self.open_connections for symbol in each.subscribed.values()}

    def requests_of_kind(self, kind: int) -> list[list[str]]:
        """Return the fields of each request of one type, in order."""
        return [each.fields for each in self.requests if each.kind == kind]

    @property
    def market_data_ids(self) -> list[int]:
        """The request ids of all requests for market data, in order."""
        return [int(fields[2]) for fields in self.requests_of_kind(MARKET_DATA)]

    async def wait_until(self, holds: Callable[[Self], object], timeout: float | None = 10.0) -> Self:
        """Wait until `holds(record)` is true, checking at each change; raise TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()
        return self

    def add_connection(self) -> GatewayConnectionRecord:
        """Add a connection."""
        connection = GatewayConnectionRecord(id=len(self.connections) + 1, opened=time.time())
        self.connections.append(connection)
        self.concurrent_max = max(self.concurrent_max, len(self.open_connections))
        self.notify_waiters()
        return connection

    def mark_closed(self, connection: GatewayConnectionRecord) -> None:
        """Record the end of a connection."""
        connection.closed = time.time()
        self.notify_waiters()

    def add_request(self, connection: GatewayConnectionRecord, fields: list[str]) -> None:
        """Add a request of a client."""
        self.requests.append(GatewayRequest(connection.id, fields))
        self.notify_waiters()

    def notify_waiters(self) -> None:
        """Wake the callers that wait in `wait_until`."""
        self._changed.set()
