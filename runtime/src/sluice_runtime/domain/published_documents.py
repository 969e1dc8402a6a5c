"""What each quote document says, as far as Firestore has acknowledged it: so that only news is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from sluice_contract.documents import LiveQuote, QuoteState

from .market import Origin, Quote, Tick, Trade, live_quote

# An unchanged quote is written again after this long, so that its times catch up with the stream.
REFRESH_SECONDS = 15.0
# With many symbols, refreshes may take this part of the budget: the rest is for news.
_REFRESH_ROUNDS = 3
# A timer that fires a little early must not cost a refresh a whole round.
_TOLERANCE_SECONDS = 0.001


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of a symbol."""

    quote: Quote
    trade: Trade | None = None
    status: QuoteState = "live"
    not_before: datetime | None = None  # the document's time: it never goes back, whatever counts no longer

    @property
    def price(self) -> float | None:
        """The last trade's where one is known, else the mid."""
        return self.trade.price if self.trade else self.quote.mid

    @property
    def ts(self) -> datetime:
        """When the newest part of it happened."""
        times = (self.quote.ts, self.trade.ts if self.trade else None, self.not_before)
        return max(ts for ts in times if ts is not None)

    @property
    def compared_values(self) -> tuple[object, ...]:
        """All that is worth a write. Times are not: they catch up by a refresh."""
        quote = self.quote
        return quote.bid, quote.ask, quote.bid_size, quote.ask_size, self.price, self.status

    def document(self, origin: Origin, seq: int, written_at: datetime) -> LiveQuote:
        """The document that says so."""
        plain = live_quote(self.quote, origin, seq, written_at)
        return msgspec.structs.replace(plain, price=self.price, ts=self.ts, status=self.status)


def refresh_seconds(effective_interval_seconds: float) -> float:
    """How long an unchanged quote may wait for its refresh."""
    return max(REFRESH_SECONDS, _REFRESH_ROUNDS * effective_interval_seconds)


class PublishedDocuments:
    """Times are monotonic seconds. Memory is bounded by the number of symbols."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[Statement, float]] = {}
        self._held: dict[str, Tick] = {}
        self._floors: dict[str, datetime] = {}  # the latest time that each document has, or may have
        self._states: dict[str, QuoteState | None] = {}  # None: a mark was asked for, and perhaps made

    def keep(self, symbols: frozenset[str]) -> None:
        """Forgets all other symbols."""
        for book in (self._said, self._held, self._floors, self._states):
            for symbol in book.keys() - symbols:
                del book[symbol]

    @property
    def symbols(self) -> set[str]:
        """Those of which there are, or may be, documents."""
        return {*self._said, *self._floors, *self._states}

    def is_news(self, statement: Statement, at: float, refresh: float) -> bool:
        """Whether the document says something else, or has said the same for `refresh` seconds."""
        said, said_at = self._said.get(statement.quote.symbol, (None, at))
        return (
            said is None
            or said.compared_values != statement.compared_values
            or at - said_at >= refresh - _TOLERANCE_SECONDS
        )

    def hold(self, tick: Tick) -> None:
        """Keeps a tick that is no news, for the refresh."""
        self._held[tick.symbol] = tick

    def due(self, at: float, refresh: float) -> list[Tick]:
        """Takes the ticks whose refresh is due."""
        least = refresh - _TOLERANCE_SECONDS
        ready = [symbol for symbol in self._held if at - self._said_at(symbol) >= least]
        return [self._held.pop(symbol) for symbol in ready]

    def repriced(self, trades: Mapping[str, Trade]) -> list[Tick]:
        """The newest ticks of documents whose price is another by now. `trades` is the newest of each symbol."""
        found: list[Tick] = []
        for symbol, (said, _) in self._said.items():
            trade = trades.get(symbol)
            if said.trade is not trade and said.price != (trade.price if trade is not None else said.quote.mid):
                found.append(self._held.get(symbol, said.quote))
        return found

    def statement(self, quote: Quote, trade: Trade | None, status: QuoteState) -> Statement:
        """What is to be said. A trade that counts no longer takes its price with it, and not the document's time."""
        return Statement(quote=quote, trade=trade, status=status, not_before=self._floors.get(quote.symbol))

    def sending(self, statements: Iterable[Statement], horizon: datetime) -> None:
        """These may be in Firestore from now on. A stamp later than `horizon` is bad, and holds nothing to itself."""
        for statement in statements:
            if statement.ts <= horizon:
                self._floors[statement.quote.symbol] = statement.ts

    def wrote(self, statements: Iterable[Statement], at: float) -> None:
        """Firestore acknowledged."""
        for statement in statements:
            symbol = statement.quote.symbol
            self._said[symbol] = (statement, at)
            self._states[symbol] = statement.status
            self._held.pop(symbol, None)

    def marking(self, symbols: Iterable[str]) -> None:
        """The documents of `symbols` are about to be marked: their status is not known until that is acknowledged."""
        for symbol in symbols:
            self._states[symbol] = None

    def marked(self, symbols: Iterable[str], state: QuoteState) -> None:
        """Firestore acknowledged that the documents of `symbols`, where there are any, have this status."""
        for symbol in symbols:
            self._states[symbol] = state
            if symbol in self._said:
                said, at = self._said[symbol]
                self._said[symbol] = (msgspec.structs.replace(said, status=state), at)

    def doubt(self, symbols: Iterable[str]) -> None:
        """A write of these failed, or its outcome is unknown: whatever comes next is news."""
        for symbol in symbols:
            self._said.pop(symbol, None)
            if self._states.pop(symbol, "live") != "live":
                self._states[symbol] = None  # what is not live shall not be forgotten to be so

    def state(self, symbol: str) -> QuoteState | None:
        """The status that the document has; None where it is not known."""
        return self._states.get(symbol)

    def odd(self) -> set[str]:
        """The symbols whose documents say, or may say, anything but live."""
        return {symbol for symbol, state in self._states.items() if state != "live"}

    def _said_at(self, symbol: str) -> float:
        said = self._said.get(symbol)
        return said[1] if said else float("-inf")
