"""What is newest of each symbol beside its quotes: its last trade, the last word on a halt, its last bar.

Memory is bounded by the number of declared symbols, save for halts: providers tell of those of the whole market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sluice_contract.spec import Channel

from .market import Bar, Halt, Trade


class LastValues:
    """Nothing is taken in before `keep` has said of which symbols."""

    def __init__(self) -> None:
        self.trades: dict[str, Trade] = {}  # the newest of each symbol
        self.bars: dict[str, Bar] = {}  # that wait to be written
        self.bar_times: dict[str, datetime] = {}  # of the last bar of each symbol
        self._halts: dict[str, Halt] = {}  # the last word on each symbol
        self._unconfirmed_halts: dict[str, datetime] = {}  # of halts told on a connection that is closed: when it was
        self._of_trades: frozenset[str] = frozenset()
        self._of_bars: frozenset[str] = frozenset()

    def keep(self, declared: frozenset[str], streamed: frozenset[str], channels: frozenset[Channel]) -> None:
        """Forgets what is not declared any more, and takes in nothing of it.

        A symbol that is paused keeps its last trade, which is a part of what its document says.
        """
        self._of_trades = declared if "trades" in channels else frozenset()
        self._of_bars = streamed if "bars" in channels else frozenset()
        for symbol in self.trades.keys() - self._of_trades:
            del self.trades[symbol]
        for symbol in self.bar_times.keys() - self._of_bars:
            del self.bar_times[symbol]
            self.bars.pop(symbol, None)

    def traded(self, trades: Iterable[Trade], horizon: datetime) -> None:
        """Trades in the order of arrival: of two of one time the later counts.

        One later than `horizon` (now, and a few seconds of skew) gives way to any other: its stamp is bad.
        """
        for trade in trades:
            known = self.trades.get(trade.symbol)
            if trade.symbol in self._of_trades and (known is None or known.ts <= trade.ts or known.ts > horizon):
                self.trades[trade.symbol] = trade

    def learn(self, trades: Iterable[Trade], horizon: datetime) -> None:
        """Trades that did not come by the stream, where they are newer. Nothing later than `horizon` is believed."""
        self.traded((each for each in trades if each.ts <= horizon and self._is_newer(each)), horizon)

    def aggregated(self, bars: Iterable[Bar]) -> None:
        """Bars, of which a later one of the same symbol replaces the earlier."""
        for bar in bars:
            if bar.symbol in self._of_bars:
                self.bars[bar.symbol] = bar
                self.bar_times[bar.symbol] = bar.ts

    def bars_written(self, bars: Iterable[Bar]) -> None:
        """These wait no longer, unless a newer one has taken their place."""
        for bar in bars:
            if self.bars.get(bar.symbol) is bar:
                del self.bars[bar.symbol]

    def halted(self, halts: Iterable[Halt]) -> None:
        """Halts and resumptions in the order of arrival, also of symbols that are not declared: they may be later."""
        for halt in halts:
            self._halts[halt.symbol] = halt
            self._unconfirmed_halts.pop(halt.symbol, None)

    def connection_closed(self, at: datetime) -> None:
        """What it told of halts may end without a word: no provider repeats it on the next connection."""
        for symbol in self._halts:
            self._unconfirmed_halts.setdefault(symbol, at)

    def doubt_halts(self, newest: Callable[[str], datetime | None], opened_at: datetime | None) -> None:
        """Forgets the halts whose end may have been missed.

        Those of a connection that is closed, of whose symbols something has happened since; and those from before the
        market opened, at `opened_at` where that is known. `newest` is the event time of a symbol's newest quote.
        """
        for symbol, halt in list(self._halts.items()):
            closed_at = self._unconfirmed_halts.get(symbol)
            overtaken = closed_at is not None and self._moved_after(symbol, max(halt.ts, closed_at), newest)
            if overtaken or (opened_at is not None and halt.ts < opened_at):
                del self._halts[symbol]
                self._unconfirmed_halts.pop(symbol, None)

    @property
    def halts(self) -> frozenset[str]:
        """The symbols in which trading is halted, as far as anybody has said."""
        return frozenset(symbol for symbol, halt in self._halts.items() if halt.halted)

    def _moved_after(self, symbol: str, ts: datetime, newest: Callable[[str], datetime | None]) -> bool:
        quoted_at, trade = newest(symbol), self.trades.get(symbol)
        return (quoted_at is not None and quoted_at > ts) or (trade is not None and trade.ts > ts)

    def _is_newer(self, trade: Trade) -> bool:
        known = self.trades.get(trade.symbol)
        return known is None or known.ts < trade.ts
