"""The difference between this computer's clock and the writer's, estimated from heartbeats as they arrive."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from sluice_client.documents import Heartbeat

# Arrivals that an estimate uses, and those that it needs before it says that this computer's clock is fast.
_KEPT = 20
_NEEDED = 3


class SkewEstimator:
    """Keeps how long each of the last heartbeats took to arrive; the smallest is closest to the clocks' difference.

    A heartbeat cannot arrive before it is written, so one early heartbeat proves that this computer's clock is slow.
    A late one proves nothing: it may be an old document. So the estimate is positive only after three heartbeats have
    arrived while this reader listened.
    """

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._last_ts: datetime | None = None
        self._arrivals = 0
        self._delays: deque[float] = deque(maxlen=_KEPT)

    def observe(self, heartbeat: Heartbeat, arrived_at: datetime) -> None:
        """Record a heartbeat that arrived at this time by this computer's clock. A repeated one changes nothing."""
        if heartbeat.ts is None or heartbeat.ts == self._last_ts:
            return
        if self._last_ts is None or heartbeat.epoch != self._epoch:  # another epoch may have another clock
            self._delays.clear()
            self._arrivals = 0
        else:
            self._arrivals += 1
        self._delays.append((arrived_at - heartbeat.ts).total_seconds())
        self._epoch, self._last_ts = heartbeat.epoch, heartbeat.ts

    def skew(self) -> float:
        """Return this computer's clock minus the writer's in seconds, 0.0 while it is unknown."""
        smallest = min(self._delays, default=0.0)
        return smallest if smallest < 0 or self._arrivals >= _NEEDED else 0.0
