"""A source whose quotes and bars also go to the destinations besides the document store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..adapters.forwarding_listener import ForwardingListener
from ..adapters.forwarding_source import ForwardingSource
from ..domain.market import Bar, Tick
from ..ports import Listener, Source


class MarketDataPublisher(Protocol):
    """Publishes quotes and bars. It returns immediately and never raises."""

    def publish_quotes(self, ticks: Sequence[Tick]) -> None:
        """Publish quotes. Unwanted symbols can be among them."""

    def publish_bars(self, bars: Sequence[Bar]) -> None:
        """Publish bars. Unwanted symbols can be among them."""


class PublishingSource(ForwardingSource):
    """A source that also publishes its quotes and bars. Without destinations it is not used, so it costs nothing."""

    def __init__(self, source: Source, publisher: MarketDataPublisher) -> None:
        super().__init__(source, lambda listener: _PublishingListener(listener, publisher))


class _PublishingListener(ForwardingListener):
    """Passes all events on to the listener, and then quotes and bars to the publisher."""

    def __init__(self, listener: Listener, publisher: MarketDataPublisher) -> None:
        super().__init__(listener)
        self._publisher = publisher

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        self._listener.on_ticks(ticks)
        self._publisher.publish_quotes(ticks)

    def on_bars(self, bars: Sequence[Bar]) -> None:
        self._listener.on_bars(bars)
        self._publisher.publish_bars(bars)
