"""Market data in one form for all providers."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from sluice_contract.documents import LiveBar

from .sale_conditions import REGULAR_SALE, LastSaleRule

_INFINITY = float("inf")


class Tick(Protocol):
    """A quote in its provider's own form.

    It is converted to a `Quote` only when it is written, because most ticks are replaced by a newer one before that.
    """

    @property
    def symbol(self) -> str: ...

    @property
    def ts(self) -> datetime: ...

    @property
    def is_locked_or_crossed(self) -> bool: ...

    def to_quote(self) -> Quote: ...


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Best bid and ask of a symbol at `ts`, the event time. A missing side is None, never 0."""

    symbol: str
    ts: datetime
    bid: float | None
    ask: float | None
    bid_size: float | None
    ask_size: float | None

    def to_quote(self) -> Quote:
        """Return the quote itself. Providers whose data needs no conversion use `Quote` as their tick."""
        return self

    @property
    def is_locked_or_crossed(self) -> bool:
        """True if the bid is at or above the ask."""
        return self.bid is not None and self.ask is not None and self.bid >= self.ask

    @property
    def mid(self) -> float | None:
        """The midpoint of bid and ask; None if a side is missing or the market is crossed."""
        if self.bid is None or self.ask is None or self.bid > self.ask:
            return None
        return _midpoint(self.bid, self.ask)


class PricedTrade(Protocol):
    """A trade that sets the price of its symbol, at `ts`, the event time."""

    @property
    def ts(self) -> datetime: ...

    @property
    def price(self) -> float: ...


class TradeTick(Protocol):
    """A trade in its provider's own form.

    `id` is the venue's number of the trade, None if it has none. `exchange` is the venue's letter, empty if unknown.
    """

    @property
    def symbol(self) -> str: ...

    @property
    def ts(self) -> datetime: ...

    @property
    def price(self) -> float: ...

    @property
    def id(self) -> int | None: ...

    @property
    def exchange(self) -> str: ...

    @property
    def rule(self) -> LastSaleRule: ...


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade of a symbol at `ts`, the event time. `rule` says whether it sets the last price."""

    symbol: str
    ts: datetime
    price: float
    size: float | None = None
    id: int | None = None
    exchange: str = ""
    rule: LastSaleRule = REGULAR_SALE


class TradeCancellation(msgspec.Struct, frozen=True, kw_only=True):
    """A trade did not take place. `price` is that of the trade and `ts` is when it was canceled; None if unknown."""

    symbol: str
    ts: datetime | None
    id: int
    exchange: str
    price: float | None


class TradeCorrection(msgspec.Struct, frozen=True, kw_only=True):
    """A trade took place otherwise than reported: with another price or other conditions, and now with another id.

    `ts` is when it was corrected; None if unknown.
    """

    symbol: str
    ts: datetime | None
    exchange: str
    original_id: int
    original_price: float | None
    id: int | None
    price: float
    rule: LastSaleRule = REGULAR_SALE


TradeEvent = TradeTick | TradeCancellation | TradeCorrection


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """A trading halt of a symbol at `ts`, or a resumption (`halted` is False). `reason` is the venue's own text.

    Providers report changes only, not the state on connecting: before the first report, the state is unknown.
    """

    symbol: str
    ts: datetime
    halted: bool
    code: str
    reason: str


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """The trades of one minute that began at `ts`."""

    symbol: str
    ts: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class DocumentOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that name the writer of a document. They are the same on all documents of a process.

    `job` is namespace/name.
    """

    source: str
    job: str
    session_id: str
    epoch: int


def is_valid_price(price: float) -> bool:
    """Return True if the price is positive and finite. Providers send 0, -1 or NaN for a missing price."""
    return 0 < price < _INFINITY


def _midpoint(bid: float, ask: float) -> float:
    """Return the midpoint without the noise of binary fractions: with six decimals.

    Where these are too few, as for some crypto pairs, it has twelve: a midpoint is never outside of bid and ask.
    """
    exact = bid + (ask - bid) / 2  # the sum of two large prices could be infinite
    for decimals in (6, 12):
        if bid <= (rounded := round(exact, decimals)) <= ask:
            return rounded
    return exact


def normalised_side(price: float, size: float) -> tuple[float | None, float | None]:
    """Return price and size of the bid or the ask, with None for what is missing. Without a price, both are None."""
    if not is_valid_price(price):
        return None, None
    return price, size if 0 <= size < _INFINITY else None


def to_live_bar(bar: Bar, origin: DocumentOrigin) -> LiveBar:
    """Return the document of a one-minute bar."""
    return LiveBar(timeframe="1Min", job=origin.job, **msgspec.structs.asdict(bar))
