"""The documents that Sluice writes, as values. Parsing never raises: what cannot be understood is unknown.

Unknown values are None. Times are timezone-aware. Where a value that is not understood could mean "do not trade", it
is read as such: an `ingest_enabled` that is neither true nor absent means paused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

PriceBasis = Literal["trade", "mid", "unknown"]
Market = Literal["open", "closed", "unknown"]

# RFC 3339 with a zone. Without one, a time could be hours off.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The latest quote of a symbol. `ts` is the time of the event, `written_at` the time of the write.

    `price_basis` says what `price` is: the last trade, the mid of bid and ask, "unknown" if the writer does not say,
    None if the writer says that there is no price. `status` is live, stale, halted, paused, or a text of a later
    version; "" if it is not a text.
    """

    symbol: str
    bid: float | None = None
    ask: float | None = None
    price: float | None = None
    price_basis: PriceBasis | None = "unknown"
    bid_size: float | None = None
    ask_size: float | None = None
    ts: datetime | None = None
    written_at: datetime | None = None
    status: str = "live"
    session_id: str | None = None
    epoch: int | None = None
    seq: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the stream delivered nothing. `end` is None while it lasts."""

    start: datetime
    end: datetime | None
    cause: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What prevents the job from streaming, and what to do about it."""

    type: str
    message: str
    remedy: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The heartbeat of a job. `ts` is the time of the write by the writer's clock.

    `stale`, `halted` and `unheard` have the first 20 symbols each. `symbols` and `freshness` are counts by state, and
    None while they are unknown. `clock_skew_ms` is the error of the writer's clock that the writer itself measured.
    """

    status: str
    ts: datetime | None
    ingest_enabled: bool = True
    ingest_enabled_source: str | None = None
    pause_reason: str | None = None
    pause_by: str | None = None
    pause_until: datetime | None = None
    dry_run: bool = False
    job: str | None = None
    epoch: int | None = None
    session_id: str | None = None
    started_at: datetime | None = None
    effective_interval_ms: float | None = None
    feed: str | None = None
    market: Market = "unknown"
    market_changes_at: datetime | None = None
    symbols: Mapping[str, int] | None = None
    freshness: Mapping[str, int] | None = None
    stale: frozenset[str] = frozenset()
    halted: frozenset[str] = frozenset()
    unheard: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
    failure: Failure | None = None
    clock_skew_ms: float | None = None
    last_symbol: str | None = None
    last_message_at: datetime | None = None
    last_quote_ts: datetime | None = None
    last_write_at: datetime | None = None


def parse_quote(document: object, symbol: str = "") -> Quote | None:
    """Return the quote in a document's fields, or None if `document` is not a mapping.

    Fields of older writers are read where the present ones are absent or null. `symbol` is used if the document names
    none.
    """
    if not isinstance(document, Mapping):
        return None
    status = document.get("status")
    return Quote(
        symbol=_text(document.get("symbol")) or symbol,
        bid=_number(_first(document, "bid", "bid_price")),
        ask=_number(_first(document, "ask", "ask_price")),
        price=_number(_first(document, "price", "last_trade_price")),
        price_basis=_price_basis(document),
        bid_size=_number(document.get("bid_size")),
        ask_size=_number(document.get("ask_size")),
        ts=parse_time(_first(document, "ts", "last_update_ts")),
        written_at=parse_time(document.get("written_at")),
        status="live" if status is None else _text(status) or "",
        session_id=_text(document.get("session_id")),
        epoch=_integer(document.get("epoch")),
        seq=_integer(document.get("seq")),
        source=_text(document.get("source")),
    )


def parse_heartbeat(document: object) -> Heartbeat | None:
    """Return the heartbeat in a document's fields, or None if `document` is not a mapping.

    Fields of older writers are read where the present ones are absent or null.
    """
    if not isinstance(document, Mapping):
        return None
    return Heartbeat(
        status=_text(document.get("status")) or "",
        ts=parse_time(_first(document, "ts", "last_heartbeat_at", "updated_at")),
        ingest_enabled=_is_enabled(document.get("ingest_enabled")),
        ingest_enabled_source=_text(document.get("ingest_enabled_source")),
        pause_reason=_text(document.get("pause_reason")),
        pause_by=_text(document.get("pause_by")),
        pause_until=parse_time(document.get("pause_until")),
        dry_run=_is_dry(document.get("dry_run")),
        job=_text(document.get("job")),
        epoch=_integer(document.get("epoch")),
        session_id=_text(document.get("session_id")),
        started_at=parse_time(document.get("started_at")),
        effective_interval_ms=_number(document.get("effective_interval_ms")),
        feed=_text(document.get("feed")),
        market=_market(document.get("market")),
        market_changes_at=parse_time(document.get("market_changes_at")),
        symbols=_counts(document.get("symbols")),
        freshness=_counts(document.get("freshness")),
        stale=_names(document.get("stale")),
        halted=_names(document.get("halted")),
        unheard=_names(document.get("unheard")),
        gaps=tuple(found for each in _items(document.get("gaps")) if (found := _gap(each)) is not None),
        failure=_failure(document.get("failure")),
        clock_skew_ms=_number(document.get("clock_skew_ms")),
        last_symbol=_text(document.get("last_symbol")),
        last_message_at=parse_time(document.get("last_message_at")),
        last_quote_ts=parse_time(document.get("last_quote_ts")),
        last_write_at=parse_time(document.get("last_write_at")),
    )


def parse_time(value: object) -> datetime | None:
    """Return a time that has a zone, from a datetime (Firestore's included) or an RFC 3339 text; otherwise None."""
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:  # such as February 30
            return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return None
    try:
        return value.astimezone(UTC)
    except OverflowError:  # a zone that leads out of the years 1 to 9999
        return None


def _first(document: Mapping[object, object], *names: str) -> object:
    """Return the first of these fields that is not null."""
    return next((found for name in names if (found := document.get(name)) is not None), None)


def _price_basis(document: Mapping[object, object]) -> PriceBasis | None:
    if "price_basis" in document and document["price_basis"] is None:
        return None
    basis = document.get("price_basis")
    if basis == "trade":
        return "trade"
    return "mid" if basis == "mid" else "unknown"


def _market(value: object) -> Market:
    if value == "open":
        return "open"
    return "closed" if value == "closed" else "unknown"


def _is_enabled(value: object) -> bool:
    return value is None or value is True


def _is_dry(value: object) -> bool:
    return not (value is None or value is False)


def _number(value: object) -> float | None:
    """Return a finite number. True and False are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _integer(value: object) -> int | None:
    found = _number(value)
    return int(found) if found is not None and found.is_integer() else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _names(value: object) -> frozenset[str]:
    return frozenset(each for each in _items(value) if isinstance(each, str))


def _counts(value: object) -> Mapping[str, int] | None:
    if not isinstance(value, Mapping):
        return None
    found = {str(name): _integer(count) for name, count in value.items()}
    return {name: count for name, count in found.items() if count is not None}


def _gap(value: object) -> Gap | None:
    start = parse_time(value.get("from")) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or start is None:
        return None
    return Gap(start, parse_time(value.get("to")), _text(value.get("cause")) or "unknown")


def _failure(value: object) -> Failure | None:
    if not isinstance(value, Mapping):
        return None
    kind, message, remedy = (_text(value.get(name)) or "" for name in ("type", "message", "remedy"))
    return Failure(kind, message, remedy, parse_time(value.get("at")))
