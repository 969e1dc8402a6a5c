"""Where documents come from: the port `Source`, what it delivers, and a source that keeps documents in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HeartbeatRead:
    """The heartbeat document's fields; None if the document does not exist."""

    document: object


@dataclass(frozen=True, slots=True)
class QuoteRead:
    """A quote document's fields; None if the document does not exist."""

    symbol: str
    document: object


@dataclass(frozen=True, slots=True)
class ReaderChanged:
    """Whether the reader may read the tenant's documents, and whether changes of them arrive."""

    is_signed_in: bool
    is_connected: bool


Event = HeartbeatRead | QuoteRead | ReaderChanged
Deliver = Callable[[Event], None]


class Subscription(Protocol):
    """What a reader listens to. It delivers on the event loop on which it was made."""

    async def close(self) -> None:
        """Stop listening. Nothing is delivered afterwards."""


class Source(Protocol):
    """Delivers the heartbeat of a job and the quotes of symbols."""

    def subscribe(self, symbols: Collection[str], deliver: Deliver) -> Subscription:
        """Deliver the heartbeat and these quotes as they are, then each change. Needs a running event loop.

        Raises:
            ValueError: the source cannot listen to these symbols; the message says why.
        """


def document_id(symbol: str) -> str:
    """Return the ID of a symbol's documents. An ID contains no slash, so `BTC/USD` becomes `BTC-USD`."""
    return symbol.replace("/", "-")


class MemorySource:
    """A source for tests, whose documents the test puts."""

    def __init__(self) -> None:
        self._heartbeat: object = None
        self._quotes: dict[str, object] = {}
        self._reader = ReaderChanged(is_signed_in=True, is_connected=True)
        self._subscriptions: list[_MemorySubscription] = []

    @property
    def subscriptions(self) -> int:
        """How many readers listen."""
        return len(self._subscriptions)

    def put_heartbeat(self, document: object) -> None:
        """Replace the heartbeat document; None deletes it."""
        self._heartbeat = document
        self._deliver(HeartbeatRead(document))

    def put_quote(self, symbol: str, document: object) -> None:
        """Replace the quote document of a symbol; None deletes it."""
        self._quotes[symbol] = document
        self._deliver(QuoteRead(symbol, document))

    def set_reader(self, *, is_signed_in: bool = True, is_connected: bool = True) -> None:
        """Set whether the reader may read, and whether changes arrive."""
        self._reader = ReaderChanged(is_signed_in, is_connected)
        self._deliver(self._reader)

    def subscribe(self, symbols: Collection[str], deliver: Deliver) -> Subscription:
        found = _MemorySubscription(frozenset(symbols), deliver, self._subscriptions)
        self._subscriptions.append(found)
        found.deliver(self._reader)
        found.deliver(HeartbeatRead(self._heartbeat))
        for symbol in symbols:
            found.deliver(QuoteRead(symbol, self._quotes.get(symbol)))
        return found

    def _deliver(self, event: Event) -> None:
        for subscription in list(self._subscriptions):
            subscription.deliver(event)


class _MemorySubscription:
    def __init__(self, symbols: frozenset[str], deliver: Deliver, subscriptions: list[_MemorySubscription]) -> None:
        self._symbols = symbols
        self._deliver = deliver
        self._subscriptions = subscriptions

    def deliver(self, event: Event) -> None:
        if not isinstance(event, QuoteRead) or event.symbol in self._symbols:
            self._deliver(event)

    async def close(self) -> None:
        if self in self._subscriptions:
            self._subscriptions.remove(self)
