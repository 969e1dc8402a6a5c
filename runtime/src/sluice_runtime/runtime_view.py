"""The state of the process as heartbeats, status, HTTP and metrics show it."""

from __future__ import annotations

from collections.abc import Set

from .domain.coalescer import Coalescer
from .domain.counters import Counters
from .domain.freshness import SymbolFreshness
from .domain.health import DestinationReport, RuntimeSnapshot
from .domain.measurements import Measurements
from .domain.newest_quotes import NewestQuotes
from .loops.freshness_monitor import FreshnessObserver
from .state.runtime_state import RuntimeState


class CurrentRuntimeView:
    """The RuntimeView of one process. Each snapshot has the freshness of this instant, once its monitor runs."""

    def __init__(self, state: RuntimeState, observer: FreshnessObserver) -> None:
        self._state = state
        self._observer = observer

    @property
    def counters(self) -> Counters:
        return self._state.counters

    @property
    def measurements(self) -> Measurements:
        return self._state.instruments.measurements

    @property
    def failing_writes(self) -> Set[str]:
        return self._state.sink_health.failing_writes

    @property
    def batches(self) -> int:
        return self._state.stream.batches

    @property
    def coalescer(self) -> Coalescer:
        return self._state.market.coalescer

    @property
    def quotes(self) -> NewestQuotes:
        return self._state.quotes

    def freshness_by_symbol(self) -> dict[str, SymbolFreshness]:
        return self._observer.freshness_by_symbol() if self._is_observed else {}

    def destination_reports(self) -> list[DestinationReport]:
        return self._state.destination_healths.reports()

    def snapshot(self) -> RuntimeSnapshot:
        if self._is_observed:
            self._observer.renew_summary()
        return self._state.snapshot()

    @property
    def _is_observed(self) -> bool:
        return self._state.freshness.summary is not None
