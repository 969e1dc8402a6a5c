"""Findings of the preflight checks of a provider's account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sluice_contract.status import PreflightResult

_SHOWN = 20  # the limit of the status schema


class Finding(msgspec.Struct, frozen=True):
    """The result of one preflight check.

    `words` state what the check found and, if `good` is False, what to do.
    """

    question: str
    good: bool
    words: str

    def __str__(self) -> str:
        return f"{self.question}: {self.words}"


def preflight_status(findings: Sequence[Finding], at: datetime) -> PreflightResult:
    """Return the preflight status of the job: whether all checks passed, and the findings with failed checks first."""
    ordered = sorted(findings, key=lambda each: each.good)
    return PreflightResult(
        at=at,
        passed=all(each.good for each in findings),
        findings=[str(each) for each in ordered[:_SHOWN]],
    )
