"""What a runtime reports over time, and its comparison with what it should report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Report(NamedTuple):
    """A deviation from normal that the status, the heartbeat or a document shows, such as ("stale", "SPY")."""

    kind: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class ReportPeriod(NamedTuple):
    """A period in which a report was shown without interruption."""

    report: Report
    begins: datetime
    ends: datetime

    def __str__(self) -> str:
        return (
            f"{self.report.kind} {self.report.subject}".strip() + f" {self.begins:%a %H:%M:%S} to {self.ends:%H:%M:%S}"
        )


class ExpectedReport(NamedTuple):
    """A report that must appear within `appears_within` of `begins`, and end within `ends_within` of `ends`.

    If it is not required, it may be missing: it can be over before it is observed.
    """

    report: Report
    begins: datetime
    ends: datetime
    appears_within: timedelta
    ends_within: timedelta
    is_required: bool = True

    def includes(self, period: ReportPeriod) -> bool:
        """Return True if this is the reason for the period."""
        return (
            period.report == self.report
            and self.begins <= period.begins <= self.begins + self.appears_within
            and period.ends <= self.ends + self.ends_within
        )

    def __str__(self) -> str:
        return f"{self.report} after {self.begins:%a %H:%M:%S}"


class ReportLog:
    """Joins the reports of successive observations into periods."""

    def __init__(self) -> None:
        self.periods: list[ReportPeriod] = []
        self._open: dict[Report, ReportPeriod] = {}

    def record(self, reports: Iterable[Report], at: datetime) -> None:
        """Record all reports that are shown at one instant."""
        shown = frozenset(reports)
        for report in self._open.keys() - shown:
            self.periods.append(self._open.pop(report))
        for report in shown:
            begins = self._open[report].begins if report in self._open else at
            self._open[report] = ReportPeriod(report, begins, at)

    def close(self) -> None:
        """End all periods that are still open."""
        self.periods += self._open.values()
        self._open.clear()


def missing_and_unexpected(
    expected: Iterable[ExpectedReport], periods: Iterable[ReportPeriod]
) -> tuple[list[ExpectedReport], list[ReportPeriod]]:
    """Return the expected reports that never appeared, and the periods that nothing explains."""
    expected, periods = list(expected), list(periods)
    required = [each for each in expected if each.is_required]
    missing = [each for each in required if not any(each.includes(period) for period in periods)]
    unexpected = [period for period in periods if not any(each.includes(period) for each in expected)]
    return missing, unexpected
