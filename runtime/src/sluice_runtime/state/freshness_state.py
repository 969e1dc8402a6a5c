"""The newest summary of the freshness of all symbols."""

from __future__ import annotations

from ..domain.freshness import FreshnessSummary


class FreshnessState:
    """Holds the summary that the freshness monitor has made last; None before its first one."""

    def __init__(self) -> None:
        self.summary: FreshnessSummary | None = None

    def renew(self, summary: FreshnessSummary) -> None:
        """Replace the summary by a newer one."""
        self.summary = summary
