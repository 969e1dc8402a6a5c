"""The newest values of each symbol except its quotes: last trades, last halt or resumption, last bar.

Memory is bounded by the number of declared symbols, except for halts: providers report those of the whole market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sluice_contract.spec import Channel

from .market import Bar, Halt, TradeCancellation, TradeCorrection, TradeEvent
from .market_snapshot import MarketSnapshot
from .sale_conditions import LastSaleRule, metric_labels
from .trade_history import HeldTrade, TradeHistory

_INFINITY = float("inf")


class LastValues:
    """Holds the last trades, and the newest halt and bar of each symbol.

    Trades and bars are ignored until `set_kept_symbols` has been called.
    """

    def __init__(self, unknown_conditions: dict[tuple[str, str], int] | None = None) -> None:
        """Count the trades with a sale condition that is not known in `unknown_conditions`, by tape and code."""
        self._trades: dict[str, TradeHistory] = {}
        self._unknown_conditions = {} if unknown_conditions is None else unknown_conditions
        self.bars: dict[str, Bar] = {}  # bars that wait to be written
        self.bar_times: dict[str, datetime] = {}  # of the last bar of each symbol
        self._halts: dict[str, Halt] = {}  # the last halt or resumption of each symbol
        self._unconfirmed_halts: dict[str, datetime] = {}  # for halts from a connection that is closed: when it closed
        self._of_bars: frozenset[str] = frozenset()

    def set_kept_symbols(
        self, declared: frozenset[str], streamed: frozenset[str], channels: frozenset[Channel]
    ) -> None:
        """Set the symbols whose values are kept, and forget the values of all others.

        A paused symbol keeps its trades, because its document contains the price.
        """
        traded = declared if "trades" in channels else frozenset[str]()
        self._trades = {symbol: self._trades.get(symbol) or TradeHistory() for symbol in traded}
        self._of_bars = streamed if "bars" in channels else frozenset()
        for symbol in self.bar_times.keys() - self._of_bars:
            del self.bar_times[symbol]
            self.bars.pop(symbol, None)

    def record_trades(self, events: Iterable[TradeEvent], horizon: datetime) -> None:
        """Apply trades, their cancellations and corrections in the order of arrival. Invalid prices are ignored.

        A trade later than `horizon` (now plus a few seconds of skew) has a bad timestamp: any other trade replaces it.
        """
        find_history = self._trades.get
        for event in events:
            history = find_history(event.symbol)
            if history is None:
                continue
            kind = type(event)
            if kind is TradeCancellation:
                history.cancel(event, horizon)  # type: ignore[arg-type]  # mypy does not know the type from `kind`
            elif kind is TradeCorrection:
                history.correct(event, horizon)  # type: ignore[arg-type]
            elif 0 < event.price < _INFINITY:  # type: ignore[operator]
                rule: LastSaleRule = event.rule  # type: ignore[union-attr]
                if rule.unknown_codes:
                    self._count_unknown_conditions(rule)
                if rule.effect != "never":
                    history.add(event, rule, horizon)  # type: ignore[arg-type]

    def record_snapshot_trades(self, latest: MarketSnapshot, horizon: datetime) -> None:
        """Apply the newest trade of each symbol from a snapshot. Trades later than `horizon` are ignored.

        A trade from before the connection that is newer than the snapshot's has been canceled.
        """
        self.record_trades(latest.cancellations, horizon)
        for trade in latest.trades:
            history = self._trades.get(trade.symbol)
            if history is not None and trade.ts <= horizon:
                history.apply_snapshot(trade, trade.rule, horizon)

    def last_trade(self, symbol: str) -> HeldTrade | None:
        """Return the trade that sets the price of a symbol; None if there is none."""
        history = self._trades.get(symbol)
        return history.last if history is not None else None

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

    def restore_bars(self, bars: Iterable[Bar]) -> None:
        """Keep written bars once more, except where a newer bar waits to be written."""
        for bar in bars:
            if bar.symbol in self._of_bars:
                self.bars.setdefault(bar.symbol, bar)

    def record_halts(self, halts: Iterable[Halt]) -> None:
        """Keep the last halt or resumption of each symbol, including symbols that may be declared later."""
        for halt in halts:
            self._halts[halt.symbol] = halt
            self._unconfirmed_halts.pop(halt.symbol, None)

    def mark_unconfirmed(self, at: datetime) -> None:
        """Mark all halts and trades as unconfirmed, because the connection closed at `at`.

        Trading may resume, and trades may be canceled, while no connection is open, and providers do not repeat it.
        """
        for history in self._trades.values():
            history.mark_unconfirmed()
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

    def is_halted(self, symbol: str) -> bool:
        """Return True if the last report from the provider about a symbol is a halt."""
        halt = self._halts.get(symbol)
        return halt is not None and halt.halted

    def _count_unknown_conditions(self, rule: LastSaleRule) -> None:
        for labels in {metric_labels(rule.tape, code) for code in rule.unknown_codes}:
            self._unknown_conditions[labels] = self._unknown_conditions.get(labels, 0) + 1

    def _has_newer_quote_or_trade(
        self, symbol: str, ts: datetime, newest_quote_time: Callable[[str], datetime | None]
    ) -> bool:
        quoted_at, trade = newest_quote_time(symbol), self.last_trade(symbol)
        return (quoted_at is not None and quoted_at > ts) or (trade is not None and trade.ts > ts)
