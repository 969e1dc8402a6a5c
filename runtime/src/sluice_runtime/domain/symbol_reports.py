"""The state of each symbol, for people who ask why a symbol has no quotes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sluice_contract.base import camel_case_field_name

from .desired import Desired
from .freshness import SymbolFreshness
from .ledger import SubscriptionLedger
from .newest_quotes import NewestQuotes
from .published_documents import QuoteContent

SymbolState = Literal["pending", "confirmed", "rejected", "paused"]


class LastQuote(msgspec.Struct, frozen=True, kw_only=True):
    """The newest quote of a symbol. `ts` is its event time; `price` is what the document shows or will show."""

    ts: datetime
    bid: float | None
    ask: float | None
    price: float | None


class SymbolReport(msgspec.Struct, frozen=True, kw_only=True, rename=camel_case_field_name):
    """The state of one declared symbol. A value that is not known is None.

    `freshness` is in lower case, such as live or stale. `reason` says why the symbol is paused or rejected.
    """

    symbol: str
    state: SymbolState
    freshness: str | None
    last_quote: LastQuote | None
    pace_seconds: float | None
    last_write_at: datetime | None
    reason: str | None


class ReportTime(msgspec.Struct, frozen=True):
    """One instant on both clocks: the time of day, and monotonic seconds."""

    now: datetime
    monotonic: float

    def time_of(self, monotonic: float) -> datetime:
        """Return the time of day of an instant in monotonic seconds."""
        return self.now - timedelta(seconds=self.monotonic - monotonic)


def symbol_reports(
    desired: Desired,
    ledger: SubscriptionLedger,
    freshness: Mapping[str, SymbolFreshness],
    quotes: NewestQuotes,
    at: ReportTime,
) -> list[SymbolReport]:
    """Return a report of each declared symbol, in the order of the symbols."""
    rejections = {each.symbol: each.message for each in ledger.rejected}
    reports = []
    for symbol in sorted(desired.declared):
        state, reason = _state_and_reason(symbol, desired, ledger, rejections)
        known, content = freshness.get(symbol), quotes.find_quote(symbol, at.monotonic)
        written = quotes.seconds_of_last_write(symbol)
        reports.append(
            SymbolReport(
                symbol=symbol,
                state=state,
                freshness=known.state.lower() if known is not None else None,
                last_quote=_last_quote(content) if content is not None else None,
                pace_seconds=known.pace_seconds if known is not None else None,
                last_write_at=at.time_of(written) if written is not None else None,
                reason=reason,
            )
        )
    return reports


def _state_and_reason(
    symbol: str, desired: Desired, ledger: SubscriptionLedger, rejections: Mapping[str, str]
) -> tuple[SymbolState, str | None]:
    if symbol in desired.paused:
        pause = desired.symbol_pauses.get(symbol)
        return "paused", (pause.description or None) if pause is not None else None
    if desired.pause is not None:
        return "paused", desired.pause.reason or f"the job is paused by {desired.pause.source}"
    if symbol in rejections:
        return "rejected", rejections[symbol]
    return ("confirmed" if symbol in ledger.confirmed else "pending"), None


def _last_quote(content: QuoteContent) -> LastQuote:
    quote = content.quote
    return LastQuote(ts=quote.ts, bid=quote.bid, ask=quote.ask, price=content.price)
