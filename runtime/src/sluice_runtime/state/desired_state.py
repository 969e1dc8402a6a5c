"""Sets the desired state, and applies it to the parts of the state that depend on it."""

from __future__ import annotations

from ..aio.latest_value import LatestValue
from ..domain.desired import Desired, is_unread
from ..domain.gap_ledger import GapLedger
from .instruments import Instruments
from .market_data import MarketData
from .symbols import SymbolsAwaitingSnapshot


class DesiredStateUpdater:
    """Sets the desired state that all loops follow."""

    def __init__(
        self,
        desired: LatestValue[Desired],
        market: MarketData,
        gaps: GapLedger,
        awaiting_snapshot: SymbolsAwaitingSnapshot,
        instruments: Instruments,
    ) -> None:
        self.desired = desired
        self._market = market
        self._gaps = gaps
        self._awaiting_snapshot = awaiting_snapshot
        self._now = instruments.now
        self._measurements = instruments.measurements
        market.accept_symbols_of(desired.value)

    def apply_desired(self, desired: Desired) -> None:
        """Set the desired state of all loops, and forget symbols that are no longer declared."""
        self._awaiting_snapshot.follow_desired(self.desired.value, desired)
        self._market.accept_symbols_of(desired)
        at, pause = self._now(), desired.pause
        self._gaps.follow_pauses(desired, at)
        self._measurements.pauses.follow(at, is_paused=pause is not None and not is_unread(pause))
        self._measurements.quotes.retain_only(desired.declared)
        self.desired.set(desired)
