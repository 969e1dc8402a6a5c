"""A made-up day as a tape: random walks with quotes, trades and minute bars, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ..adapters.recording import TapeFile
from ..domain.market import Bar, Quote, Trade
from ..providers.simulated_quotes import PriceWalk

# The opening of the New York Stock Exchange on a Monday without holidays near it.
_OPENING: Final = datetime(2026, 11, 16, 14, 30, tzinfo=UTC)
_TRADES_PER_QUOTE: Final = 0.3


def write_sample_day(path: Path, symbols: Sequence[str], minutes: int, seed: int) -> None:
    """Write a tape with one quote of each symbol a second, trades at these quotes, and a bar a minute.

    Raises:
        OSError: the file cannot be written, or is not empty.
    """
    tape = TapeFile(path)
    days = [_SymbolDay(symbol, seed) for symbol in symbols]
    for minute in range(minutes):
        start = _OPENING + timedelta(minutes=minute)
        for second in range(60):
            for number, day in enumerate(days):
                ts = start + timedelta(seconds=second, milliseconds=1000 * number // len(days))
                quote, trades = day.next_quote_and_trades(ts)
                tape.add_ticks([quote])
                tape.add_trades(trades)
        tape.add_bars([bar for day in days if (bar := day.take_bar(start)) is not None])
    tape.close()


class _SymbolDay:
    """The day of one symbol."""

    def __init__(self, symbol: str, seed: int) -> None:
        self._symbol = symbol
        self._walk = PriceWalk(seed, symbol)
        self._random = random.Random(f"{seed}:{symbol}:trades")
        self._trades: list[Trade] = []  # of the minute

    def next_quote_and_trades(self, ts: datetime) -> tuple[Quote, list[Trade]]:
        """Return the next quote, and the trades at its bid or ask."""
        quote = self._walk.next_quote(ts)
        trades = []
        if self._random.random() < _TRADES_PER_QUOTE:
            price = self._random.choice((quote.bid, quote.ask)) or 0.0
            size = float(self._random.randrange(1, 50) * 10)
            trades = [Trade(symbol=self._symbol, ts=ts, price=price, size=size)]
        self._trades += trades
        return quote, trades

    def take_bar(self, start: datetime) -> Bar | None:
        """Return the bar of the minute that began at `start`; None if it has no trades."""
        trades, self._trades = self._trades, []
        prices = [trade.price for trade in trades]
        if not prices:
            return None
        volume = sum(trade.size or 0.0 for trade in trades)
        first, last = prices[0], prices[-1]
        return Bar(
            symbol=self._symbol, ts=start, open=first, high=max(prices), low=min(prices), close=last, volume=volume
        )
