"""The price of a symbol: the last trade, otherwise the midpoint of a market that is fit to make a price."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from sluice_contract.documents import PriceBasis

from .market import PricedTrade, Quote, Tick

# A market is often locked or crossed for an instant, while quotes of several venues arrive one after the other. For
# this long, the midpoint from before stays.
LOCKED_SECONDS = 1.0
# 20 percent of 1.00 are 0.2, and 1.1 - 0.9 are a little more than that.
_ROUNDING = 1e-9


class Price(msgspec.Struct, frozen=True):
    """A price and what it is based on. Both are None if nothing supports a price."""

    value: float | None
    basis: PriceBasis | None


NO_PRICE = Price(None, None)


class PriceModel:
    """Determines the price of each symbol.

    It knows since when a market has been locked or crossed, in monotonic seconds, and its last usable midpoint. Memory
    is bounded by the number of symbols.
    """

    def __init__(self, max_spread_percent: float = 20.0) -> None:
        self.max_spread_percent = max_spread_percent
        self._locked_since: dict[str, float] = {}
        self._midpoints: dict[str, float] = {}

    def observe_waiting_ticks(self, ticks: Iterable[Tick], at: float) -> None:
        """Note which markets are locked or crossed at `at`. `ticks` are the newest of the symbols that ticked."""
        locked = self._locked_since
        for tick in ticks:
            if tick.is_locked_or_crossed:
                locked.setdefault(tick.symbol, at)
            elif tick.symbol in locked:
                del locked[tick.symbol]

    def price_of(self, quote: Quote, trade: PricedTrade | None, at: float, *, is_halted: bool) -> Price:
        """Return the price of a symbol with this newest quote and last trade at `at`, in monotonic seconds."""
        if is_halted:
            return NO_PRICE
        if trade is not None:
            return Price(trade.price, "trade")
        midpoint = self._usable_midpoint(quote, at)
        return Price(midpoint, "mid") if midpoint is not None else NO_PRICE

    def remember_midpoint(self, quote: Quote) -> None:
        """Keep the midpoint of a quote that is written, unless the quote is not fit to make a price."""
        if not quote.is_locked_or_crossed:
            midpoint = self._midpoint_within_bound(quote)
            if midpoint is not None:
                self._midpoints[quote.symbol] = midpoint
            else:
                self._midpoints.pop(quote.symbol, None)

    def is_unsettled(self, symbol: str) -> bool:
        """Return True if the price of a symbol can change without a new quote, trade or halt."""
        return symbol in self._locked_since

    def retain_only(self, symbols: Collection[str]) -> None:
        """Forget all other symbols."""
        for by_symbol in (self._locked_since, self._midpoints):
            for symbol in by_symbol.keys() - symbols:
                del by_symbol[symbol]

    def _usable_midpoint(self, quote: Quote, at: float) -> float | None:
        if not quote.is_locked_or_crossed:
            return self._midpoint_within_bound(quote)
        has_lasted = at - self._locked_since.get(quote.symbol, at) > LOCKED_SECONDS
        return None if has_lasted else self._midpoints.get(quote.symbol)

    def _midpoint_within_bound(self, quote: Quote) -> float | None:
        """Return the midpoint; None if a side is missing or the spread is wider than the bound."""
        if quote.bid is None or quote.ask is None:
            return None
        midpoint = quote.mid
        if midpoint is None or (quote.ask - quote.bid) * 100 > self.max_spread_percent * midpoint * (1 + _ROUNDING):
            return None
        return midpoint
