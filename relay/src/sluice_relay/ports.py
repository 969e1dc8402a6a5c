"""What the server needs from outside: a source of market data, and the faults of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from .clients import Client
from .events import Event, Quote


class Audience(Protocol):
    """The connected clients, as a source sees them."""

    def publish(self, feed: str, events: Sequence[Event]) -> None:
        """Give each subscriber of the feed its events. This never waits for a client."""

    async def wait_for_subscription(self) -> None:
        """Wait until a client has subscribed to any symbol."""


class Source(Protocol):
    """A source of market data with one or more feeds, each of which has a name."""

    def feeds_of_client(self, client: Client) -> tuple[str, ...]:
        """Return the names of the feeds that the client may read."""

    def carried_channels(self, feeds: Sequence[str]) -> frozenset[str]:
        """Return the channels of Alpaca's protocol that any of the feeds carries."""

    def newest_quote(self, feed: str, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol, or None if there is none."""

    def state(self) -> Mapping[str, object]:
        """Return what the source does, as JSON values. It has no secrets."""

    async def run(self, audience: Audience) -> None:
        """Publish events until the source ends."""


class ConnectionFaults(Protocol):
    """The faults that a test asks for."""

    def start(self) -> None:
        """Start the clock of the faults; only the first call has an effect."""

    def active_kinds(self) -> frozenset[str]:
        """Return the kinds of the faults that are active now."""
