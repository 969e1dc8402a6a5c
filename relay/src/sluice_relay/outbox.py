"""The messages that wait for one client: the newest quote of each symbol, and everything else in order."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

from .events import QUOTES, EncodedEvent
from .protocol.encoding import Codec
from .protocol.subscription import EVERYTHING, Subscription

# The most messages in a frame: a slow client works on one frame while newer quotes replace older ones here.
FRAME_MESSAGES: Final = 64
# Trades, bars and statuses are never replaced. A client with more of them waiting is too slow for its subscription.
QUEUED_MESSAGES: Final = 10_000


class Outbox:
    """The events that wait for one client. Its size is bounded by the number of symbols and by `bound`."""

    def __init__(self, codec: Codec, bound: int = QUEUED_MESSAGES) -> None:
        """`bound`: the most messages that wait besides quotes."""
        self._codec = codec
        self._bound = bound
        # A newer quote takes the place of the older one, so that the symbol that has waited longest is sent first.
        self._newest_quotes: dict[str, EncodedEvent] = {}
        self._queue: deque[EncodedEvent] = deque()
        self.conflated_quotes = 0

    def __len__(self) -> int:
        return len(self._newest_quotes) + len(self._queue)

    @property
    def is_over_bound(self) -> bool:
        """True if more trades, bars and statuses wait than the bound."""
        return len(self._queue) > self._bound

    def add_event(self, event: EncodedEvent) -> None:
        """Add an event. A quote replaces the waiting quote of its symbol."""
        if event.channel == QUOTES:
            self.conflated_quotes += event.symbol in self._newest_quotes
            self._newest_quotes[event.symbol] = event
        else:
            self._queue.append(event)

    def add_snapshot_quote(self, event: EncodedEvent) -> None:
        """Add the last quote before a subscription, unless a newer one waits already."""
        self._newest_quotes.setdefault(event.symbol, event)

    def retain_subscribed_quotes(self, subscription: Subscription) -> None:
        """Forget the waiting quotes of symbols that the client no longer subscribes to."""
        symbols = subscription.quote_symbols
        if EVERYTHING not in symbols:
            self._newest_quotes = {name: quote for name, quote in self._newest_quotes.items() if name in symbols}

    def take_frame(self) -> bytes | None:
        """Return the payload of the next frame, and forget its events; None if nothing waits."""
        queued = FRAME_MESSAGES // 2 if self._newest_quotes else FRAME_MESSAGES
        taken = [self._queue.popleft() for _ in range(min(queued, len(self._queue)))]
        symbols = list(islice(self._newest_quotes, FRAME_MESSAGES - len(taken)))
        taken.extend([self._newest_quotes.pop(symbol) for symbol in symbols])
        if not taken:
            return None
        return self._codec.join_frame([event.encoded_message(self._codec) for event in taken])
