"""The content of each quote document as acknowledged by Firestore, so that only changes are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from sluice_contract.documents import LiveQuote, QuoteState

from .market import DocumentOrigin, Quote, Tick, Trade, to_live_quote

# An unchanged quote is written again after this long, so that its times catch up with the stream.
REFRESH_SECONDS = 15.0
# With many symbols, refreshes may take one of this many rounds of writes; the rest is for changed quotes.
_REFRESH_ROUNDS = 3
# A timer that fires a little early must not cost a refresh a whole round.
_TOLERANCE_SECONDS = 0.001


class QuoteContent(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one quote document, to be written."""

    quote: Quote
    trade: Trade | None = None
    status: QuoteState = "live"
    not_before: datetime | None = None  # the document's last time: `ts` never goes back

    @property
    def price(self) -> float | None:
        """The price of the last trade if known, otherwise the mid."""
        return self.trade.price if self.trade else self.quote.mid

    @property
    def ts(self) -> datetime:
        """The time of the newest part of the content."""
        times = (self.quote.ts, self.trade.ts if self.trade else None, self.not_before)
        return max(ts for ts in times if ts is not None)

    @property
    def compared_values(self) -> tuple[object, ...]:
        """The values whose change causes a write. Times are not among them: a refresh updates them."""
        quote = self.quote
        return quote.bid, quote.ask, quote.bid_size, quote.ask_size, self.price, self.status

    def to_live_quote(self, origin: DocumentOrigin, seq: int, written_at: datetime) -> LiveQuote:
        """Return the document with this content."""
        plain = to_live_quote(self.quote, origin, seq, written_at)
        return msgspec.structs.replace(plain, price=self.price, ts=self.ts, status=self.status)


def refresh_seconds(effective_interval_seconds: float) -> float:
    """Return the seconds after which an unchanged quote is written again."""
    return max(REFRESH_SECONDS, _REFRESH_ROUNDS * effective_interval_seconds)


class PublishedDocuments:
    """Tracks the documents. Times are monotonic seconds. Memory is bounded by the number of symbols."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[QuoteContent, float]] = {}
        self._held: dict[str, Tick] = {}
        self._floors: dict[str, datetime] = {}  # the latest `ts` that each document has or may have
        self._states: dict[str, QuoteState | None] = {}  # None: a status was sent, but not acknowledged

    def retain_only(self, symbols: frozenset[str]) -> None:
        """Forget all other symbols."""
        for book in (self._said, self._held, self._floors, self._states):
            for symbol in book.keys() - symbols:
                del book[symbol]

    @property
    def symbols(self) -> set[str]:
        """The symbols that have, or may have, documents."""
        return {*self._said, *self._floors, *self._states}

    def needs_write(self, statement: QuoteContent, at: float, refresh: float) -> bool:
        """Return True if the document differs, or was last written at least `refresh` seconds ago."""
        said, said_at = self._said.get(statement.quote.symbol, (None, at))
        return (
            said is None
            or said.compared_values != statement.compared_values
            or at - said_at >= refresh - _TOLERANCE_SECONDS
        )

    def hold_for_refresh(self, tick: Tick) -> None:
        """Keep a tick that changes nothing, for the refresh."""
        self._held[tick.symbol] = tick

    def take_due_refreshes(self, at: float, refresh: float) -> list[Tick]:
        """Take the ticks whose refresh is due."""
        least = refresh - _TOLERANCE_SECONDS
        ready = [symbol for symbol in self._held if at - self._last_written_at(symbol) >= least]
        return [self._held.pop(symbol) for symbol in ready]

    def ticks_with_changed_price(self, trades: Mapping[str, Trade]) -> list[Tick]:
        """Return the newest ticks of documents whose price has changed. `trades` holds the newest trade per symbol."""
        found: list[Tick] = []
        for symbol, (said, _) in self._said.items():
            trade = trades.get(symbol)
            if said.trade is not trade and said.price != (trade.price if trade is not None else said.quote.mid):
                found.append(self._held.get(symbol, said.quote))
        return found

    def content_to_write(self, quote: Quote, trade: Trade | None, status: QuoteState) -> QuoteContent:
        """Return the content to write. If a trade no longer counts, the price changes, but `ts` does not go back."""
        return QuoteContent(quote=quote, trade=trade, status=status, not_before=self._floors.get(quote.symbol))

    def mark_sending(self, statements: Iterable[QuoteContent], horizon: datetime) -> None:
        """Record that these are being written. A time later than `horizon` is bad and does not limit later ones."""
        for statement in statements:
            if statement.ts <= horizon:
                self._floors[statement.quote.symbol] = statement.ts

    def mark_written(self, statements: Iterable[QuoteContent], at: float) -> None:
        """Record that Firestore acknowledged these."""
        for statement in statements:
            symbol = statement.quote.symbol
            self._said[symbol] = (statement, at)
            self._states[symbol] = statement.status
            self._held.pop(symbol, None)

    def mark_status_sending(self, symbols: Iterable[str]) -> None:
        """Note that a status is being written to the quote documents of `symbols`.

        Until Firestore acknowledges the write, their status is unknown.
        """
        for symbol in symbols:
            self._states[symbol] = None

    def mark_status_written(self, symbols: Iterable[str], state: QuoteState) -> None:
        """Record that Firestore acknowledged this status for those documents of `symbols` that exist."""
        for symbol in symbols:
            self._states[symbol] = state
            if symbol in self._said:
                said, at = self._said[symbol]
                self._said[symbol] = (msgspec.structs.replace(said, status=state), at)

    def mark_unknown(self, symbols: Iterable[str]) -> None:
        """Record that a write failed or its outcome is unknown: the next tick is written in any case."""
        for symbol in symbols:
            self._said.pop(symbol, None)
            if self._states.pop(symbol, "live") != "live":
                self._states[symbol] = None  # remember that the document may not say live

    def known_status(self, symbol: str) -> QuoteState | None:
        """Return the status in the document; None if it is unknown."""
        return self._states.get(symbol)

    def symbols_not_live(self) -> set[str]:
        """Return the symbols whose documents have, or may have, a status other than live."""
        return {symbol for symbol, state in self._states.items() if state != "live"}

    def _last_written_at(self, symbol: str) -> float:
        said = self._said.get(symbol)
        return said[1] if said else float("-inf")
