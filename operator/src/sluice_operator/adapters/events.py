"""Kubernetes Events: what `kubectl describe` shows of a job's transitions. Never in the way of anything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC
from typing import Any, Protocol

from sluice_contract import identity

from ..ports import ClusterError, Conflict, Report

log = logging.getLogger(__name__)

WAITING_MOST = 1000  # reports; a fleet's start makes a few thousand, and the first of them tell enough
JOB_BURST = 10.0
JOB_EVERY_SECONDS = 30.0
FLEET_EVERY_SECONDS = 0.02  # 50 a second


class Poster(Protocol):
    """Where Events go."""

    async def create_event(self, manifest: dict[str, Any]) -> None:
        """Posts one."""


class EventRecorder:
    """Implements `ports.Recorder`: a bounded line, at most 10 in a row and then one each 30 s of a job."""

    def __init__(self, poster: Poster, dropped: Callable[[], None], clock: Callable[[], float]) -> None:
        self._poster = poster
        self._dropped = dropped
        self._clock = clock
        self._line: asyncio.Queue[Report] = asyncio.Queue(WAITING_MOST)
        self._spent: dict[str, tuple[float, float]] = {}  # job uid: events spent, as of when

    def record(self, report: Report) -> None:
        """See the port."""
        if self._line.full() or not self._spend(report.uid):
            self._dropped()
            return
        self._line.put_nowait(report)

    async def run(self) -> None:
        """Posts what was recorded, for ever."""
        while True:
            report = await self._line.get()
            try:
                await self._poster.create_event(event(report))
            except Conflict:
                pass  # told before a restart of ours
            except ClusterError as error:
                log.info("an Event was not posted; dropped", extra={"error": str(error)})
            await asyncio.sleep(FLEET_EVERY_SECONDS)

    def _spend(self, uid: str) -> bool:
        now = self._clock()
        spent, since = self._spent.get(uid, (0.0, now))
        spent = max(0.0, spent - (now - since) / JOB_EVERY_SECONDS)
        if spent > JOB_BURST - 1:
            return False
        self._spent[uid] = (spent + 1, now)
        if len(self._spent) > 2 * WAITING_MOST:
            self._spent = {job: (n, at) for job, (n, at) in self._spent.items() if now - at < JOB_EVERY_SECONDS}
        return True


def event(report: Report) -> dict[str, Any]:
    """A core/v1 Event. Its name is made from what happened and when, so that telling it twice is once."""
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
