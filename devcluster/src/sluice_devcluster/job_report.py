"""The lines of `make status` about one job: its heartbeat, and each of its quotes with the readers' verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice_client import Heartbeat, Quote, Reader, Verdict, is_live, parse_heartbeat, parse_quote
from sluice_client.sources import document_id

MAX_ROWS = 20
_DAY_SECONDS = 86_400
_ROW = "  {symbol:<10} {bid:>10} {ask:>10} {event:>9} {written:>9}  {verdict}"
_HEADINGS = _ROW.format(symbol="SYMBOL", bid="BID", ask="ASK", event="EVENT", written="WRITTEN", verdict="VERDICT")


@dataclass(frozen=True)
class JobDocuments:
    """The documents of a job as they were read: the heartbeat, or None without one, and the quotes by document ID."""

    heartbeat: object
    quotes: Mapping[str, object]


@dataclass(frozen=True)
class _Row:
    symbol: str
    quote: Quote | None
    verdict: Verdict


def heartbeat_path(job: Mapping[str, Any]) -> str:
    """Return the path of the job's heartbeat document."""
    document = job["spec"].get("heartbeat", {}).get("document", "market_ingest")
    return f"tenants/{job['spec']['tenant']}/ops/{document}"


def quotes_path(job: Mapping[str, Any]) -> str:
    """Return the path of the collection to which the job writes its quotes."""
    collection = job["spec"].get("firestore", {}).get("liveQuotesCollection", "live_quotes")
    return f"tenants/{job['spec']['tenant']}/{collection}"


def job_lines(job: Mapping[str, Any], documents: JobDocuments, now: datetime) -> list[str]:
    """Return the lines about one IngestJob at `now`, which is timezone-aware.

    EVENT and WRITTEN are the ages of the quote's event and of its last write. At most 20 quotes have a row, those that
    must not be used first.
    """
    heartbeat = parse_heartbeat(documents.heartbeat)
    reader = Reader(stale_after=_stale_after_seconds(job))
    rows = []
    for symbol in job["spec"].get("symbols", []):
        quote = parse_quote(documents.quotes.get(document_id(symbol)), symbol)
        rows.append(_Row(symbol, quote, is_live(quote, heartbeat, now, reader)))
    usable = sum(row.verdict.usable for row in rows)
    name = f"{job['metadata']['namespace']}/{job['metadata']['name']}"
    state = _heartbeat_text(name, heartbeat, now)
    first = f"{name}: {state}; {usable} of {len(rows)} quotes are live and usable ({quotes_path(job)})"
    return [first, *_row_lines(sorted(rows, key=lambda row: row.verdict.usable), now)]


def age_text(age_seconds: float | None) -> str:
    """Return an age such as `1.2 s`, `5 min`, `3.1 h`, `12 d` or `13 y`; `-` if it is unknown."""
    if age_seconds is None:
        return "-"
    if age_seconds < 60:
        return f"{age_seconds if age_seconds < -0.05 else abs(age_seconds):.1f} s"
    if age_seconds < 3600:
        return f"{age_seconds / 60:.0f} min"
    if age_seconds < 2 * _DAY_SECONDS:
        return f"{age_seconds / 3600:.1f} h"
    days = age_seconds / _DAY_SECONDS
    return f"{days:.0f} d" if days < 730 else f"{days / 365.25:.0f} y"


def _stale_after_seconds(job: Mapping[str, Any]) -> float:
    """Return the age from which the job's heartbeat is stale: at least twice its interval."""
    interval: int = job["spec"].get("heartbeat", {}).get("intervalSeconds", 15)
    return max(Reader().stale_after, 2.0 * interval)


def _heartbeat_text(job: str, heartbeat: Heartbeat | None, now: datetime) -> str:
    if heartbeat is None:
        return "no heartbeat"
    age = "of an unknown age" if heartbeat.ts is None else f"{age_text((now - heartbeat.ts).total_seconds())} old"
    writer = f" from {heartbeat.job}" if heartbeat.job not in (None, job) else ""
    return f"heartbeat{writer} says {heartbeat.status or 'nothing'}, {age}"


def _row_lines(rows: list[_Row], now: datetime) -> list[str]:
    if not rows:
        return []
    common = _common_verdict([row.verdict for row in rows])
    lines = [_HEADINGS, *(_row_line(row, now, is_common=common is not None) for row in rows[:MAX_ROWS])]
    if common is not None:
        lines.insert(0, f"  No quote is live. {common.message} {common.remedy}")
    rest = rows[MAX_ROWS:]
    if rest:
        usable = sum(row.verdict.usable for row in rest)
        lines.append(f"  and {len(rest)} more, {'all' if usable == len(rest) else usable} of them live and usable")
    return lines


def _common_verdict(verdicts: list[Verdict]) -> Verdict | None:
    """Return the verdict if all quotes have the same one and are not live, for example because the job is paused."""
    first = verdicts[0]
    return first if not first.live and all(each == first for each in verdicts) else None


def _row_line(row: _Row, now: datetime, *, is_common: bool) -> str:
    quote = row.quote or Quote(symbol=row.symbol)
    return _ROW.format(
        symbol=row.symbol,
        bid="-" if quote.bid is None else quote.bid,
        ask="-" if quote.ask is None else quote.ask,
        event=age_text(_age_seconds(quote.ts, now)),
        written=age_text(_age_seconds(quote.written_at, now)),
        verdict=_verdict_text(row.verdict, is_common=is_common),
    )


def _verdict_text(verdict: Verdict, *, is_common: bool) -> str:
    if verdict.usable:
        return "live and usable"
    if is_common:
        return f"not live ({verdict.reason.replace('_', ' ')})"
    return f"{'live, not usable' if verdict.live else 'not live'}: {verdict.message} {verdict.remedy}"


def _age_seconds(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else (now - moment).total_seconds()
