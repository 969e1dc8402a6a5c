"""Findings of the preflight checks of a provider's account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sluice_contract.status import Preflight

_SHOWN = 20  # the limit of the status schema


class Finding(msgspec.Struct, frozen=True):
    """The result of one check. `words` are what was found and, if that is not good, what to do."""

    question: str
    good: bool
    words: str

    def __str__(self) -> str:
        return f"{self.question}: {self.words}"


def preflight_status(findings: Sequence[Finding], at: datetime) -> Preflight:
    """Return the findings for the status, failed checks first."""
    ordered = sorted(findings, key=lambda each: each.good)
    return Preflight(
        at=at,
        passed=all(each.good for each in findings),
        findings=[str(each) for each in ordered[:_SHOWN]],
    )
