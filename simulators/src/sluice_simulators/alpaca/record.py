"""The record of what happened at the server: connections, authentications, subscriptions, messages and closes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise

from sluice_relay.protocol.subscription import Subscription

KEPT = 10_000
OPEN, CLIENT, SERVER, LOST = "open", "client", "server", "lost"


@dataclass
class StreamConnectionRecord:
    """One upgraded connection; times are Unix seconds.

    `side` is `open`, or the side that closed the connection: `client`, `server` or `lost` (neither).
    """

    id: int
    endpoint: str
    opened: float
    key: str | None = None
    closed: float | None = None
    code: int | None = None
    side: str = OPEN
    sent: int = 0
    pings: int = 0
    subscription: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class AuthRecord:
    """One authentication attempt; `outcome` is `authenticated`, `silence` or the error code."""

    connection: int
    at: float
    key: str
    outcome: str


@dataclass(frozen=True)
class SubscriptionRecord:
    """The full subscription of a connection after a request."""

    connection: int
    at: float
    channels: dict[str, list[str]]


@dataclass(frozen=True)
class ClientMessage:
    """A message that a client sent, with the secret replaced by asterisks."""

    connection: int
    at: float
    message: object


class StreamRecord:
    """Everything that happened at the server; a test waits for an event with `wait_until`."""

    def __init__(self) -> None:
        """The record is empty; authentications, subscriptions and messages keep their last 10,000 entries."""
        self.connections: list[StreamConnectionRecord] = []
        self.refused_upgrades: list[int] = []
        self.auths: deque[AuthRecord] = deque(maxlen=KEPT)
        self.subscriptions: deque[SubscriptionRecord] = deque(maxlen=KEPT)
        self.messages: deque[ClientMessage] = deque(maxlen=KEPT)
        self.concurrent_max = 0
        self._changed = asyncio.Event()

    @property
    def connect_count(self) -> int:
        """The number of connections that were upgraded."""
        return len(self.connections)

    @property
    def open_connections(self) -> list[StreamConnectionRecord]:
        """The connections that are open now."""
        return [each for each in self.connections if each.closed is None]

    @property
    def close_sides_and_codes(self) -> list[tuple[str, int | None]]:
        """The side and the close code of each closed connection, in the order of opening."""
        return [(each.side, each.code) for each in self.connections if each.closed is not None]

    @property
    def seconds_between_connects(self) -> list[float]:
        """The seconds between each connection's start and the next connection's start."""
        return [after.opened - before.opened for before, after in pairwise(self.connections)]

    @property
    def auth_outcomes(self) -> list[str]:
        """The outcome of each authentication attempt."""
        return [each.outcome for each in self.auths]

    @property
    def quote_symbols(self) -> set[str]:
        """The symbols for whose quotes open connections are subscribed."""
        return {symbol for each in self.open_connections for symbol in each.subscription.get("quotes", ())}

    async def wait_until(
        self, holds: Callable[["StreamRecord"], object], timeout: float | None = 5.0
    ) -> "StreamRecord":
        """Wait until `holds(record)` is true, checking at each change; raise TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()
        return self

    def add_connection(self, endpoint: str) -> StreamConnectionRecord:
        """Add an upgraded connection."""
        connection = StreamConnectionRecord(id=len(self.connections) + 1, endpoint=endpoint, opened=time.time())
        self.connections.append(connection)
        self.concurrent_max = max(self.concurrent_max, len(self.open_connections))
        self.notify_waiters()
        return connection

    def add_refused_upgrade(self, status: int) -> None:
        """Add an upgrade request that the server refused with this HTTP status (0: the server reset the connection)."""
        self.refused_upgrades.append(status)
        self.notify_waiters()

    def add_auth_attempt(self, connection: StreamConnectionRecord, key: str, outcome: str) -> None:
        """Add an authentication attempt."""
        if outcome == "authenticated":
            connection.key = key
        self.auths.append(AuthRecord(connection.id, time.time(), key, outcome))
        self.notify_waiters()

    def add_subscription(self, connection: StreamConnectionRecord, subscription: Subscription) -> None:
        """Add the subscription of a connection after a request."""
        connection.subscription = subscription.symbols_by_channel()
        self.subscriptions.append(SubscriptionRecord(connection.id, time.time(), connection.subscription))
        self.notify_waiters()

    def add_client_message(self, connection: StreamConnectionRecord, message: object) -> None:
        """Add a message that a client sent."""
        if isinstance(message, Mapping) and "secret" in message:
            message = {**message, "secret": "***"}
        self.messages.append(ClientMessage(connection.id, time.time(), message))
        self.notify_waiters()

    def mark_closed(self, connection: StreamConnectionRecord, side: str, code: int) -> None:
        """Record the end of a connection."""
        connection.closed, connection.side, connection.code = time.time(), side, code
        self.notify_waiters()

    def notify_waiters(self) -> None:
        """Wake the callers that wait in `wait_until`."""
        self._changed.set()

    def as_json(self) -> dict[str, object]:
        """Return the whole record as JSON values."""
        return {
            "connects": self.connect_count,
            "open": len(self.open_connections),
            "concurrent_max": self.concurrent_max,
            "gaps": self.seconds_between_connects,
            "refused_upgrades": self.refused_upgrades,
            "quotes": sorted(self.quote_symbols),
            "connections": [asdict(each) for each in self.connections],
            "auths": [asdict(each) for each in self.auths],
            "subscriptions": [asdict(each) for each in self.subscriptions],
            "messages": [asdict(each) for each in self.messages],
        }
