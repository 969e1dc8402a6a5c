"""Every quote in the log, for whoever looks for one that is missing (LOG_QUOTES=all)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..domain.market import Tick

_log = logging.getLogger(__name__)


class QuoteLog:
    """A tape that is not kept: see RecordingSource."""

    def add(self, ticks: Sequence[Tick]) -> None:
        """One line a quote, as it was received."""
        for tick in ticks:
            quote = tick.quote()
            fields = {"event_type": "quote", "symbol": quote.symbol, "bid": quote.bid, "ask": quote.ask, "at": quote.ts}
            _log.info("quote", extra=fields)

    def flush(self) -> None:
        """There is nothing to hand over."""
