"""Whether a quote can be relied on at an instant, and if not, why and what to do.

`clients/cases.json` is the standard: Python and TypeScript pass the same cases. The first check that finds something
decides, so the order of the checks is part of the standard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from sluice_client.documents import Heartbeat, Quote
from sluice_client.texts import FINDINGS, detail

Reason = Literal[
    "live",
    "stale",
    "paused",
    "closed",
    "halted",
    "degraded",
    "blocked",
    "stopped",
    "dry_run",
    "unheard",
    "no_price",
    "other_session",
    "clock",
    "not_signed_in",
    "never_heard_of",
]

# Clocks that differ by more than this are reported.
CLOCK_TOLERANCE_SECONDS = 5.0
_TOLERANCE = timedelta(seconds=CLOCK_TOLERANCE_SECONDS)

# What `ingest_enabled_source` says while the pod has not read its job yet, and where it does not understand it.
_UNREAD_SOURCE = "start"
_UNREADABLE_SOURCE = "unreadable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`live`: the quote is current. `usable`: it is live, and its price and time are sound.

    `message` says what is the case and `remedy` what to do; `remedy` is empty if the quote is usable. Neither contains
    an age, so a verdict is equal to an earlier one until something changes.
    """

    live: bool
    usable: bool
    reason: Reason
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a verdict depends on besides the documents.

    `skew` is this computer's clock minus the writer's in seconds, 0 if unknown. A heartbeat that is more than
    `stale_after` seconds old is stale. A reader that knows that its listeners have ended is not connected.
    """

    skew: float = 0.0
    stale_after: float = 30.0
    is_signed_in: bool = True
    is_connected: bool = True


_DEFAULT_READER = Reader()


@dataclass(frozen=True, slots=True)
class _Input:
    quote: Quote | None
    heartbeat: Heartbeat | None
    writer_now: datetime  # by the writer's clock
    reader: Reader


def is_live(
    quote: Quote | None, heartbeat: Heartbeat | None, now: datetime, reader: Reader = _DEFAULT_READER
) -> Verdict:
    """Return whether a quote is live and usable at `now`, which is timezone-aware and by this computer's clock."""
    found = _Input(quote, heartbeat, now - timedelta(seconds=reader.skew) if reader.skew else now, reader)
    for check in _CHECKS:
        verdict = check(found)
        if verdict is not None:
            return verdict
    return _LIVE


def _verdict(finding: str, **values: str) -> Verdict:
    texts = FINDINGS[finding]
    live = texts.reason == "live"
    message = texts.message.format_map(values) if values else texts.message
    return Verdict(live, finding == "live", cast("Reason", texts.reason), message, texts.remedy)


_LIVE = _verdict("live")


def _reader_cannot_read(found: _Input) -> Verdict | None:
    if not found.reader.is_signed_in:
        return _verdict("not_signed_in")
    return None if found.reader.is_connected else _verdict("disconnected")


def _heartbeat_is_not_fresh(found: _Input) -> Verdict | None:
    heartbeat = found.heartbeat
    if heartbeat is None:
        return _verdict("heartbeat_missing")
    if heartbeat.ts is None:
        return _verdict("heartbeat_without_time")
    age = found.writer_now - heartbeat.ts
    if age.total_seconds() > found.reader.stale_after:
        limit = f"{found.reader.stale_after:g}"
        return _verdict("heartbeat_stale", heartbeat_at=_instant(heartbeat.ts), stale_after=limit)
    if age < -_TOLERANCE:
        return _verdict("clock_behind", heartbeat_at=_instant(heartbeat.ts))
    if abs(heartbeat.clock_skew_ms or 0.0) > 1000 * CLOCK_TOLERANCE_SECONDS:
        return _verdict("clock_of_writer")
    return None


def _job_is_not_running(found: _Input) -> Verdict | None:
    heartbeat = cast("Heartbeat", found.heartbeat)
    status = heartbeat.status
    if status in ("stopped", "finished"):
        return _verdict(status)
    if status == "blocked":
        return _with_failure(status, heartbeat)
    if status == "paused" or not heartbeat.ingest_enabled:
        return _pause_verdict(heartbeat)
    if status in ("degraded", "starting"):
        return _with_failure(status, heartbeat)
    if status != "running":
        return _verdict("status_unknown")
    return _verdict("dry_run") if heartbeat.dry_run else None


def _pause_verdict(heartbeat: Heartbeat) -> Verdict:
    """Return the verdict on a job that its pod pauses. A pod that has not read its job yet is starting, not paused."""
    source = heartbeat.ingest_enabled_source
    if source == _UNREAD_SOURCE:
        return _with_failure("starting", heartbeat)
    if source == _UNREADABLE_SOURCE:
        return _verdict("unreadable", detail=detail(reason=heartbeat.pause_reason))
    return _verdict("paused", detail=_pause_detail(heartbeat))


def _quote_is_not_of_this_session(found: _Input) -> Verdict | None:
    if found.quote is None:
        return _verdict("quote_missing")
    if found.quote.session_id != cast("Heartbeat", found.heartbeat).session_id:
        return _verdict("other_session", symbol=_symbol(found.quote))
    return None


def _trading_is_interrupted(found: _Input) -> Verdict | None:
    quote, heartbeat = cast("Quote", found.quote), cast("Heartbeat", found.heartbeat)
    if quote.status == "paused":
        return _verdict("quote_paused", symbol=_symbol(quote))
    if quote.status == "halted" or quote.symbol in heartbeat.halted:
        return _verdict("quote_halted", symbol=_symbol(quote))
    if heartbeat.market == "closed":
        return _verdict("closed", detail=detail(until=_known_instant(heartbeat.market_changes_at)))
    return None


def _symbol_is_silent(found: _Input) -> Verdict | None:
    quote, heartbeat = cast("Quote", found.quote), cast("Heartbeat", found.heartbeat)
    if quote.status == "stale" or quote.symbol in heartbeat.stale:
        return _verdict("quote_stale", symbol=_symbol(quote))
    if quote.status != "live":
        return _verdict("quote_status_unknown", symbol=_symbol(quote))
    if quote.symbol in heartbeat.unheard:
        return _verdict("unheard", symbol=_symbol(quote))
    return None


def _quote_has_no_price(found: _Input) -> Verdict | None:
    quote = cast("Quote", found.quote)
    is_priced = _is_price(quote.price) or _is_price(quote.bid) or _is_price(quote.ask)
    return None if is_priced and quote.price_basis is not None else _verdict("no_price", symbol=_symbol(quote))


def _quote_is_unsound(found: _Input) -> Verdict | None:
    quote = cast("Quote", found.quote)
    if abs(found.reader.skew) > CLOCK_TOLERANCE_SECONDS:
        return _verdict("live_clock")
    if not _is_price(quote.price):
        return _verdict("live_without_price", symbol=_symbol(quote))
    if quote.price_basis != "trade" and quote.bid is not None and quote.ask is not None and quote.bid > quote.ask > 0:
        return _verdict("live_crossed", symbol=_symbol(quote))
    if quote.ts is None:
        return _verdict("live_without_time", symbol=_symbol(quote))
    if quote.ts - found.writer_now > _TOLERANCE:
        return _verdict("live_future", symbol=_symbol(quote))
    return None


_CHECKS: tuple[Callable[[_Input], Verdict | None], ...] = (
    _reader_cannot_read,
    _heartbeat_is_not_fresh,
    _job_is_not_running,
    _quote_is_not_of_this_session,
    _trading_is_interrupted,
    _symbol_is_silent,
    _quote_has_no_price,
    _quote_is_unsound,
)


def _with_failure(finding: str, heartbeat: Heartbeat) -> Verdict:
    """Return the verdict with the job's own words about its failure, if there are any."""
    failure = heartbeat.failure
    if failure is None:
        return _verdict(finding, detail="")
    found = _verdict(finding, detail=detail(cause=failure.message.rstrip(".")))
    remedy = failure.remedy or found.remedy
    return Verdict(found.live, found.usable, found.reason, found.message, remedy)


def _pause_detail(heartbeat: Heartbeat) -> str:
    return detail(
        source=heartbeat.ingest_enabled_source,
        author=heartbeat.pause_by,
        reason=heartbeat.pause_reason,
        until=_known_instant(heartbeat.pause_until),
    )


def _is_price(value: float | None) -> bool:
    return value is not None and value > 0


def _symbol(quote: Quote) -> str:
    return quote.symbol or "?"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _known_instant(moment: datetime | None) -> str | None:
    return None if moment is None else _instant(moment)
