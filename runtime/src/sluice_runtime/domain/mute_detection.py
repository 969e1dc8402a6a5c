"""Detects a connection that is open and delivers nothing although the provider has newer data.

Silence alone proves nothing: a market can be quiet. The provider's REST interface can tell the two apart. If two of its
responses in a row have data newer than the response before, and the stream delivered none in that time, the stream is
mute. The age of the data does not matter, so that this also holds for a feed that is 15 minutes late, and no clock is
compared with another.

All instants named `at` are in monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

# The first requests of a silence follow each other quickly, so that a mute connection is found within two minutes.
_FAST_SECONDS = 30.0
_FAST_PERIOD_SECONDS = 120.0
_SLOW_SECONDS = 60.0
# After this long, a connection that has delivered data is silent because its market is quiet. Requests become rarer.
_QUIET_AFTER_SECONDS = 600.0
_QUIET_SECONDS = 300.0
# Responses that follow sooner are not counted: the stream may only be a little later than they are.
_LEAST_BETWEEN_RESPONSES_SECONDS = 20.0
_RESPONSES_NEEDED = 2


class MuteDetector:
    """Watches one kind of data (quotes or trades) of the open connection."""

    def __init__(self) -> None:
        self._connected_at = 0.0
        self._last_data_at: float | None = None
        self._newest: dict[str, datetime] = {}  # in any response on this connection
        self._counted_at: float | None = None  # when the last response that counts was requested
        self._newer_in_a_row = 0

    def start_connection(self, at: float) -> None:
        """Begin to watch a new connection, which has to prove itself."""
        self._connected_at, self._last_data_at = at, None
        self._newest.clear()
        self._counted_at, self._newer_in_a_row = None, 0

    def record_data(self, last_data_at: float | None) -> None:
        """Record when the stream last delivered data of this kind, on this connection or an earlier one."""
        if last_data_at is not None and last_data_at >= self._connected_at:
            self._last_data_at = last_data_at

    @property
    def has_delivered(self) -> bool:
        """True if the connection has proved itself: it has delivered data of this kind."""
        return self._last_data_at is not None

    def is_request_due(self, at: float, last_request_at: float | None, *, is_market_open: bool) -> bool:
        """Return True if a response is needed now to judge the silence of the stream."""
        if not is_market_open:
            return False
        silent_seconds = at - (self._connected_at if self._last_data_at is None else self._last_data_at)
        if self._last_data_at is not None and silent_seconds < _FAST_SECONDS:
            return False
        return last_request_at is None or at - last_request_at >= self._request_interval(silent_seconds)

    def record_response(self, newest: Mapping[str, datetime], requested_at: float, *, is_complete: bool) -> str | None:
        """Take a response into account: the time of the newest data of each symbol.

        `is_complete` is False for a response about some symbols only, which have just been added.
        Return a symbol whose data the stream should have delivered, if the connection is mute; otherwise None.
        """
        newer = next((symbol for symbol, ts in newest.items() if ts > self._newest.get(symbol, ts)), None)
        counts = self._counted_at is None or requested_at - self._counted_at >= _LEAST_BETWEEN_RESPONSES_SECONDS
        if not counts or not is_complete:
            self._newest = {**newest, **self._newest}
            return None
        has_delivered = (
            self._counted_at is not None and self._last_data_at is not None and self._last_data_at >= self._counted_at
        )
        self._newest |= {symbol: max(ts, self._newest.get(symbol, ts)) for symbol, ts in newest.items()}
        self._counted_at = requested_at
        self._newer_in_a_row = 0 if newer is None or has_delivered else self._newer_in_a_row + 1
        return newer if self._newer_in_a_row >= _RESPONSES_NEEDED else None

    def _request_interval(self, silent_seconds: float) -> float:
        has_proved_itself = self._last_data_at is not None
        fast_period = _FAST_PERIOD_SECONDS + (_FAST_SECONDS if has_proved_itself else 0.0)
        if silent_seconds <= fast_period:
            return _FAST_SECONDS
        return _QUIET_SECONDS if has_proved_itself and silent_seconds > _QUIET_AFTER_SECONDS else _SLOW_SECONDS
