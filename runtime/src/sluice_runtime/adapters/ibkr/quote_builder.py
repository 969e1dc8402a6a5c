"""Builds one symbol's quote from IBKR's ticks, each of which contains only one side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ...domain.market import Halt, Quote, Trade, normalised_side

# https://interactivebrokers.github.io/tws-api/tick_types.html
_BID_SIZE, _BID, _ASK, _ASK_SIZE, _LAST, _LAST_SIZE, _HALTED = 0, 1, 2, 3, 4, 5, 49
_HALTS = {0: "trading", 1: "regulatory halt", 2: "volatility halt"}

Side = tuple[float | None, float | None]
# Time, type, price, size: ib_async's TickData.
TickData = tuple[datetime, int, float, float]


class BookChanges(msgspec.Struct, frozen=True):
    """The market data in one frame's ticks."""

    quote: Quote | None
    trade: Trade | None
    halt: Halt | None


class Book:
    """The quote of one subscription. A new subscription starts empty, because earlier sides may no longer exist."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._bid: Side = (None, None)
        self._ask: Side = (None, None)
        self._halt: int | None = None

    def take(self, ticks: Iterable[TickData], at: datetime) -> BookChanges:
        """Apply one frame's ticks. Their event time is the time of arrival, `at`, because IBKR sends none."""
        is_quoted = False
        trade: Trade | None = None
        halt: Halt | None = None
        for _, kind, price, size in ticks:
            if kind in (_LAST, _LAST_SIZE):
                trade = self._trade(price, size, at) or trade
            elif kind == _HALTED:
                halt = self._halted(price, at) or halt
            else:
                is_quoted = self._quoted(kind, price, size) or is_quoted
        return BookChanges(self._quote(at) if is_quoted else None, trade, halt)

    def _quoted(self, kind: int, price: float, size: float) -> bool:
        """Apply one side or its size. An empty side arrives as price -1 or NaN, or as size 0."""
        if kind in (_BID, _BID_SIZE):
            self._bid = _changed(self._bid, kind == _BID, price, size)
        elif kind in (_ASK, _ASK_SIZE):
            self._ask = _changed(self._ask, kind == _ASK, price, size)
        else:
            return False
        return True

    def _quote(self, at: datetime) -> Quote:
        (bid, bid_size), (ask, ask_size) = self._bid, self._ask
        return Quote(symbol=self.symbol, ts=at, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)

    def _trade(self, price: float, size: float, at: datetime) -> Trade | None:
        # A trade at the last price arrives as a size only; ib_async adds the price.
        known, count = normalised_side(price, size)
        return None if known is None else Trade(symbol=self.symbol, ts=at, price=known, size=count or 0.0)

    def _halted(self, value: float, at: datetime) -> Halt | None:
        code = int(value)
        if code == self._halt:
            return None
        self._halt = code
        return Halt(symbol=self.symbol, ts=at, halted=code > 0, code=str(code), reason=_HALTS.get(code, "halt"))


def _changed(known: Side, is_price: bool, price: float, size: float) -> Side:
    price_now = price if is_price else known[0]
    return normalised_side(price_now, size) if price_now is not None and size != 0 else (None, None)
