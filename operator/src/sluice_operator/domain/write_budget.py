"""What the pod reports of its daily write budget, in words for people."""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec

from sluice_contract import conditions as c
from sluice_contract.pause_sources import QUOTA_SOURCE
from sluice_contract.status import StreamStatus
from sluice_contract.stream_parts import WriteBudget

SLOWED_SHARE: Final = 0.8  # of the limit; the pod logs the same
_REMEDY: Final = "Raise limits.writesPerDay or the policy's bound, or use fewer symbols."


class BudgetFinding(msgspec.Struct, frozen=True):
    """Whether the budget is sufficient, slowed or exhausted: the condition's status and reason, and a sentence."""

    status: Literal["True", "False"]
    reason: str
    message: str


def budget_finding(report: StreamStatus | None) -> BudgetFinding | None:
    """Return what the report says of the write budget; None without a report or without a budget.

    The numbers in the message are coarse, so that it rarely changes: each change is a write of the job's status.
    """
    if report is None or report.writes is None:
        return None
    writes = report.writes
    budget = f"the {writes.limit} document writes for {writes.day}"
    if _is_paused_by_quota(report):
        until = f"{writes.resets_at:%Y-%m-%dT%H:%M:%SZ}"
        message = f"All of {budget} are used or set aside: the job is paused by {QUOTA_SOURCE} until {until}. {_REMEDY}"
        return BudgetFinding("False", c.BUDGET_EXHAUSTED, message)
    if writes.used >= SLOWED_SHARE * writes.limit:
        percent = min(100, int(20 * writes.used / max(1, writes.limit)) * 5)
        message = f"At least {percent} % of {budget} are used. {_pace_sentence(writes)} {_REMEDY}"
        return BudgetFinding("False", c.BUDGET_SLOWED, message)
    return BudgetFinding("True", c.BUDGET_SUFFICIENT, f"More than a fifth of {budget} is left.")


def _pace_sentence(writes: WriteBudget) -> str:
    paced = writes.paced_interval_milliseconds
    if not paced:
        return "The limits of the job are slower than the pace of the budget."
    return f"Each symbol is written about every {_with_one_digit(paced / 1000)} s."


def _with_one_digit(seconds: float) -> str:
    """Return a number of seconds rounded to one significant digit, such as 400 or 0.2."""
    digits = -math.floor(math.log10(seconds))
    return f"{round(seconds, digits):g}"


def _is_paused_by_quota(report: StreamStatus) -> bool:
    pause = report.pause
    return pause is not None and QUOTA_SOURCE in (pause.source, *(each.source for each in pause.sources))
