"""A listener that passes all events on to another one. What needs some of the events extends it."""

from __future__ import annotations

from collections.abc import Sequence

from sluice_contract.status import StreamState
from sluice_contract.symbol_counts import SymbolRejection

from ..domain.clock_skew import ClockReading
from ..domain.failure import Impairment
from ..domain.market import Bar, Halt, Tick, TradeEvent
from ..ports import Listener


class ForwardingListener:
    """Passes all events on to the listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def on_state(self, state: StreamState) -> None:
        self._listener.on_state(state)

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        self._listener.on_ticks(ticks)

    def on_trades(self, events: Sequence[TradeEvent]) -> None:
        self._listener.on_trades(events)

    def on_halts(self, halts: Sequence[Halt]) -> None:
        self._listener.on_halts(halts)

    def on_bars(self, bars: Sequence[Bar]) -> None:
        self._listener.on_bars(bars)

    def on_provider_time(self, reading: ClockReading) -> None:
        self._listener.on_provider_time(reading)

    def on_acknowledgement(self, confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        self._listener.on_acknowledgement(confirmed, rejected)

    def on_impairment(self, impairment: Impairment | None) -> None:
        self._listener.on_impairment(impairment)

    def on_credentials(self, generation: int, problem: str | None) -> None:
        self._listener.on_credentials(generation, problem)

    def on_socket_closed(self) -> None:
        self._listener.on_socket_closed()
