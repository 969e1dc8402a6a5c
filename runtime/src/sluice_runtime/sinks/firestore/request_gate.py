"""Withholds requests to a store that refuses them, so that a refusal that lasts costs few requests."""

from __future__ import annotations

from collections.abc import Callable

from ...domain.measurements import StoreRequestKind

RequestKind = StoreRequestKind
RecordRequest = Callable[[RequestKind, float], None]  # gets the seconds until a request was answered or failed

FIRST_INTERVAL_SECONDS = 1.0
MAX_INTERVAL_SECONDS = 60.0


def ignore_request(_kind: RequestKind, _seconds: float) -> None:
    """Ignore the duration of a request."""


class _Refusal:
    """The current refusal of one kind of request. Times are monotonic seconds."""

    def __init__(self, message: str, at: float, interval: float) -> None:
        self.message = message
        self.at = at
        self.interval = interval
        self.next_attempt_at = at + interval


class RequestGate:
    """Decides which requests are sent while the store refuses all requests of a kind.

    After a refusal, one request of that kind is sent per interval. The interval starts at 1 s and doubles with each
    further refusal, up to 60 s. The first success ends this. While writes are refused, reads are withheld too, because
    they only prepare writes; reads that are refused do not withhold writes.
    """

    def __init__(self) -> None:
        self._refusals: dict[RequestKind, _Refusal] = {}

    def refusal_if_withheld(self, kind: RequestKind, at: float) -> tuple[RequestKind, str] | None:
        """Return the kind of requests that are refused, and the message, if a request must not be sent now.

        Return None if it may be sent. This changes nothing.
        """
        kinds: tuple[RequestKind, ...] = ("writes", "reads") if kind == "reads" else (kind,)
        for each in kinds:
            refusal = self._refusals.get(each)
            if refusal is not None and at < refusal.next_attempt_at:
                return each, refusal.message
        return None

    def start_attempt(self, kind: RequestKind, at: float) -> None:
        """Record that a request is sent. While the kind is refused, the next one waits for another interval."""
        if refusal := self._refusals.get(kind):
            refusal.next_attempt_at = at + refusal.interval

    def record_refusal(self, kind: RequestKind, message: str, sent_at: float, at: float, at_least: float = 0.0) -> None:
        """Record that the store refused a request that was sent at `sent_at`.

        `at_least` is the minimum number of seconds before the next attempt; more than 60 s counts as 60 s. Requests
        that were sent before the last refusal do not lengthen the interval.
        """
        before = self._refusals.get(kind)
        if before is not None and sent_at <= before.at:
            return
        interval = before.interval * 2 if before else FIRST_INTERVAL_SECONDS
        self._refusals[kind] = _Refusal(message, at, min(MAX_INTERVAL_SECONDS, max(interval, at_least)))

    def record_success(self, kind: RequestKind, sent_at: float) -> None:
        """End the refusal of this kind, unless the request was sent before the last refusal."""
        refusal = self._refusals.get(kind)
        if refusal is not None and sent_at > refusal.at:
            del self._refusals[kind]

    def permit_next_attempt(self) -> None:
        """Permit the next request of each kind now, whatever the intervals. The intervals stay as they are."""
        for refusal in self._refusals.values():
            refusal.next_attempt_at = float("-inf")
