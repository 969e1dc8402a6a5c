"""What `doctor` finds: what is the case, how bad it is, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from .fleet import Unseen

PROBLEM, WARNING, NOTE = "problem", "warning", "note"
# From worst to best.
SEVERITIES = (PROBLEM, WARNING, NOTE)


class Finding(NamedTuple):
    """One fact that needs a look: what it is about, a sentence, what to do, and a command for that (may be empty)."""

    severity: str
    check: str
    about: str
    message: str
    remedy: str
    command: str = ""


class DoctorReport(NamedTuple):
    """The findings, the worst first, what was checked, and what could not be seen."""

    at: datetime
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    unseen: tuple[Unseen, ...]

    @property
    def has_problem(self) -> bool:
        """Whether something does not work."""
        return any(each.severity == PROBLEM for each in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings of each severity, the worst first."""
        found = Counter(each.severity for each in self.findings)
        return {severity: found[severity] for severity in SEVERITIES if found[severity]}


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings without repetitions, the worst first; those of one severity in the order of their objects."""
    distinct = dict.fromkeys(findings)
    return tuple(sorted(distinct, key=lambda each: (SEVERITIES.index(each.severity), each.about)))
