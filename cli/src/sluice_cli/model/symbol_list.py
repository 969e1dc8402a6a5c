"""The symbols of one job: as its pod reports each of them, or as far as the status of the job names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .fields import child, instant, text
from .fleet import Unseen
from .job import JobStatus, key_of_job

# From the most urgent to the least.
STATES = (
    "rejected", "stale", "halted", "pending", "unheard", "paused", "offline", "quiet", "closed", "live", "not named",
)  # fmt: skip


class SymbolReport(NamedTuple):
    """One symbol: one of STATES, its newest quote, its average seconds between ticks, and the last write.

    `reason` says why it is paused or rejected. A value that is not known is None.
    """

    symbol: str
    state: str
    quote_at: datetime | None = None
    bid: float | None = None
    ask: float | None = None
    price: float | None = None
    pace_seconds: float | None = None
    written_at: datetime | None = None
    reason: str = ""


class SymbolList(NamedTuple):
    """The symbols of a job, the most urgent first. `source` is `pod`, or `status` if the pod could not be asked."""

    at: datetime
    job: str  # namespace and name
    source: str
    symbols: tuple[SymbolReport, ...]
    counts: dict[str, int]  # by state, of all symbols of the job
    unseen: tuple[Unseen, ...]

    def stale_only(self) -> SymbolList:
        """Return the list with its stale symbols alone."""
        return self._replace(symbols=tuple(each for each in self.symbols if each.state == "stale"))


def symbols_of_pod(reports: Sequence[Any], job: JobStatus, now: datetime) -> SymbolList:
    """Return the list by the answer of the pod to GET /runtime/ingest/symbols."""
    found = _sorted([_report_of_pod(each) for each in reports if isinstance(each, dict)])
    counts = Counter(each.state for each in found)
    return SymbolList(now, job.full_name, "pod", found, _ordered(counts), ())


def _report_of_pod(report: dict[str, Any]) -> SymbolReport:
    answer, freshness = text(report, "state"), text(report, "freshness")
    state = answer if answer in ("rejected", "paused", "pending") else freshness or answer
    quote, pace = child(report, "lastQuote"), _decimal(report.get("paceSeconds"))
    return SymbolReport(
        symbol=text(report, "symbol"),
        state=state,
        quote_at=instant(quote, "ts"),
        bid=_decimal(quote.get("bid")),
        ask=_decimal(quote.get("ask")),
        price=_decimal(quote.get("price")),
        pace_seconds=None if pace is None else round(pace, 1),
        written_at=instant(report, "lastWriteAt"),
        reason=text(report, "reason"),
    )


def symbols_of_status(document: dict[str, Any], job: JobStatus, unseen: Sequence[Unseen], now: datetime) -> SymbolList:
    """Return the list by the status of the job, which names the first 20 symbols of each state that needs a look."""
    symbols = job.symbols
    named = {each: SymbolReport(each, "not named") for each in key_of_job(document).symbols}
    for state, names in (
        ("unheard", symbols.unheard),
        ("stale", symbols.stale),
        ("halted", symbols.halted),
        ("paused", symbols.paused),
    ):
        named.update({each: SymbolReport(each, state) for each in names})
    for pause in symbols.pauses:
        named.update({each: SymbolReport(each, "paused", reason=pause.switch.describe(now)) for each in pause.symbols})
    for rejection in symbols.rejected:
        code = f"{rejection.code} " if rejection.code else ""
        reason = f"{code}{rejection.message}"
        named[rejection.symbol] = SymbolReport(rejection.symbol, "rejected", reason=reason)
    counts = Counter(symbols.freshness)
    counts["rejected"] += symbols.rejected_count
    return SymbolList(now, job.full_name, "status", _sorted(named.values()), _ordered(counts), tuple(unseen))


def _sorted(reports: Any) -> tuple[SymbolReport, ...]:
    return tuple(sorted(reports, key=lambda each: (_position(each.state), each.symbol)))


def _position(state: str) -> int:
    return STATES.index(state) if state in STATES else 0


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in sorted(counts, key=_position) if counts[state]}


def _decimal(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
