"""The daily budget of document writes (limits.writesPerDay): what of it is set aside, and the pace for the rest.

Heartbeats to the end of the day, and 2 % for transitions, are set aside first. Everything else that is written, quotes
above all, shares what is left at a pace that lasts until the last session of the day ends.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

# Firestore counts its daily quotas from midnight to midnight there.
LOS_ANGELES = ZoneInfo("America/Los_Angeles")

BudgetState = Literal["Sufficient", "Slowed", "Exhausted"]

# Of the limit: changes of status, records, gaps, and the heartbeats that report them.
_TRANSITION_SHARE = 0.02
# A job is reported as slowed from this share of its limit on.
_SLOWED_SHARE = 0.8
# A process that starts with a smaller share of the limit left counts it as used up: a restart in the evening would
# otherwise open the stream for a handful of quotes.
_LEAST_SHARE_AT_START = 0.01
_LEAST_SECONDS = 1.0
_DAY_SECONDS = 86_400.0


class BudgetDay(msgspec.Struct, frozen=True):
    """A day of the budget: from midnight to midnight in Los Angeles, which are 23 to 25 hours. The times are in UTC."""

    day: date
    begins: datetime
    ends: datetime

    def seconds_left(self, at: datetime) -> float:
        """Return the seconds from `at` to the end of the day, at least 0."""
        return max(0.0, (self.ends - at).total_seconds())


class BudgetBalance(msgspec.Struct, frozen=True):
    """How many more documents can be written today, besides the heartbeats that are due at each interval.

    `for_data` is for quotes, bars and refreshed records. `for_transitions`, which is larger, is for changes that must
    not wait: a new status, a pause, a gap. Neither is below 0.
    """

    for_data: int
    for_transitions: int


class WriteAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The documents that the job has written today, and its budget for the day.

    `limit` is None without a budget. `documents_per_second` is the pace of the budget; None without a budget.
    `paced_interval_seconds` is the number of seconds between two writes of one symbol at this pace; None if the other
    limits of the job give a longer one.
    """

    day: date
    used: int
    resets_at: datetime
    limit: int | None = None
    documents_per_second: float | None = None
    paced_interval_seconds: float | None = None
    state: BudgetState | None = None


def budget_day(at: datetime) -> BudgetDay:
    """Return the day of the budget that contains `at`."""
    day = at.astimezone(LOS_ANGELES).date()
    return BudgetDay(day, _midnight(day), _midnight(day + timedelta(days=1)))


def budget_balance(limit: int, used: int, seconds_left: float, heartbeat_seconds: float) -> BudgetBalance:
    """Return what is left after `used` writes of `limit`, with a heartbeat due every `heartbeat_seconds`."""
    for_transitions = limit - used - (int(seconds_left / heartbeat_seconds) + 1)
    for_data = for_transitions - int(limit * _TRANSITION_SHARE)
    return BudgetBalance(max(0, for_data), max(0, for_transitions))


def budget_pace(balance: BudgetBalance, seconds_left: float, open_seconds: float | None) -> float:
    """Return the documents per second that use up the balance when the last session of the day ends.

    `open_seconds` is how long the sessions of the rest of the day last. If it is None or 0, the balance lasts until
    midnight.
    """
    return balance.for_data / max(open_seconds or seconds_left, _LEAST_SECONDS)


def paced_interval(symbol_count: int, pace: float, seconds_left: float, unpaced_seconds: float) -> float | None:
    """Return the seconds between two writes of one symbol at the pace of the budget, at most the rest of the day.

    None if that is not longer than `unpaced_seconds`, the interval that the other limits of the job give.
    """
    seconds = min(symbol_count / pace, seconds_left) if pace > 0 else seconds_left
    return seconds if symbol_count > 0 and seconds > unpaced_seconds else None


def is_slowed(limit: int, used: int) -> bool:
    """Return True from 80 % of the limit on."""
    return used >= _SLOWED_SHARE * limit


def is_used_up(limit: int, balance: BudgetBalance, *, at_start: bool) -> bool:
    """Return True if quotes must no longer be written today. `at_start` is True when the process has just started."""
    least = limit * _LEAST_SHARE_AT_START if at_start else 1
    return balance.for_data < least


class UsedUpBudget(msgspec.Struct, frozen=True):
    """The day and the limit that were used up. Only another day or a larger limit ends this."""

    day: date
    limit: int

    def is_in_force(self, day: date, limit: int | None) -> bool:
        """Return True on the same day, unless the limit is larger now or there is none."""
        return day == self.day and limit is not None and limit <= self.limit


def used_up_message(limit: int, day: date, heartbeat_seconds: float) -> str:
    """Return the reason of the pause when the budget is used up.

    The bound of a policy can be smaller than the heartbeats of a day, which are due every `heartbeat_seconds`.
    """
    if budget_balance(limit, 0, _DAY_SECONDS, heartbeat_seconds).for_data < 1:
        return (
            f"{limit} document writes a day are not enough for a heartbeat every {heartbeat_seconds:g} s. Raise "
            f"heartbeat.intervalSeconds, or the policy's bound"
        )
    return (
        f"the {limit} document writes for {day} are used up; the job resumes at midnight in Los Angeles. Raise "
        f"limits.writesPerDay or the policy's bound, or use fewer symbols"
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOS_ANGELES).astimezone(UTC)
