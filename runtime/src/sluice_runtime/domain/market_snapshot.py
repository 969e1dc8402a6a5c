"""What a provider knows to be newest, asked beside the stream."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from .market import Quote, Trade

# A quote on its way for longer than this should have arrived.
_UNDERWAY = timedelta(seconds=10)


class MarketSnapshot(msgspec.Struct, frozen=True):
    """The newest quote and trade of each symbol that has one."""

    quotes: tuple[Quote, ...] = ()
    trades: tuple[Trade, ...] = ()

    def from_times(self, times: Mapping[str, datetime]) -> MarketSnapshot:
        """Without the quotes of symbols whose documents are newer; `times` are those of documents.

        What is as new stays: another process wrote it, and its session has ended. So do trades: none is written alone.
        """
        newest = {each.symbol: each.ts for each in self.quotes}
        for trade in self.trades:
            newest[trade.symbol] = max(trade.ts, newest.get(trade.symbol, trade.ts))
        kept = {symbol for symbol, ts in newest.items() if symbol not in times or ts >= times[symbol]}
        return MarketSnapshot(
            tuple(each for each in self.quotes if each.symbol in kept),
            self.trades,
        )

    def without_trades(self) -> MarketSnapshot:
        """The quotes alone."""
        return MarketSnapshot(self.quotes)

    def unheard(self, since: datetime, now: datetime) -> Quote | None:
        """A quote that a stream open and silent since then should have brought; None if there is none."""
        return next((each for each in self.quotes if since + _UNDERWAY <= each.ts <= now - _UNDERWAY), None)
