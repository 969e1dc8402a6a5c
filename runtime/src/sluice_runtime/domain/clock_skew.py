"""How far this node's clock is ahead of the provider's.

Two kinds of evidence bound the provider's time: its own statements of it (such as the Date header of a response), which
are exact to a second, and the timestamps of its ticks, which are never later than the provider's present. Both are kept
relative to the monotonic clock. A step of the node's clock therefore changes the skew at once, without a new statement.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from sluice_contract.remedies import CLOCK_SKEW_REPORTED_MILLISECONDS

# Between two samples, and how many count.
_SAMPLE_SECONDS = 1.0
_SAMPLES = 60
_SAMPLE_LIFE_SECONDS = 120.0
# One wrong timestamp must not count: the second-latest of at least three bounds the provider's time.
_LEAST_SAMPLES = 3
# If timestamps contradict an earlier statement by this much, the monotonic clock stood still, as while suspended.
_CONTRADICTION_SECONDS = 2.0

_REPORTED_SECONDS = CLOCK_SKEW_REPORTED_MILLISECONDS / 1000
_AGREED_SECONDS = 1.0  # a reported skew is over below this
_AGE_DIGITS = 9  # a longer Age header is not a number of seconds
_CHANGE_REPORTED_SECONDS = CLOCK_SKEW_REPORTED_MILLISECONDS / 1000


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of the provider's time: between two monotonic instants, its clock was once in this range."""

    earliest: datetime
    latest: datetime
    sent_at: float
    received_at: float


def date_header_reading(date: str, age: str, sent_at: float, received_at: float) -> ClockReading | None:
    """Return the reading of a response's Date header, which has whole seconds; None if it has no valid date.

    `age` is the response's Age header: the seconds that a cache has held the response. Both can be empty.
    """
    try:
        stated = parsedate_to_datetime(date)
        if stated.tzinfo is None:
            stated = stated.replace(tzinfo=UTC)
        is_age = age.isascii() and age.isdecimal() and len(age) <= _AGE_DIGITS
        earliest = stated + timedelta(seconds=int(age) + 1 if is_age else 0)
        latest = earliest + timedelta(seconds=1)
    except (ValueError, OverflowError):  # for example a date in the year 9999
        return None
    return ClockReading(earliest=earliest, latest=latest, sent_at=sent_at, received_at=received_at)


class ClockSkewEstimator:
    """Estimates the skew. Instants named `at` are in monotonic seconds.

    `has_provider_timestamps` is False if ticks get their timestamps on this node.
    """

    def __init__(self, *, has_provider_timestamps: bool) -> None:
        self._uses_timestamps = has_provider_timestamps
        self._is_distrusted = False  # because quotes were later than the date of their own response
        self._lower: float | None = None  # of the provider's time minus monotonic time, by its statements
        self._upper: float | None = None
        self._samples: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)
        self._next_sample_at = float("-inf")

    def record_reading(self, reading: ClockReading) -> None:
        """Narrow the range by a statement of the provider. One that contradicts the earlier ones replaces them."""
        if self._is_distrusted:
            return
        lower = reading.earliest.timestamp() - reading.received_at
        upper = reading.latest.timestamp() - reading.sent_at
        if self._lower is not None and self._upper is not None and lower <= self._upper and upper >= self._lower:
            lower, upper = max(lower, self._lower), min(upper, self._upper)
        self._lower, self._upper = lower, upper

    def record_snapshot(self, reading: ClockReading | None, timestamps: Iterable[datetime]) -> None:
        """Record the date of a snapshot's response and the timestamps of its quotes.

        If quotes are later than the date, a proxy or a cache may have set it. Statements then count no more, until a
        later response is consistent.
        """
        if reading is None:
            return
        newest = heapq.nlargest(2, timestamps)
        self._is_distrusted = bool(newest) and newest[-1] > reading.latest + timedelta(seconds=_CONTRADICTION_SECONDS)
        if self._is_distrusted:
            self._lower = self._upper = None
        self.record_reading(reading)

    def record_timestamp(self, ts: datetime, at: float) -> None:
        """Record the timestamp of a tick that has just arrived. At most one a second is used."""
        if self._uses_timestamps and at >= self._next_sample_at:
            self._next_sample_at = at + _SAMPLE_SECONDS
            self._samples.append((at, ts.timestamp() - at))

    def skew_seconds(self, now: datetime, at: float) -> float | None:
        """Return how far `now`, read from this node's clock at `at`, is ahead of the provider; negative if behind.

        None while unknown. Timestamps alone cannot show that the clock is ahead: the feed may be late.
        """
        wall = now.timestamp() - at
        latest = self._latest_supported_timestamp(at)
        if self._lower is None or self._upper is None or _contradicts(latest, self._upper):
            return wall - latest if latest is not None and wall < latest else None
        lower = self._lower if latest is None else min(max(self._lower, latest), self._upper)
        return wall - (lower + self._upper) / 2

    def _latest_supported_timestamp(self, at: float) -> float | None:
        offsets = [offset for taken_at, offset in self._samples if at - taken_at <= _SAMPLE_LIFE_SECONDS]
        return heapq.nlargest(2, offsets)[-1] if len(offsets) >= _LEAST_SAMPLES else None


def _contradicts(latest: float | None, upper: float) -> bool:
    return latest is not None and latest > upper + _CONTRADICTION_SECONDS


class ClockSkewAlarm:
    """Decides when a skew is reported: above 2 s, again after each change by 2 s, and once it is below 1 s."""

    def __init__(self) -> None:
        self._reported: float | None = None

    def update_and_check_change(self, skew_seconds: float | None) -> bool:
        """Take a new estimate into account, and return True if it must be reported now. An unknown one changes nothing.

        `is_active` is then False if the clocks agree again.
        """
        if skew_seconds is None:
            return False
        size = abs(skew_seconds)
        if self._reported is None:
            has_changed = size > _REPORTED_SECONDS
        else:
            has_changed = size < _AGREED_SECONDS or abs(skew_seconds - self._reported) >= _CHANGE_REPORTED_SECONDS
        if has_changed:
            self._reported = skew_seconds if size > _AGREED_SECONDS else None
        return has_changed

    @property
    def is_active(self) -> bool:
        """True while the clock is reported as wrong."""
        return self._reported is not None
