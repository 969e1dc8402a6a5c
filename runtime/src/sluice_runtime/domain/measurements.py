"""What the process measures of itself, exported as metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, get_args

from .durations import PauseTimes, StreamStateTimes
from .histogram import Histogram
from .quote_latencies import QuoteLatencies

StoreRequestKind = Literal["reads", "writes", "deletes"]

# A request without an answer ends after 2.5 s.
_REQUEST_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)


def _histograms_by_kind() -> Mapping[StoreRequestKind, Histogram]:
    return MappingProxyType({kind: Histogram(_REQUEST_BOUNDS) for kind in get_args(StoreRequestKind)})


@dataclass(slots=True, kw_only=True)
class Measurements:
    """The durations of the process since its start. All parts of its state share them."""

    quotes: QuoteLatencies = field(default_factory=QuoteLatencies)
    states: StreamStateTimes = field(default_factory=StreamStateTimes)
    pauses: PauseTimes = field(default_factory=PauseTimes)
    store_requests: Mapping[StoreRequestKind, Histogram] = field(default_factory=_histograms_by_kind)
    heartbeat_at: datetime | None = None  # of the last heartbeat that the document store acknowledged

    def record_request(self, kind: StoreRequestKind, seconds: float) -> None:
        """Record how long a request to the document store took until it was answered or failed."""
        self.store_requests[kind].observe(seconds)

    def record_heartbeat(self, at: datetime) -> None:
        """Record that the document store acknowledged a heartbeat."""
        self.heartbeat_at = at
