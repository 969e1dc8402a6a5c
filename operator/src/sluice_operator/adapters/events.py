"""Kubernetes Events for changed conditions, as `kubectl describe` shows them. Posting them delays nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC
from typing import Any, Protocol

from sluice_contract import identity

from ..domain.denial_causes import denial_reason
from ..ports import ClusterError, Conflict, EventReport, seconds_until_retry

log = logging.getLogger(__name__)

WAITING_MOST = 1000  # reports; the start of a fleet makes a few thousand, and the first of them are sufficient
JOB_BURST = 10.0
JOB_EVERY_SECONDS = 30.0
FLEET_EVERY_SECONDS = 0.02  # 50 a second


class EventPoster(Protocol):
    """A client that creates Event objects in the cluster."""

    async def create_event(self, manifest: dict[str, Any]) -> None:
        """Post an Event."""


class EventRecorder:
    """The implementation of `ports.EventQueue`, with a bounded queue and two rate limits.

    Each job can have 10 Events in a row, then one every 30 s. All jobs together have at most one every 0.02 s (50 a
    second).
    """

    def __init__(
        self,
        poster: EventPoster,
        dropped: Callable[[], None],
        clock: Callable[[], float],
        count_denial: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`count_denial` is called with the reason of each report that the operator withholds a pod by a rule."""
        self._poster = poster
        self._count_denial = count_denial
        self._dropped = dropped
        self._clock = clock
        self._line: asyncio.Queue[EventReport] = asyncio.Queue(WAITING_MOST)
        self._spent: dict[str, tuple[float, float]] = {}  # job uid: events spent, as of when

    def queue_or_drop(self, report: EventReport) -> None:
        """Queue the report. Drop and count it if the queue is full or the job exceeds its rate limit."""
        if reason := denial_reason(report.transition.condition):
            self._count_denial(reason)
        if self._line.full() or not self._try_take_event_token(report.uid):
            self._dropped()
            return
        self._line.put_nowait(report)

    async def run(self) -> None:
        """Post the queued reports, forever."""
        while True:
            report = await self._line.get()
            wait = FLEET_EVERY_SECONDS
            try:
                await self._poster.create_event(event_manifest(report))
            except Conflict:
                pass  # posted before a restart of the operator
            except ClusterError as error:
                wait = seconds_until_retry(error, wait)
                log.info("an Event was not posted; dropped", extra={"error": str(error)})
            await asyncio.sleep(wait)

    def _try_take_event_token(self, uid: str) -> bool:
        """Take a token of the job's rate limit. Return False if the job has none left."""
        now = self._clock()
        spent, since = self._spent.get(uid, (0.0, now))
        spent = max(0.0, spent - (now - since) / JOB_EVERY_SECONDS)
        if spent > JOB_BURST - 1:
            return False
        self._spent[uid] = (spent + 1, now)
        if len(self._spent) > 2 * WAITING_MOST:
            self._spent = {job: (n, at) for job, (n, at) in self._spent.items() if now - at < JOB_EVERY_SECONDS}
        return True


def event_manifest(report: EventReport) -> dict[str, Any]:
    """Return a core/v1 Event. Its name contains the reason and the time, so that posting it twice creates one Event."""
    condition, (namespace, name) = report.transition.condition, report.key
    at = f"{condition.last_transition_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    moment = int(condition.last_transition_time.timestamp())
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{condition.reason.lower()}.{moment:x}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "namespace": namespace,
            "name": name,
            "uid": report.uid,
        },
        "type": "Warning" if report.transition.warning else "Normal",
        "reason": condition.reason,
        "message": condition.message[:1024],
        "source": {"component": identity.OPERATOR_FIELD_MANAGER},
        "reportingComponent": identity.OPERATOR_FIELD_MANAGER,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
