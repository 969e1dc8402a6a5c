"""When data arrived from the stream, and what its timestamps say about the provider's time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from .clock_skew import ClockReading, ClockSkewEstimator
from .event_clock import EventClock
from .health import ActivityTimes
from .market import Tick, TradeEvent
from .market_snapshot import MarketSnapshot

DataKind = Literal["quotes", "trades", "bars", "halts"]


class StreamActivity:
    """Remembers when the stream last delivered each kind of data. Instants named `at` are in monotonic seconds."""

    def __init__(self, *, has_provider_timestamps: bool = False) -> None:
        """`has_provider_timestamps` is True if the provider, not this node, sets the timestamps of ticks."""
        self.event_clock = EventClock()
        self.clock_skew = ClockSkewEstimator(has_provider_timestamps=has_provider_timestamps)
        self.last_message_at: datetime | None = None  # by this node's clock, for reports
        self.last_quote_received_at: datetime | None = None  # the same for the newest quote
        self.last_message_seconds: float | None = None  # the same instant in monotonic seconds, to measure silence
        self._data_seconds: dict[DataKind, float] = {}

    def record_message(self, now: datetime, at: float) -> None:
        """Record a message of any kind, with or without usable data."""
        self.last_message_at, self.last_message_seconds = now, at

    def record_data(self, kind: DataKind, at: float) -> None:
        """Record that usable data of this kind arrived."""
        self._data_seconds[kind] = at

    def record_batch(self, kind: DataKind, received: Sequence[Tick | TradeEvent], now: datetime, at: float) -> datetime:
        """Record a batch of quotes or trades, which may be empty. Return the latest plausible time of its timestamps.

        The batch itself has no influence on that limit.
        """
        self.last_message_at, self.last_message_seconds = now, at
        limit = self.event_clock.latest_plausible_time(at)
        if received:
            self._data_seconds[kind] = at
            self.last_quote_received_at = now if kind == "quotes" else self.last_quote_received_at
        if received and (ts := received[-1].ts) is not None:
            self.event_clock.observe_timestamp(ts, at)
            if ts <= limit:
                self.clock_skew.record_timestamp(ts, at)
        return limit

    def record_clock_reading(self, reading: ClockReading) -> None:
        """Record a statement of the provider's time."""
        self.event_clock.observe_provider_time(reading.latest, reading.received_at)
        self.clock_skew.record_reading(reading)

    def record_snapshot(self, latest: MarketSnapshot, at: float) -> datetime:
        """Record a snapshot, and return the latest plausible time of its timestamps."""
        timestamps = [quote.ts for quote in latest.quotes]
        self.clock_skew.record_snapshot(latest.clock_reading, timestamps)
        if latest.clock_reading is not None:
            self.event_clock.observe_provider_time(latest.clock_reading.latest, latest.clock_reading.received_at)
        self.event_clock.observe_snapshot(timestamps, at)
        return self.event_clock.latest_plausible_snapshot_time(at)

    def provider_time(self, now: datetime, at: float) -> datetime:
        """Return the provider's time when this node's clock says `now`; `now` itself while the skew is unknown."""
        skew = self.clock_skew.skew_seconds(now, at)
        return now - timedelta(seconds=skew) if skew is not None else now

    def to_activity_times(
        self, loop_tick_at: datetime, last_quote_ts: datetime | None, last_write_at: datetime | None
    ) -> ActivityTimes:
        """Return the times of the last activity: those of the stream, and the given times of other parts."""
        return ActivityTimes(
            loop_tick_at=loop_tick_at,
            last_message_at=self.last_message_at,
            last_quote_ts=last_quote_ts,
            last_quote_received_at=self.last_quote_received_at,
            last_write_at=last_write_at,
        )

    def seconds_of_last_data(self, kind: DataKind) -> float | None:
        """Return when usable data of this kind last arrived; None if it never did."""
        return self._data_seconds.get(kind)
