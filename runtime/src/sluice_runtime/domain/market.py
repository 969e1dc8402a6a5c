"""Market data in one form for all providers."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from sluice_contract.documents import LiveBar, LiveQuote

_INFINITY = float("inf")


class Tick(Protocol):
    """A quote in its provider's own form.

    It is converted to a `Quote` only when it is written, because most ticks are replaced by a newer one before that.
    """

    @property
    def symbol(self) -> str: ...

    @property
    def ts(self) -> datetime: ...

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
    def mid(self) -> float | None:
        """The midpoint of bid and ask; None if a side is missing or the market is crossed."""
        if self.bid is None or self.ask is None or self.bid > self.ask:
            return None
        return (self.bid + self.ask) / 2


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade of a symbol at `ts`, the event time."""

    symbol: str
    ts: datetime
    price: float
    size: float


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


def normalised_side(price: float, size: float) -> tuple[float | None, float | None]:
    """Return price and size of the bid or the ask, with None for what is missing. Without a price, both are None."""
    if not is_valid_price(price):
        return None, None
    return price, size if 0 <= size < _INFINITY else None


def to_live_quote(quote: Quote, origin: DocumentOrigin, seq: int, written_at: datetime) -> LiveQuote:
    """Return the document of a quote. `seq` is the number of the write within this process."""
    return LiveQuote(
        symbol=quote.symbol,
        bid=quote.bid,
        ask=quote.ask,
        bid_size=quote.bid_size,
        ask_size=quote.ask_size,
        price=quote.mid,
        price_basis="mid" if quote.mid is not None else None,
        ts=quote.ts,
        source=origin.source,
        job=origin.job,
        session_id=origin.session_id,
        seq=seq,
        epoch=origin.epoch,
        written_at=written_at,
    )


def to_live_bar(bar: Bar, origin: DocumentOrigin) -> LiveBar:
    """Return the document of a one-minute bar."""
    return LiveBar(timeframe="1Min", job=origin.job, **msgspec.structs.asdict(bar))
