"""The newest values of each symbol except its quotes: last trade, last halt or resumption, last bar.

Memory is bounded by the number of declared symbols, except for halts: providers report those of the whole market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sluice_contract.spec import Channel

from .market import Bar, Halt, Trade


class LastValues:
    """Holds the newest trade, halt and bar of each symbol.

    Trades and bars are ignored until `set_kept_symbols` has been called.
    """

    def __init__(self) -> None:
        self.trades: dict[str, Trade] = {}  # the newest of each symbol
        self.bars: dict[str, Bar] = {}  # bars that wait to be written
        self.bar_times: dict[str, datetime] = {}  # of the last bar of each symbol
        self._halts: dict[str, Halt] = {}  # the last halt or resumption of each symbol
        self._unconfirmed_halts: dict[str, datetime] = {}  # for halts from a connection that is closed: when it closed
        self._of_trades: frozenset[str] = frozenset()
        self._of_bars: frozenset[str] = frozenset()

    def set_kept_symbols(
        self, declared: frozenset[str], streamed: frozenset[str], channels: frozenset[Channel]
    ) -> None:
        """Set the symbols whose values are kept, and forget the values of all others.

        A paused symbol keeps its last trade, because its document contains the price.
        """
        self._of_trades = declared if "trades" in channels else frozenset()
        self._of_bars = streamed if "bars" in channels else frozenset()
        for symbol in self.trades.keys() - self._of_trades:
            del self.trades[symbol]
        for symbol in self.bar_times.keys() - self._of_bars:
            del self.bar_times[symbol]
            self.bars.pop(symbol, None)

    def record_trades(self, trades: Iterable[Trade], horizon: datetime) -> None:
        """Keep the newest trade of each symbol. Of two trades with the same time, the later arrival counts.

        A trade later than `horizon` (now plus a few seconds of skew) has a bad timestamp: any other trade replaces it.
        """
        for trade in trades:
            known = self.trades.get(trade.symbol)
            if trade.symbol in self._of_trades and (known is None or known.ts <= trade.ts or known.ts > horizon):
                self.trades[trade.symbol] = trade

    def record_snapshot_trades(self, trades: Iterable[Trade], horizon: datetime) -> None:
        """Keep the trades of a snapshot that are newer than those from the stream.

        Trades later than `horizon` are ignored.
        """
        self.record_trades((trade for trade in trades if trade.ts <= horizon and self._is_newer_trade(trade)), horizon)

    def record_bars(self, bars: Iterable[Bar]) -> None:
        """Keep the last bar of each symbol until it is written."""
        for bar in bars:
            if bar.symbol in self._of_bars:
                self.bars[bar.symbol] = bar
                self.bar_times[bar.symbol] = bar.ts

    def record_snapshot_bars(self, bars: Iterable[Bar], horizon: datetime) -> None:
        """Keep the bars of a snapshot that are newer than those from the stream, and not later than `horizon`."""
        known = self.bar_times
        newer = (bar for bar in bars if bar.symbol not in known or known[bar.symbol] < bar.ts)
        self.record_bars(bar for bar in newer if bar.ts <= horizon)

    def remove_written_bars(self, bars: Iterable[Bar]) -> None:
        """Remove bars that have been written, except where a newer bar has replaced one."""
        for bar in bars:
            if self.bars.get(bar.symbol) is bar:
                del self.bars[bar.symbol]

    def record_halts(self, halts: Iterable[Halt]) -> None:
        """Keep the last halt or resumption of each symbol, including symbols that may be declared later."""
        for halt in halts:
            self._halts[halt.symbol] = halt
            self._unconfirmed_halts.pop(halt.symbol, None)

    def mark_halts_unconfirmed(self, at: datetime) -> None:
        """Mark all halts as unconfirmed, because the connection closed at `at`.

        Trading may resume while no connection is open, and providers do not repeat the resumption.
        """
        for symbol in self._halts:
            self._unconfirmed_halts.setdefault(symbol, at)

    def drop_doubtful_halts(
        self, newest_quote_time: Callable[[str], datetime | None], market_opened_at: datetime | None
    ) -> None:
        """Forget the halts after which trading may have resumed without a report.

        These are the unconfirmed halts of symbols that have had a quote or trade since the connection closed, and the
        halts from before `market_opened_at`, if that is not None. `newest_quote_time` returns the event
        time of a symbol's newest quote.
        """
        for symbol, halt in list(self._halts.items()):
            closed_at = self._unconfirmed_halts.get(symbol)
            overtaken = closed_at is not None and self._has_newer_quote_or_trade(
                symbol, max(halt.ts, closed_at), newest_quote_time
            )
            if overtaken or (market_opened_at is not None and halt.ts < market_opened_at):
                del self._halts[symbol]
                self._unconfirmed_halts.pop(symbol, None)

    @property
    def halted_symbols(self) -> frozenset[str]:
        """The symbols whose last report from the provider is a halt."""
        return frozenset(symbol for symbol, halt in self._halts.items() if halt.halted)

    def _has_newer_quote_or_trade(
        self, symbol: str, ts: datetime, newest_quote_time: Callable[[str], datetime | None]
    ) -> bool:
        quoted_at, trade = newest_quote_time(symbol), self.trades.get(symbol)
        return (quoted_at is not None and quoted_at > ts) or (trade is not None and trade.ts > ts)

    def _is_newer_trade(self, trade: Trade) -> bool:
        known = self.trades.get(trade.symbol)
        return known is None or known.ts < trade.ts
