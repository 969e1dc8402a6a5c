"""The difference between this computer's clock and the writer's, estimated from heartbeats as they arrive."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from sluice_client.documents import Heartbeat

_KEPT = 8


class SkewEstimator:
    """Keeps how long each of the last 8 heartbeats took to arrive; the smallest is closest to the clocks' difference.

    A heartbeat cannot arrive before it is written, so one early heartbeat proves that this computer's clock is slow.
    The first heartbeat of a listener can be of any age. So the estimate is positive only after another heartbeat has
    arrived, and never above the delay of the first while that is kept.

    `skew_cases` in `clients/cases.json` are the standard: Python and TypeScript pass the same cases.
    """

    def __init__(self) -> None:
        self._last_ts: datetime | None = None
        self._has_arrival = False
        self._delays: deque[float] = deque(maxlen=_KEPT)

    def observe(self, heartbeat: Heartbeat, arrived_at: datetime, *, is_first: bool = False) -> None:
        """Record a heartbeat that arrived at this time by this computer's clock. A repeated one changes nothing.

        `is_first` marks the first heartbeat of a listener. The first one of all is always one.
        """
        if heartbeat.ts is None or heartbeat.ts == self._last_ts:
            return
        if self._last_ts is not None and not is_first:
            self._has_arrival = True
        self._delays.append((arrived_at - heartbeat.ts).total_seconds())
        self._last_ts = heartbeat.ts

    def skew(self) -> float:
        """Return this computer's clock minus the writer's in seconds, 0.0 while it is unknown."""
        smallest = min(self._delays, default=0.0)
        return smallest if smallest < 0 or self._has_arrival else 0.0
