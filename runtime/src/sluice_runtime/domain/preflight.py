"""What a look at a provider's account found, beside the stream and never in its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sluice_contract.status import Preflight

_SHOWN = 20  # as many as the schema lets into the status


class Finding(msgspec.Struct, frozen=True):
    """The answer to one question. `words` say what was found, and where it is not good what to do."""

    question: str
    good: bool
    words: str

    def __str__(self) -> str:
        return f"{self.question}: {self.words}"


def preflight(findings: Sequence[Finding], at: datetime) -> Preflight:
    """The findings as the status shows them: what is not good comes first."""
    ordered = sorted(findings, key=lambda each: each.good)
    return Preflight(
        at=at,
        passed=all(each.good for each in findings),
        findings=[str(each) for each in ordered[:_SHOWN]],
    )
