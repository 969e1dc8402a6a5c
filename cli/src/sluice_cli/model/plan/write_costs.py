"""The writes and reads of Firestore that a job can cause, and what they cost beyond the free quota."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..fields import flag, number, texts

FREE_WRITES, FREE_READS = 20_000, 50_000  # a day, of a project in Firestore's free tier
SESSION_SECONDS = 23_400  # 6.5 h: the regular session of the New York exchanges
_DAY_SECONDS = 86_400


class Prices(NamedTuple):
    """The prices of 100,000 operations, in any currency; None if they are not given."""

    writes: float | None = None
    reads: float | None = None


class Operations(NamedTuple):
    """The most operations of a session of 6.5 h and of 24 hours, and their costs if a price is given."""

    per_second: float
    per_session: int
    per_day: int
    session_cost: float | None
    day_cost: float | None
    free_per_day: int
    free_seconds: int | None  # how long the free quota lasts at the full rate; None: for the whole day


class Traffic(NamedTuple):
    """What a job can write and its readers can read, if every symbol ticks all the time."""

    cap_per_second: int
    cap_source: str  # empty: the job; or the policy that lowers it
    symbol_interval_seconds: float
    heartbeats_per_day: int
    budget_per_day: int | None
    is_dry_run: bool
    viewers: int
    writes: Operations
    reads: Operations


class Caps(NamedTuple):
    """The bounds of policies on a job, and whose they are. None: no bound."""

    writes_per_second: int | None = None
    writes_per_day: int | None = None
    dry_run: bool = False
    source: str = ""


def traffic_of_job(spec: dict[str, Any], caps: Caps, viewers: int, prices: Prices) -> Traffic:
    """Return the writes and reads of a job whose spec has the defaults of the schema. `viewers` read every document."""
    symbols = len(texts(spec, "symbols"))
    declared = max(1, number(spec, "limits", "writesPerSecond") or 1)
    cap = min(declared, caps.writes_per_second or declared)
    interval = max((number(spec, "limits", "minIntervalMilliseconds") or 0) / 1000, symbols / cap)
    is_dry_run = bool(flag(spec, "dryRun")) or caps.dry_run
    quotes = 0.0 if is_dry_run or not symbols else min(float(cap), symbols / interval)
    bars = symbols / 60 if "bars" in texts(spec, "channels") and not is_dry_run else 0.0
    heartbeats = 1 / max(1, number(spec, "heartbeat", "intervalSeconds") or 1)
    budgets = [each for each in (number(spec, "limits", "writesPerDay"), caps.writes_per_day) if each is not None]
    budget = min(budgets, default=None)
    rate = min(float(cap), quotes + bars) + heartbeats
    return Traffic(
        cap_per_second=cap,
        cap_source=caps.source if cap < declared else "",
        symbol_interval_seconds=interval,
        heartbeats_per_day=round(heartbeats * _DAY_SECONDS),
        budget_per_day=budget,
        is_dry_run=is_dry_run,
        viewers=viewers,
        writes=_operations(rate, 1, budget, FREE_WRITES, prices.writes),
        reads=_operations(rate, viewers, budget, FREE_READS, prices.reads),
    )


def _operations(rate: float, readers: int, budget: int | None, free: int, price: float | None) -> Operations:
    """Return the operations at a rate of documents a second; a budget of the day bounds the documents."""
    session, day = (
        readers * min(round(rate * seconds), budget if budget is not None else round(rate * seconds))
        for seconds in (SESSION_SECONDS, _DAY_SECONDS)
    )
    costs = [None if price is None else max(0, count - free) / 100_000 * price for count in (session, day)]
    free_seconds = None if day <= free else int(free / (rate * readers))
    return Operations(rate * readers, session, day, costs[0], costs[1], free, free_seconds)
