"""Market snapshots: the newest quotes and trades, requested from the provider outside the stream."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from .clock_skew import ClockReading
from .market import Bar, Quote, Trade, TradeCancellation


class MarketSnapshot(msgspec.Struct, frozen=True):
    """The newest quote, trade and bar of each symbol that has one, and the newest trades that have been canceled.

    `clock_reading` is what the response says about the provider's time.
    """

    quotes: tuple[Quote, ...] = ()
    trades: tuple[Trade, ...] = ()
    cancellations: tuple[TradeCancellation, ...] = ()
    bars: tuple[Bar, ...] = ()
    clock_reading: ClockReading | None = None

    def without_outdated_quotes(self, document_times: Mapping[str, datetime]) -> MarketSnapshot:
        """Return the snapshot without the quotes that are older than what their documents already show.

        `document_times` has the `ts` of each existing document, by symbol. A quote that is as old as its document
        stays: it is written again with the session of this process. All trades stay, because a trade is written only
        together with a quote.
        """
        newest = {each.symbol: each.ts for each in self.quotes}
        for trade in (each for each in self.trades if each.rule.effect != "never"):
            newest[trade.symbol] = max(trade.ts, newest.get(trade.symbol, trade.ts))
        kept = {symbol for symbol, ts in newest.items() if symbol not in document_times or ts >= document_times[symbol]}
        return msgspec.structs.replace(self, quotes=tuple(each for each in self.quotes if each.symbol in kept))

    def without_trades(self) -> MarketSnapshot:
        """Return the snapshot without its trades."""
        return msgspec.structs.replace(self, trades=(), cancellations=())
