"""The interfaces for the repair of gaps: past market data, and the tape that takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .domain.market import Bar, Trade
from .domain.market_history import HistoryPage, HistoryRequest


class MarketHistory(Protocol):
    """Fetches past trades and bars from a provider."""

    async def fetch_page(self, request: HistoryRequest, page: str | None) -> HistoryPage:
        """Return one page of the answer to `request`: the page that the page before names, or the first (None).

        Raises:
            HistoryError: the page is not available now.
        """


class HistoryError(Exception):
    """A page is not available. The message is a sentence, without secrets. A final error cannot be fixed by a retry."""

    def __init__(self, message: str, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class GapTape(Protocol):
    """A tape that takes the trades and bars of gaps."""

    def add_trades(self, trades: Sequence[Trade]) -> None:
        """Add trades."""

    def add_bars(self, bars: Sequence[Bar]) -> None:
        """Add one-minute bars."""

    def flush(self) -> None:
        """Write out everything that was added."""
