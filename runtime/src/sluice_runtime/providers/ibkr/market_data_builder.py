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


class MarketDataChanges(msgspec.Struct, frozen=True):
    """The market data that one frame of ticks changes: a quote, a trade and a halt, or None for each."""

    quote: Quote | None
    trade: Trade | None
    halt: Halt | None


class MarketDataBuilder:
    """Builds the quotes of one subscription from its ticks.

    A new subscription starts without a bid and an ask, because earlier ones may no longer exist.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._bid: Side = (None, None)
        self._ask: Side = (None, None)
        self._halt: int | None = None

    def apply_ticks(self, ticks: Iterable[TickData], at: datetime) -> MarketDataChanges:
        """Apply the ticks of one frame and return the changes.

        Their event time is `at`, the time of arrival, because IBKR sends no event time.
        """
        is_quoted = False
        trade: Trade | None = None
        halt: Halt | None = None
        for _, kind, price, size in ticks:
            if kind in (_LAST, _LAST_SIZE):
                trade = self._trade_from_tick(price, size, at) or trade
            elif kind == _HALTED:
                halt = self._halt_if_changed(price, at) or halt
            else:
                is_quoted = self._apply_quote_tick(kind, price, size) or is_quoted
        return MarketDataChanges(self._current_quote(at) if is_quoted else None, trade, halt)

    def _apply_quote_tick(self, kind: int, price: float, size: float) -> bool:
        """Apply a bid, an ask, or the size of one. Return False for any other tick.

        An absent bid or ask arrives as price -1 or NaN, or as size 0.
        """
        if kind in (_BID, _BID_SIZE):
            self._bid = _updated_side(self._bid, kind == _BID, price, size)
        elif kind in (_ASK, _ASK_SIZE):
            self._ask = _updated_side(self._ask, kind == _ASK, price, size)
        else:
            return False
        return True

    def _current_quote(self, at: datetime) -> Quote:
        (bid, bid_size), (ask, ask_size) = self._bid, self._ask
        return Quote(symbol=self.symbol, ts=at, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)

    def _trade_from_tick(self, price: float, size: float, at: datetime) -> Trade | None:
        # A trade at the last price arrives as a size only; ib_async adds the price.
        known, count = normalised_side(price, size)
        return None if known is None else Trade(symbol=self.symbol, ts=at, price=known, size=count or 0.0)

    def _halt_if_changed(self, value: float, at: datetime) -> Halt | None:
        code = int(value)
        if code == self._halt:
            return None
        self._halt = code
        return Halt(symbol=self.symbol, ts=at, halted=code > 0, code=str(code), reason=_HALTS.get(code, "halt"))


def _updated_side(known: Side, is_price: bool, price: float, size: float) -> Side:
    price_now = price if is_price else known[0]
    return normalised_side(price_now, size) if price_now is not None and size != 0 else (None, None)
