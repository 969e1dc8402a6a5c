"""Distributes the events of the source to the outboxes of the clients that subscribe to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from .events import EncodedEvent, Event
from .protocol.subscription import EVERYTHING, Subscription

_Key = tuple[str, str, str]


class Subscriber(Protocol):
    """A client as the hub sees it."""

    def add_event(self, event: EncodedEvent) -> None:
        """Add an event to the client's outbox, and return at once."""


class Hub:
    """The subscribers of each feed, channel and symbol."""

    def __init__(self) -> None:
        self._subscribers: dict[_Key, dict[Subscriber, None]] = {}
        self._keys: dict[Subscriber, frozenset[_Key]] = {}
        self._subscribed = asyncio.Event()
        self._published: dict[str, int] = {}

    def set_subscription(
        self, subscriber: Subscriber, feeds: Sequence[str], subscription: Subscription, *, pairs: bool
    ) -> None:
        """Replace the subscription of a client. With `pairs`, the wildcard means all pairs, else all others."""
        keys = frozenset(
            (feed, channel, symbol)
            for feed in feeds
            for channel, symbols in subscription.channels.items()
            for symbol in _registered_symbols(symbols, pairs=pairs)
        )
        before = self._keys.get(subscriber, frozenset())
        for key in before - keys:
            del self._subscribers[key][subscriber]
            if not self._subscribers[key]:
                del self._subscribers[key]
        for key in keys - before:
            self._subscribers.setdefault(key, {})[subscriber] = None
        self._keys[subscriber] = keys
        if keys:
            self._subscribed.set()

    def remove(self, subscriber: Subscriber) -> None:
        """Forget a client."""
        self.set_subscription(subscriber, (), Subscription({}), pairs=False)
        del self._keys[subscriber]

    def publish(self, feed: str, events: Sequence[Event]) -> None:
        """Give each subscriber of the feed its events. This never waits for a client."""
        subscribers = self._subscribers
        for event in events:
            channel, symbol = event.channel, event.symbol
            self._published[channel] = self._published.get(channel, 0) + 1
            encoded = EncodedEvent(event)
            for each in subscribers.get((feed, channel, symbol), ()):
                each.add_event(encoded)
            for each in subscribers.get((feed, channel, _wildcard(pairs="/" in symbol)), ()):
                each.add_event(encoded)

    async def wait_for_subscription(self) -> None:
        """Wait until a client has subscribed to any symbol."""
        await self._subscribed.wait()

    @property
    def published_counts(self) -> Mapping[str, int]:
        """The number of events by channel that the source has published."""
        return self._published


def _registered_symbols(symbols: frozenset[str], *, pairs: bool) -> frozenset[str]:
    """Return the symbols to register: with the wildcard, no others, so that no event is added twice."""
    return frozenset({_wildcard(pairs=pairs)}) if EVERYTHING in symbols else symbols


def _wildcard(*, pairs: bool) -> str:
    return "*/*" if pairs else EVERYTHING
