"""The number of writes in the last minute."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_MINUTE = timedelta(seconds=60)


class RecentWrites:
    """Counts the writes of the last 60 s, in steps of one second. Times must not go back by more than a step."""

    def __init__(self) -> None:
        self._counts: deque[tuple[datetime, int]] = deque()  # the begin of each second with writes, the oldest first

    def add(self, count: int, at: datetime) -> None:
        """Record `count` writes at `at`."""
        second = at.replace(microsecond=0)
        if self._counts and self._counts[-1][0] == second:
            second, before = self._counts.pop()
            count += before
        self._counts.append((second, count))
        self._forget_before(at)

    def writes_of_last_minute(self, at: datetime) -> int:
        """Return the number of writes in the 60 s before `at`."""
        self._forget_before(at)
        return sum(count for _, count in self._counts)

    def _forget_before(self, at: datetime) -> None:
        while self._counts and self._counts[0][0] <= at - _MINUTE:
            self._counts.popleft()
