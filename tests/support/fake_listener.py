"""A fake of the listener that connections report to."""

from __future__ import annotations

from collections.abc import Sequence

from sluice_contract.status import StreamState
from sluice_contract.stream_states import TRANSITION_CAUSES
from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.failure import Impairment
from sluice_runtime.domain.market import (
    Bar,
    Halt,
    Tick,
    TradeCancellation,
    TradeCorrection,
    TradeEvent,
    TradeTick,
)
from support.virtual_time import seconds


class FakeListener:
    """A Listener that keeps all that a connection reports. It checks that the order of the states is possible."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.frames: list[tuple[float, list[Tick]]] = []
        self.trade_events: list[TradeEvent] = []
        self.halts: list[Halt] = []
        self.bars: list[Bar] = []
        self.clock_readings: list[ClockReading] = []
        self.confirmed: frozenset[str] = frozenset()
        self.impairments: list[Impairment | None] = []
        self.credentials: list[tuple[int, str | None]] = []
        self.rejected: tuple[SymbolRejection, ...] = ()
        self._state: StreamState | None = None  # of the open connection

    @property
    def ticks(self) -> list[Tick]:
        """All ticks, in order."""
        return [tick for _, frame in self.frames for tick in frame]

    @property
    def trades(self) -> list[TradeTick]:
        """All trades, in order, without cancellations and corrections."""
        return [each for each in self.trade_events if not isinstance(each, TradeCancellation | TradeCorrection)]

    def on_state(self, state: StreamState) -> None:
        assert self._state in (None, state) or (self._state, state) in TRANSITION_CAUSES
        self._state = state
        self.history.append(state)

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        self.frames.append((seconds(), list(ticks)))

    def on_trades(self, events: Sequence[TradeEvent]) -> None:
        self.trade_events.extend(events)

    def on_halts(self, halts: Sequence[Halt]) -> None:
        self.halts.extend(halts)

    def on_bars(self, bars: Sequence[Bar]) -> None:
        self.bars.extend(bars)

    def on_provider_time(self, reading: ClockReading) -> None:
        self.clock_readings.append(reading)

    def on_acknowledgement(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        self.confirmed, self.rejected = confirmed, tuple(rejected)
        self.history.append("acknowledged")

    def on_impairment(self, impairment: Impairment | None) -> None:
        self.impairments.append(impairment)

    def on_credentials(self, generation: int, problem: str | None) -> None:
        self.credentials.append((generation, problem))

    def on_socket_closed(self) -> None:
        self._state = None
        self.history.append("closed")
