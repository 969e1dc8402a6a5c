"""How long quotes take from their event to this process, and from their event to Firestore."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime

from .histogram import Histogram
from .market import Quote

_RECEIVE_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0)
_WRITE_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
# At most 100 frames a second are measured. Measuring each quote would take longer than what is done with it
# (docs/adr/0039-cheap-measurements.md).
_SAMPLE_SECONDS = 0.01


class QuoteLatencies:
    """The histograms of quotes. Event times are by the clock of the provider, all others by that of this node."""

    def __init__(self) -> None:
        self.event_to_receive = Histogram(_RECEIVE_BOUNDS)
        self.event_to_write = Histogram(_WRITE_BOUNDS)
        self.next_sample_at = float("-inf")  # monotonic seconds; read for each frame, before `sample_received`
        self._sampled_count = 0
        self._live_since: datetime | None = None
        self._measured: dict[str, Quote] = {}  # the last measured write of each symbol

    def sample_received(self, ts: datetime, now: datetime, at: float, received_count: int) -> None:
        """Measure the last quote of a frame, which stands for all quotes since the last measured frame.

        `ts` is its event time, `at` the same instant as `now` in monotonic seconds, and `received_count` the number of
        quotes since the process started.
        """
        self.next_sample_at = at + _SAMPLE_SECONDS
        count, self._sampled_count = received_count - self._sampled_count, received_count
        if count > 0:
            self.event_to_receive.observe((now - ts).total_seconds(), count)

    def begin_stream(self, at: datetime) -> None:
        """Measure the writes of quotes from now on whose event is later than `at`, when the stream became live.

        Earlier quotes come from a snapshot, and can be as old as the market is closed.
        """
        self._live_since = at
        self._measured.clear()

    def record_writes(self, quotes: Iterable[Quote], now: datetime) -> None:
        """Measure the quotes that Firestore has acknowledged, except those that repeat the values of the last one.

        A quote that repeats them waits until its document is refreshed, so it is not late.
        """
        for quote in quotes:
            if self._is_event_of_stream(quote):
                self._measured[quote.symbol] = quote
                self.event_to_write.observe((now - quote.ts).total_seconds())

    def retain_only(self, symbols: Set[str]) -> None:
        """Forget the quotes of all other symbols."""
        for symbol in self._measured.keys() - symbols:
            del self._measured[symbol]

    def _is_event_of_stream(self, quote: Quote) -> bool:
        before = self._measured.get(quote.symbol)
        if before is None:
            return self._live_since is not None and quote.ts > self._live_since
        return quote.ts > before.ts and _values(quote) != _values(before)


def _values(quote: Quote) -> tuple[float | None, ...]:
    return quote.bid, quote.ask, quote.bid_size, quote.ask_size
