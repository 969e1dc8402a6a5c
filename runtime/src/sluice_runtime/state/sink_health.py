"""The health of the writes to Firestore, by kind of write."""

from __future__ import annotations

import logging
from collections.abc import Set
from datetime import datetime

import msgspec

from ..domain.recent_writes import RecentWrites
from .instruments import Instruments

# Everything that is written to Firestore, by the name with which its results are recorded.
WRITE_KINDS = ("quotes", "documents", "records", "gaps", "heartbeat")

_log = logging.getLogger(__name__)


class SinkFailure(msgspec.Struct, frozen=True):
    """Why the last write of one kind failed. `at` is the time of the first failure since such a write succeeded."""

    message: str
    at: datetime


class SinkHealth:
    """Holds the kinds of writes that fail (quotes, documents, records, gaps, heartbeat), and counts written quotes."""

    def __init__(self, instruments: Instruments) -> None:
        self.last_write_at: datetime | None = None  # of a quote
        self._instruments = instruments
        self._failures: dict[str, SinkFailure] = {}
        self._recent_quote_writes = RecentWrites()

    def record_result(self, write_kind: str, failure: str | None) -> None:
        """Record the result of the last write of one kind; `failure` is None after a success.

        A first failure and a recovery are logged and reported immediately.
        """
        before = self._failures.get(write_kind)
        if failure is not None:
            self._failures[write_kind] = SinkFailure(failure, before.at if before else self._instruments.now())
        else:
            self._failures.pop(write_kind, None)
        if (before is None) != (failure is None):
            text = f"{write_kind} not written: {failure}" if failure else f"Firestore writes recovered: {write_kind}"
            _log.warning(text, extra={"event_type": "firestore_write"})
            self._instruments.transitions.signal()

    def record_quote_writes(self, count: int) -> None:
        """Record that Firestore acknowledged the write of `count` quote documents. The first is reported at once."""
        self._instruments.counters.count_writes(count)
        is_first, self.last_write_at = self.last_write_at is None, self._instruments.now()
        self._recent_quote_writes.add(count, self.last_write_at)
        self.record_result("quotes", None)
        if is_first:
            self._instruments.transitions.signal()

    def quote_writes_of_last_minute(self) -> int:
        """Return the number of quote documents that Firestore acknowledged in the last 60 s."""
        return self._recent_quote_writes.writes_of_last_minute(self._instruments.now())

    def forget_failures_of_paused_writes(self) -> None:
        """Record that a pause took effect: writes that failed were dropped, or wait until the pause ends."""
        for write_kind in ("quotes", "documents"):
            self.record_result(write_kind, None)

    def failing_since(self, write_kind: str) -> datetime | None:
        """Return when the first failure of this kind since its last success was; None if the last write succeeded."""
        failure = self._failures.get(write_kind)
        return failure.at if failure else None

    @property
    def failing_writes(self) -> Set[str]:
        """The kinds of writes whose last write failed."""
        return self._failures.keys()

    @property
    def first_failure(self) -> SinkFailure | None:
        """The failure that has lasted longest; None if all kinds of writes succeed."""
        return next(iter(self._failures.values()), None)
