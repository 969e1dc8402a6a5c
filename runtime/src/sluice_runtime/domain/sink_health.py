"""The health of the writes to Firestore, by kind of write."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SinkFailure(msgspec.Struct, frozen=True):
    """Why the last write of one kind failed. `at` is the time of the first failure since such a write succeeded."""

    message: str
    at: datetime


class SinkHealth:
    """Holds the kinds of writes that fail: quotes, documents (single ones), records or heartbeat."""

    def __init__(self) -> None:
        self._failures: dict[str, SinkFailure] = {}

    def record_result(self, write_kind: str, message: str | None, at: datetime) -> bool:
        """Record the result of the last write; `message` is None after a success.

        Return True for the first failure and for a recovery.
        """
        before = self._failures.get(write_kind)
        if message is not None:
            self._failures[write_kind] = SinkFailure(message, before.at if before else at)
        else:
            self._failures.pop(write_kind, None)
        return (before is None) != (message is None)

    def failing_since(self, write_kind: str) -> datetime | None:
        """Return when the first failure of this kind since its last success was; None if the last write succeeded."""
        failure = self._failures.get(write_kind)
        return failure.at if failure else None

    @property
    def first_failure(self) -> SinkFailure | None:
        """The failure that has lasted longest; None if all kinds of writes succeed."""
        return next(iter(self._failures.values()), None)
