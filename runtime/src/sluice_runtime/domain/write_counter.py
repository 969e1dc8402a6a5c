"""Counts the documents that a job writes in a day, also those of the processes before this one."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from sluice_contract.limits import WriteLimits

from .heartbeat_owner import StoredHeartbeat
from .write_budget import BudgetDay, budget_day

# A heartbeat is sent with the count of this many seconds before, at the most: a write that takes longer fails.
_HEARTBEAT_WRITE_SECONDS = 3.0
_DEFAULT_INTERVAL_SECONDS = 15.0
# In these states the process has written nothing but heartbeats since its last heartbeat.
_STATES_WITHOUT_WRITES = ("stopped", "paused")


class WriteCounter:
    """Counts the documents that were written, or may have been, on the current day of the budget.

    The day follows the clock forwards only.
    """

    def __init__(self) -> None:
        self._day: BudgetDay | None = None
        self._used = 0

    def day(self, at: datetime) -> BudgetDay:
        """Return the day of the budget at `at`. A new day starts with no writes."""
        if self._day is None or at >= self._day.ends:
            self._day, self._used = budget_day(at), 0
        return self._day

    def used(self, at: datetime) -> int:
        """Return the number of documents of the day."""
        self.day(at)
        return self._used

    def add(self, count: int, at: datetime) -> date:
        """Count documents, and return the day on which they count."""
        day = self.day(at).day
        self._used += count
        return day

    def subtract(self, count: int, day: date) -> None:
        """Take documents back that were counted on `day` and were certainly not written."""
        if self._day is not None and self._day.day == day:
            self._used -= count


class WriteRateBound(msgspec.Struct, frozen=True, kw_only=True):
    """How many documents a process can write: `per_second` for long, and `at_once` on top of that."""

    per_second: float
    at_once: int


def write_rate_bound(limits: WriteLimits, symbol_count: int, pace: float | None) -> WriteRateBound:
    """Return the bound of a job with these limits. `pace` is that of its budget; None without a budget.

    At once, it can write its burst of quotes, and the record of each symbol.
    """
    per_second = float(limits.writes_per_second)
    if pace is not None:
        per_second = min(per_second, pace)
    return WriteRateBound(per_second=per_second, at_once=min(limits.burst, symbol_count) + symbol_count)


def counted_before(stored: StoredHeartbeat, day: BudgetDay) -> int:
    """Return the number of documents that the heartbeat of an earlier process says were written on `day`."""
    return stored.writes_used or 0 if stored.writes_day == day.day.isoformat() else 0


def uncounted_before(stored: StoredHeartbeat, day: BudgetDay, at: datetime, bound: WriteRateBound) -> int:
    """Return how many documents an earlier process can have written on `day` after its last heartbeat.

    The process wrote none after a last heartbeat that says so. Otherwise it ended without one, at most an interval
    later: these seconds are charged at the bound.
    """
    if stored.status in _STATES_WITHOUT_WRITES:
        return 0
    interval = stored.interval_seconds or _DEFAULT_INTERVAL_SECONDS
    ended_seconds_ago = max(0.0, stored.age_seconds - interval)
    seconds_today = (at - day.begins).total_seconds()
    if ended_seconds_ago >= seconds_today:
        return 0
    unknown = min(stored.age_seconds, interval) + _HEARTBEAT_WRITE_SECONDS
    seconds = min(unknown, seconds_today - ended_seconds_ago)
    return round(seconds * bound.per_second) + bound.at_once


def is_of_same_job(stored: StoredHeartbeat, job_uid: str, cluster: str | None, job: str) -> bool:
    """Return True if a process of this job wrote the heartbeat, or of an earlier job of this name in the cluster."""
    return stored.job_uid == job_uid or (stored.cluster is not None and (stored.cluster, stored.job) == (cluster, job))
