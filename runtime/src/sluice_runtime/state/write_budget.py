"""The documents that the job has written today, and what its daily budget allows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime

from ..aio.latest_value import LatestValue
from ..domain.desired import Desired
from ..domain.health import RuntimeIdentity
from ..domain.heartbeat_owner import StoredHeartbeat
from ..domain.write_budget import (
    BudgetBalance,
    BudgetState,
    UsedUpBudget,
    WriteAccount,
    budget_balance,
    budget_pace,
    is_slowed,
    is_used_up,
    paced_interval,
)
from ..domain.write_counter import (
    WriteCounter,
    counted_before,
    is_of_same_job,
    uncounted_before,
    write_rate_bound,
)

_UNLIMITED = sys.maxsize


class DailyWriteBudget:
    """Counts the documents that are written, and says how many more can be written today, and how fast.

    The limit is that of the desired state; without one, documents are counted only. Nothing is refused here: each
    writer asks before it starts to write.
    """

    def __init__(self, desired: LatestValue[Desired], now: Callable[[], datetime]) -> None:
        self._desired = desired
        self._now = now
        self._counter = WriteCounter()
        self._open_seconds: float | None = None
        self._used_up: UsedUpBudget | None = None
        self._has_started = False
        self.is_continued = LatestValue(False)  # whether the count of the earlier processes is known

    def record_sent(self, count: int) -> date:
        """Count documents whose write is sent now, and return the day on which they count."""
        return self._counter.add(count, self._now())

    def record_not_written(self, count: int, day: date) -> None:
        """Take documents back that were certainly not written. `day` is the one that `record_sent` returned."""
        self._counter.subtract(count, day)

    def continue_count(self, stored: StoredHeartbeat | None, identity: RuntimeIdentity) -> None:
        """Continue the count of the process that wrote the heartbeat document, if it belongs to this job."""
        at, desired = self._now(), self._desired.value
        if stored is not None and is_of_same_job(
            stored, identity.job_uid, identity.cluster, identity.qualified_job_name
        ):
            day, limit = self._counter.day(at), desired.limits.writes_per_day
            counted = counted_before(stored, day)
            self._counter.add(counted, at)
            bound = write_rate_bound(desired.limits, len(desired.declared), self.documents_per_second)
            uncounted = uncounted_before(stored, day, at, bound)
            if limit is not None:  # the earlier process kept to the limit, too
                uncounted = min(uncounted, self._balance(limit, at).for_transitions)
            self._counter.add(uncounted, at)
        self.is_continued.set(True)

    def renew_open_seconds(self, seconds: float | None) -> None:
        """Set how long the sessions of the rest of the day last; None if that is unknown."""
        self._open_seconds = seconds

    def update_state(self) -> BudgetState | None:
        """Decide whether the budget is used up, and return its state; None without a budget.

        A budget that is used up stays so until the day ends or the limit is raised.
        """
        at, limit = self._now(), self._limit
        if limit is None:
            self._used_up = None
            return None
        day = self._counter.day(at).day
        if self._used_up is not None and not self._used_up.is_in_force(day, limit):
            self._used_up = None
        if self._used_up is None and is_used_up(limit, self._balance(limit, at), at_start=not self._has_started):
            self._used_up = UsedUpBudget(day, limit)
        self._has_started = self._has_started or self.is_continued.value
        return self._state(limit, at)

    @property
    def room_for_data(self) -> int:
        """How many quotes, bars and refreshed records can be written now."""
        limit = self._limit
        return _UNLIMITED if limit is None else self._balance(limit, self._now()).for_data

    @property
    def room_for_transitions(self) -> int:
        """How many documents about a change can be written now: statuses, records, gaps, and their heartbeats."""
        limit = self._limit
        return _UNLIMITED if limit is None else self._balance(limit, self._now()).for_transitions

    @property
    def documents_per_second(self) -> float | None:
        """The pace that uses up the budget when the last session of the day ends; None without a budget."""
        limit, at = self._limit, self._now()
        return None if limit is None else self._pace(limit, at)

    @property
    def effective_interval_seconds(self) -> float:
        """The seconds between two writes of one symbol when all symbols tick, by all limits of the job."""
        at = self._now()
        return max(self._desired.value.effective_interval_seconds, self._paced_interval_seconds(at) or 0.0)

    @property
    def is_pacing(self) -> bool:
        """Return True if the pace of the budget is slower than the rate that the other limits allow."""
        pace = self.documents_per_second
        return pace is not None and pace < self._desired.value.limits.writes_per_second

    def account(self) -> WriteAccount:
        """Return the account of the day at this instant."""
        at, limit = self._now(), self._limit
        day = self._counter.day(at)
        return WriteAccount(
            day=day.day,
            used=self._counter.used(at),
            resets_at=day.ends,
            limit=limit,
            documents_per_second=None if limit is None else self._pace(limit, at),
            paced_interval_seconds=self._paced_interval_seconds(at),
            state=None if limit is None else self._state(limit, at),
        )

    @property
    def _limit(self) -> int | None:
        return self._desired.value.limits.writes_per_day

    def _state(self, limit: int, at: datetime) -> BudgetState:
        if self._used_up is not None and self._used_up.is_in_force(self._counter.day(at).day, limit):
            return "Exhausted"
        return "Slowed" if is_slowed(limit, self._counter.used(at)) else "Sufficient"

    def _balance(self, limit: int, at: datetime) -> BudgetBalance:
        left = self._counter.day(at).seconds_left(at)
        return budget_balance(limit, self._counter.used(at), left, self._desired.value.heartbeat.interval_seconds)

    def _pace(self, limit: int, at: datetime) -> float:
        left = self._counter.day(at).seconds_left(at)
        return budget_pace(self._balance(limit, at), left, self._open_seconds)

    def _paced_interval_seconds(self, at: datetime) -> float | None:
        limit, desired = self._limit, self._desired.value
        if limit is None:
            return None
        left = self._counter.day(at).seconds_left(at)
        pace, unpaced = self._pace(limit, at), desired.effective_interval_seconds
        return paced_interval(len(desired.symbols), pace, left, unpaced)
