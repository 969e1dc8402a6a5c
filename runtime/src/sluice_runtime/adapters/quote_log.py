"""Logging of every quote, to look for a missing one (LOG_QUOTES=all)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..domain.market import Tick

_log = logging.getLogger(__name__)


class QuoteLog:
    """A tape for `QuoteRecordingSource` that logs quotes instead of storing them."""

    def add_ticks(self, ticks: Sequence[Tick]) -> None:
        """Log one line per quote, as received."""
        for tick in ticks:
            quote = tick.to_quote()
            fields = {"event_type": "quote", "symbol": quote.symbol, "bid": quote.bid, "ask": quote.ask, "at": quote.ts}
            _log.info("quote", extra=fields)

    def flush(self) -> None:
        """Do nothing: log lines are not buffered here."""
