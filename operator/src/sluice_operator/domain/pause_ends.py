"""When the pause of a job ends by itself."""

from __future__ import annotations

from datetime import datetime

from .observation import Observation
from .pause_evidence import requested_sources


def pause_end(o: Observation) -> datetime | None:
    """Return the latest end of all switches that pause the whole job; None if there are none, or if one has no end.

    The pod names switches that the operator does not know, such as those of its control interface.
    """
    report = o.report_of_current_pod
    ends = [each.until for each in requested_sources(o)]
    if report is not None and report.pause is not None:
        # A pod of an earlier version reports no sources.
        ends += [each.until for each in report.pause.sources] or [report.pause.until]
    with_end = [each for each in ends if each is not None]
    return max(with_end) if with_end and len(with_end) == len(ends) else None
