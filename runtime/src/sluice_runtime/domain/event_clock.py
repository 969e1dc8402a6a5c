"""The provider's present time, estimated from the timestamps of its data. The clock of this node has no part in it.

Ticks are ordered by event time alone. One timestamp that lies far in the future would then silence its symbol until
that time, so a timestamp needs a limit. The node's own clock cannot set it: where it is behind, every timestamp would
lie in the future, and the order of ticks would be lost. The limit is therefore the newest timestamp that a second one
supports, carried forward by the monotonic clock, which no correction of the wall clock moves.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime

# How much later than the estimate a timestamp may be: venues differ, and batches are sampled.
_TOLERANCE_SECONDS = 5.0
# If all timestamps of this period were earlier than the estimate by more than the tolerance, the estimate was wrong.
_UNSUPPORTED_SECONDS = 10.0
_UNSUPPORTED_SAMPLES = 2
_SAMPLE_SECONDS = 0.1  # between two samples: more would only cost time

UNLIMITED = datetime.max.replace(tzinfo=UTC)


class EventClock:
    """Estimates the latest plausible timestamp. All instants named `at` are in monotonic seconds.

    The estimate is an offset: event time minus monotonic time. The first timestamp sets it. One that is later by more
    than the tolerance raises it only if the next sample is as late; a single wrong timestamp therefore changes nothing.
    It is lowered when no timestamp has come near it for 10 s, so that a wrong first one is forgotten.
    """

    def __init__(self) -> None:
        self._offset: float | None = None  # of the timestamps in the stream
        self._provider_offset: float | None = None  # of the provider's own clock, where it has been measured
        self._unsupported_rise: float | None = None
        self._supported_at = 0.0
        self._earlier_samples = 0  # in a row, and the latest of them
        self._latest_earlier = float("-inf")
        self._next_sample_at = float("-inf")

    def observe_timestamp(self, ts: datetime, at: float) -> None:
        """Take the timestamp of a tick that has just arrived into account. At most 10 a second are used."""
        if at < self._next_sample_at:
            return
        self._next_sample_at = at + _SAMPLE_SECONDS
        offset = ts.timestamp() - at
        if self._offset is None:
            self._set_offset(offset, at)
        elif offset > self._offset + _TOLERANCE_SECONDS:
            self._raise_if_supported(offset, at)
        elif offset >= self._offset - _TOLERANCE_SECONDS:
            self._set_offset(max(self._offset, offset), at)
        else:
            self._lower_if_unsupported(offset, at)

    def observe_provider_time(self, ts: datetime, at: float) -> None:
        """Take a reading of the provider's own clock into account, such as the Date header of a response.

        No timestamp is later than that, so a later estimate is corrected at once. An earlier one stays: feeds can be
        late.
        """
        self._provider_offset = offset = ts.timestamp() - at
        if self._offset is None or self._offset > offset + _TOLERANCE_SECONDS:
            self._set_offset(offset, at)

    def observe_snapshot(self, timestamps: Iterable[datetime], at: float) -> None:
        """Take the timestamps of a snapshot into account. They can only raise the estimate: quotes can be old.

        As in the stream, two of them must agree.
        """
        limit = self.latest_plausible_snapshot_time(at)
        for ts in heapq.nlargest(2, timestamps):
            if ts > limit:
                self._raise_if_supported(ts.timestamp() - at, at)

    def latest_plausible_time(self, at: float) -> datetime:
        """Return the limit for timestamps in the stream; `UNLIMITED` before the first one."""
        return _limit(self._offset, at)

    def latest_plausible_snapshot_time(self, at: float) -> datetime:
        """Return the limit for timestamps from a snapshot, which may be ahead of a stream that is late."""
        if self._offset is None or self._provider_offset is None:
            return _limit(self._offset, at)
        return _limit(max(self._offset, self._provider_offset), at)

    def _set_offset(self, offset: float, at: float) -> None:
        self._offset, self._supported_at = offset, at
        self._unsupported_rise = None
        self._earlier_samples, self._latest_earlier = 0, float("-inf")

    def _raise_if_supported(self, offset: float, at: float) -> None:
        if self._unsupported_rise is None:
            self._unsupported_rise = offset
        else:
            self._set_offset(min(self._unsupported_rise, offset), at)

    def _lower_if_unsupported(self, offset: float, at: float) -> None:
        self._unsupported_rise = None
        self._earlier_samples += 1
        self._latest_earlier = max(self._latest_earlier, offset)
        is_overdue = at - self._supported_at >= _UNSUPPORTED_SECONDS
        if is_overdue and self._earlier_samples >= _UNSUPPORTED_SAMPLES:
            self._set_offset(self._latest_earlier, at)


def _limit(offset: float | None, at: float) -> datetime:
    if offset is None:
        return UNLIMITED
    try:
        return datetime.fromtimestamp(offset + at + _TOLERANCE_SECONDS, UTC)
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return UNLIMITED
