"""The capabilities of a provider besides its stream (`ports.Source`), its newest quotes and its past data.

Those are `ports.Source`, `ports.MarketSnapshots` and `history_ports.MarketHistory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from sluice_contract.spec import IngestJobSpec

from .domain.market_hours import MarketSchedule
from .domain.preflight import Finding
from .domain.trading_calendar import TradingDay


class MarketHoursOfJob(Protocol):
    """The hours of the market from which a job gets its quotes."""

    def __call__(self, spec: IngestJobSpec) -> MarketSchedule:
        """Return when the market of a job is open: in the sessions of its spec, otherwise in those of its feed."""


class TradingDays(Protocol):
    """Fetches the market's calendar from a provider."""

    async def fetch_trading_days(self, first: date, last: date) -> Sequence[TradingDay]:
        """Return the trading days from `first` to `last`, as far as the provider knows them.

        Raises:
            CalendarError: the calendar is not available now, or it cannot be parsed.
        """


class Preflight(Protocol):
    """Checks the account of one job with the provider."""

    @property
    def skip_reason(self) -> str | None:
        """A sentence that says why no server needs to be asked; None if one does."""

    def run_checks(self) -> list[Finding]:
        """Run all checks, and return the findings. Never raises: an error becomes a finding."""
