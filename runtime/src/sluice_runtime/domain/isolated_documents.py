"""The documents that are written one at a time, because a write with them has failed."""

from __future__ import annotations

from collections.abc import Iterable

_FIRST_RETRY_SECONDS = 0.5
_MAX_RETRY_SECONDS = 5.0  # a lock may be free only briefly
# A document that another client locks again and again must not hold up the next batch with it.
_PROBATION_SECONDS = 60.0
_NAMES_SHOWN = 3


class _Isolation:
    """The state of one document. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.failures = 0  # since it was last written
        self.next_attempt_at = float("-inf")
        self.ends_at = float("inf")
        self.name = ""
        self.message = ""


class IsolatedDocuments:
    """Remembers which documents must be written alone, and when each may be written.

    A document whose own write failed waits 0.5 s before the next attempt, then twice as long after each further
    failure, up to 5 s. It is written alone until 60 s after it was written successfully. Documents are named by any
    text that callers choose.
    """

    def __init__(self) -> None:
        self._isolations: dict[str, _Isolation] = {}

    def isolate(self, documents: Iterable[str]) -> None:
        """Write these documents alone from now on, because a write of several of them has failed."""
        for document in documents:
            self._isolations.setdefault(document, _Isolation())

    def record_failure(self, document: str, name: str, message: str, at: float, at_least: float = 0.0) -> None:
        """Record that the write of one document failed at `at`. `name` and `message` are for people.

        `at_least` is the minimum number of seconds before the next attempt.
        """
        isolation = self._isolations.setdefault(document, _Isolation())
        delay = min(_MAX_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(isolation.failures, 10))
        isolation.failures += 1
        isolation.name, isolation.message = name, message
        isolation.next_attempt_at, isolation.ends_at = at + max(delay, at_least), float("inf")

    def record_success(self, document: str, at: float) -> None:
        """Record that a document was written at `at`."""
        if isolation := self._isolations.get(document):
            isolation.failures, isolation.message = 0, ""
            isolation.next_attempt_at, isolation.ends_at = float("-inf"), at + _PROBATION_SECONDS

    def forget(self, documents: Iterable[str]) -> None:
        """Forget documents that are no longer written."""
        for document in documents:
            self._isolations.pop(document, None)

    def is_isolated(self, document: str, at: float) -> bool:
        """Return True if the document must be written alone."""
        isolation = self._isolations.get(document)
        return isolation is not None and at < isolation.ends_at

    def is_waiting(self, document: str, at: float) -> bool:
        """Return True if the document waits for its next attempt."""
        isolation = self._isolations.get(document)
        return isolation is not None and at < isolation.next_attempt_at

    @property
    def failure_message(self) -> str | None:
        """A sentence that names the documents that cannot be written, and says why; None if there are none."""
        failing = [each for each in self._isolations.values() if each.message]
        if not failing:
            return None
        names = ", ".join(each.name for each in failing[:_NAMES_SHOWN])
        more = f" and {len(failing) - _NAMES_SHOWN} more" if len(failing) > _NAMES_SHOWN else ""
        return f"{names}{more}: {failing[0].message}"
