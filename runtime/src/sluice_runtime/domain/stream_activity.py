"""When data arrived from the stream, and which of its timestamps are plausible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from .event_clock import EventClock
from .market import Tick, Trade

DataKind = Literal["quotes", "trades", "bars", "halts"]


class StreamActivity:
    """Remembers when the stream last delivered each kind of data. Instants named `at` are in monotonic seconds."""

    def __init__(self) -> None:
        self.event_clock = EventClock()
        self.last_message_at: datetime | None = None  # by this node's clock, for reports
        self.last_message_seconds: float | None = None  # the same instant in monotonic seconds, to measure silence
        self._data_seconds: dict[DataKind, float] = {}

    def record_message(self, now: datetime, at: float) -> None:
        """Record a message of any kind, with or without usable data."""
        self.last_message_at, self.last_message_seconds = now, at

    def record_data(self, kind: DataKind, at: float) -> None:
        """Record that usable data of this kind arrived."""
        self._data_seconds[kind] = at

    def record_batch(self, kind: DataKind, received: Sequence[Tick | Trade], now: datetime, at: float) -> datetime:
        """Record a batch of quotes or trades, which may be empty. Return the latest plausible time of its timestamps.

        The batch itself has no influence on that limit.
        """
        self.last_message_at, self.last_message_seconds = now, at
        limit = self.event_clock.latest_plausible_time(at)
        if received:
            self._data_seconds[kind] = at
            self.event_clock.observe_timestamp(received[-1].ts, at)
        return limit

    def seconds_of_last_data(self, kind: DataKind) -> float | None:
        """Return when usable data of this kind last arrived; None if it never did."""
        return self._data_seconds.get(kind)
