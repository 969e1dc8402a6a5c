"""The content of each quote document as acknowledged by Firestore, so that only changes are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from sluice_contract.documents import LiveQuote, PriceBasis, QuoteState

from .market import DocumentOrigin, PricedTrade, Quote, Tick
from .prices import PriceModel

# An unchanged quote is written again after this long, so that its times catch up with the stream.
REFRESH_SECONDS = 15.0
# With many symbols, refreshes may take one of this many rounds of writes; the rest is for changed quotes.
_REFRESH_ROUNDS = 3
# A timer that fires a little early must not cost a refresh a whole round.
_TOLERANCE_SECONDS = 0.001


class QuoteContent(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one quote document: a quote, the price and what it is based on, the last trade and the status."""

    quote: Quote
    price: float | None = None
    price_basis: PriceBasis | None = None
    trade: PricedTrade | None = None
    status: QuoteState = "live"
    is_halted: bool = False  # when the price was determined; a status can be written without the price
    not_before: datetime | None = None  # the document's last time: `ts` never goes back

    @property
    def ts(self) -> datetime:
        """The `ts` of the new document: the latest of the quote's, the trade's and the stored document's event time."""
        times = (self.quote.ts, self.trade.ts if self.trade else None, self.not_before)
        return max(ts for ts in times if ts is not None)

    @property
    def compared_values(self) -> tuple[object, ...]:
        """The values whose change causes a write. A change of a time alone waits for the next refresh."""
        quote = self.quote
        return quote.bid, quote.ask, quote.bid_size, quote.ask_size, self.price, self.price_basis, self.status

    def to_live_quote(self, origin: DocumentOrigin, seq: int, written_at: datetime) -> LiveQuote:
        """Return the document with this content. `seq` is the number of the write within this process."""
        quote = self.quote
        return LiveQuote(
            symbol=quote.symbol,
            bid=quote.bid,
            ask=quote.ask,
            bid_size=quote.bid_size,
            ask_size=quote.ask_size,
            price=self.price,
            price_basis=self.price_basis,
            ts=self.ts,
            source=origin.source,
            job=origin.job,
            session_id=origin.session_id,
            seq=seq,
            epoch=origin.epoch,
            written_at=written_at,
            status=self.status,
        )


def refresh_seconds(effective_interval_seconds: float) -> float:
    """Return the seconds after which an unchanged quote is written again, so that its times stay current."""
    return max(REFRESH_SECONDS, _REFRESH_ROUNDS * effective_interval_seconds)


class PublishedDocuments:
    """Remembers the content of each quote document and when it was written, in monotonic seconds.

    Memory is bounded by the number of symbols.
    """

    def __init__(self) -> None:
        self.prices = PriceModel()
        self._is_bound_new = False  # whether all prices must be determined again
        self._written: dict[str, tuple[QuoteContent, float]] = {}
        self._unwritten_ticks: dict[str, Tick] = {}
        self._floors: dict[str, datetime] = {}  # the latest `ts` that each document has or may have
        self._states: dict[str, QuoteState | None] = {}  # None: a status was sent, but not acknowledged
        self.rewrite_requests = 0  # how often all documents were requested to be written again

    def retain_only(self, symbols: frozenset[str]) -> None:
        """Forget the documents of all symbols that are not in `symbols`."""
        self.prices.retain_only(symbols)
        for by_symbol in (self._written, self._unwritten_ticks, self._floors, self._states):
            for symbol in by_symbol.keys() - symbols:
                del by_symbol[symbol]

    @property
    def symbols(self) -> set[str]:
        """The symbols for which a quote document exists or may exist."""
        return {*self._written, *self._floors, *self._states}

    def request_rewrite(self) -> None:
        """Request that all documents are written once more, because some may have been deleted or changed."""
        self.rewrite_requests += 1

    def hold_all_for_rewrite(self) -> None:
        """Forget the content of all documents, and hold the newest tick of each for an immediate refresh."""
        for symbol, (content, _) in self._written.items():
            self._unwritten_ticks.setdefault(symbol, content.quote)
        self.mark_content_unknown(list(self._written))

    def needs_write(self, content: QuoteContent, at: float, refresh: float) -> bool:
        """Return True if the document differs from `content`, or was last written at least `refresh` seconds ago."""
        written, written_at = self._written.get(content.quote.symbol, (None, at))
        return (
            written is None
            or written.compared_values != content.compared_values
            or at - written_at >= refresh - _TOLERANCE_SECONDS
        )

    def hold_for_refresh(self, tick: Tick) -> None:
        """Keep a tick that does not change its document until the document is refreshed."""
        self._unwritten_ticks[tick.symbol] = tick

    def take_ticks_due_for_refresh(self, at: float, refresh: float) -> list[Tick]:
        """Remove the ticks whose documents were last written at least `refresh` seconds ago, and return them."""
        least = refresh - _TOLERANCE_SECONDS
        ready = [symbol for symbol in self._unwritten_ticks if at - self._last_written_at(symbol) >= least]
        return [self._unwritten_ticks.pop(symbol) for symbol in ready]

    def set_max_spread_percent(self, percent: float) -> None:
        """Set the widest spread whose midpoint is a price, in percent of the midpoint."""
        self._is_bound_new |= percent != self.prices.max_spread_percent
        self.prices.max_spread_percent = percent

    def ticks_with_changed_price(
        self, last_trade: Callable[[str], PricedTrade | None], is_halted: Callable[[str], bool], at: float
    ) -> list[Tick]:
        """Return the newest tick of each document whose price at `at` (monotonic seconds) differs from what it has.

        A price changes without a quote because of a trade, its cancellation, a halt or a new bound, or because a
        market has been locked or crossed for too long.
        """
        found: list[Tick] = []
        is_bound_new, self._is_bound_new = self._is_bound_new, False
        for symbol, (written, _) in self._written.items():
            trade, halted = last_trade(symbol), is_halted(symbol)
            has_event = trade is not written.trade or halted is not written.is_halted or is_bound_new
            if has_event or self.prices.is_unsettled(symbol):
                price = self.prices.price_of(written.quote, trade, at, is_halted=halted)
                if (price.value, price.basis) != (written.price, written.price_basis):
                    found.append(self._unwritten_ticks.get(symbol, written.quote))
        return found

    def content_to_write(self, quote: Quote, trade: PricedTrade | None, status: QuoteState, at: float) -> QuoteContent:
        """Return the content to write for a symbol at `at`, in monotonic seconds.

        Its `ts` is never earlier than that of the document. Without this limit, `ts` would go back when a trade no
        longer determines the price. A halted symbol has no price.
        """
        self.prices.remember_midpoint(quote)
        is_halted = status == "halted"
        price = self.prices.price_of(quote, trade, at, is_halted=is_halted)
        return QuoteContent(
            quote=quote,
            price=price.value,
            price_basis=price.basis,
            trade=trade,
            status=status,
            is_halted=is_halted,
            not_before=self._floors.get(quote.symbol),
        )

    def mark_contents_sending(self, contents: Iterable[QuoteContent], horizon: datetime) -> None:
        """Record that the write of these contents has begun.

        From now on, `ts` of these documents does not go back. A `ts` later than `horizon` is wrong and sets no limit,
        and a limit from before that turns out to be wrong is dropped.
        """
        for content in contents:
            if content.ts <= horizon:
                self._floors[content.quote.symbol] = content.ts
            else:
                self._floors.pop(content.quote.symbol, None)

    def mark_contents_written(self, contents: Iterable[QuoteContent], at: float) -> None:
        """Record that Firestore acknowledged the write of these contents."""
        for content in contents:
            symbol = content.quote.symbol
            self._written[symbol] = (content, at)
            self._states[symbol] = content.status
            self._unwritten_ticks.pop(symbol, None)

    def mark_status_sending(self, symbols: Iterable[str]) -> None:
        """Record that the write of a status to the quote documents of `symbols` has begun.

        Until Firestore acknowledges the write, the status in these documents is unknown.
        """
        for symbol in symbols:
            self._states[symbol] = None

    def mark_status_written(self, symbols: Iterable[str], state: QuoteState) -> None:
        """Record that Firestore acknowledged this status for those documents of `symbols` that exist."""
        for symbol in symbols:
            self._states[symbol] = state
            if symbol in self._written:
                written, at = self._written[symbol]
                self._written[symbol] = (msgspec.structs.replace(written, status=state), at)

    def mark_content_unknown(self, symbols: Iterable[str]) -> None:
        """Forget the content of these documents, because a write failed or its outcome is unknown.

        The next tick of each symbol is then written even if it changes nothing.
        """
        for symbol in symbols:
            self._written.pop(symbol, None)
            if self._states.pop(symbol, "live") != "live":
                self._states[symbol] = None  # remember that the document may not say live

    def newest_tick(self, symbol: str) -> Tick | None:
        """Return the tick that is held for a refresh, otherwise the quote in the document; None if neither is known."""
        written = self._written.get(symbol)
        return self._unwritten_ticks.get(symbol) or (written[0].quote if written else None)

    def seconds_of_last_write(self, symbol: str) -> float | None:
        """Return when the document of a symbol was last written, in monotonic seconds; None if that is unknown."""
        written = self._written.get(symbol)
        return written[1] if written else None

    def known_status(self, symbol: str) -> QuoteState | None:
        """Return the status in the quote document of a symbol; None if it is unknown."""
        return self._states.get(symbol)

    def symbols_not_live(self) -> set[str]:
        """Return the symbols whose documents have, or may have, a status other than live."""
        return {symbol for symbol, state in self._states.items() if state != "live"}

    def _last_written_at(self, symbol: str) -> float:
        written = self._written.get(symbol)
        return written[1] if written else float("-inf")
