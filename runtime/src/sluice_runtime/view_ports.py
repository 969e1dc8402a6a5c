"""The interface between the state of the process and what shows it."""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol

from .domain.coalescer import Coalescer
from .domain.counters import Counters
from .domain.freshness import SymbolFreshness
from .domain.health import DestinationReport, RuntimeSnapshot
from .domain.measurements import Measurements
from .domain.newest_quotes import NewestQuotes


class RuntimeView(Protocol):
    """The state of the process, for the HTTP interface to read."""

    @property
    def counters(self) -> Counters:
        """The counts since the process started."""

    @property
    def measurements(self) -> Measurements:
        """The durations that were measured since the process started."""

    @property
    def failing_writes(self) -> Set[str]:
        """The kinds of writes to the document store whose last write failed."""

    @property
    def batches(self) -> int:
        """The number of batches of quotes since the process started."""

    @property
    def coalescer(self) -> Coalescer:
        """The coalescer, which counts the quotes."""

    @property
    def quotes(self) -> NewestQuotes:
        """The newest quote of each symbol."""

    def freshness_by_symbol(self) -> dict[str, SymbolFreshness]:
        """Return the freshness and the pace of each declared symbol now; nothing before the first check."""

    def destination_reports(self) -> list[DestinationReport]:
        """Return the health of each destination besides the document store."""

    def snapshot(self) -> RuntimeSnapshot:
        """Return the current state of the runtime."""
