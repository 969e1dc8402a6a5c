"""Heartbeats: to Firestore at their own cadence; to the IngestJob on each transition and every 30 s."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..aio.latest_value import LatestValue, wait_for_any_change
from ..aio.waiting import run_with_timeout
from ..domain.counters import increment
from ..domain.desired import Desired
from ..domain.failure import DocumentConflictError, SinkError
from ..domain.health import RuntimeSnapshot, stream_status
from ..domain.heartbeat_document import heartbeat_document
from ..ports import JobPort, ReportError, Sink
from ..state.instruments import Instruments, Transitions
from .document_store import DocumentStore

TakeSnapshot = Callable[[], RuntimeSnapshot]

_log = logging.getLogger(__name__)

# Each status write costs the API server work, and every client that watches IngestJobs.
REPORT_SECONDS = 30.0
# Transitions come in bursts; this is the minimum time between two writes of the same document.
_LEAST_SECONDS = 0.02
_RETRY_SECONDS = 1.0
# A heartbeat is due this long after the other job's counts as silent, so that the attempt is not too early.
_TAKEOVER_MARGIN_SECONDS = 0.2
# The first report replaces that of the previous process, whose gaps must be read before.
_FIRST_READ_SECONDS = 5.0


async def send_heartbeats_forever(
    store: DocumentStore, take_snapshot: TakeSnapshot, desired: LatestValue[Desired], instruments: Instruments
) -> None:
    """Write the heartbeat document to Firestore until cancelled.

    While the daily budget has no room for the heartbeats of transitions, only those at the interval are written.

    Raises:
        FencedError: a later process of the job writes the heartbeat, so this process must exit.
    """

    ownership, health, budget = store.ownership, store.health, store.write_budget
    now = asyncio.get_running_loop().time
    sent_at = float("-inf")

    async def send() -> None:
        nonlocal sent_at
        if budget.room_for_transitions == 0:
            await asyncio.sleep(sent_at + desired.value.heartbeat.interval_seconds - now())
        try:
            await _continue_count(store, take_snapshot)
            sent_at = now()
            await store.sink.write_heartbeat(heartbeat_document(take_snapshot()))
            instruments.measurements.record_heartbeat(instruments.now())
            health.record_result("heartbeat", None)
            ownership.record_heartbeat_accepted()
        except DocumentConflictError as error:
            health.record_result("heartbeat", None)
            ownership.record_conflict(error)
            raise
        except SinkError as error:
            ownership.record_heartbeat_failed()
            if not error.is_withheld:
                increment(instruments.counters.errors, "heartbeat")
            health.record_result("heartbeat", error.message_with_document)
            raise

    await send_forever(send, desired, instruments.transitions, lambda: desired.value.heartbeat.interval_seconds)


async def _continue_count(store: DocumentStore, take_snapshot: TakeSnapshot) -> None:
    """Read how many documents the job has written today before this process, unless that is known."""
    if not store.write_budget.is_continued.value:
        stored = await store.sink.stored_heartbeat()
        store.write_budget.continue_count(stored, take_snapshot().identity)


async def report_status_forever(
    job: JobPort, take_snapshot: TakeSnapshot, desired: LatestValue[Desired], instruments: Instruments
) -> None:
    """Write the pod's part of the IngestJob's status until cancelled.

    The first report waits, for at most 5 s, until the job has been read.
    """
    if desired.value.generation == 0:
        await run_with_timeout(_FIRST_READ_SECONDS, desired.wait_for_change(desired.version))

    async def send() -> None:
        try:
            await job.report_status(stream_status(take_snapshot()))
        except ReportError as error:
            increment(instruments.counters.errors, "report")
            _log.warning("status not reported: %s", error, extra={"event_type": "heartbeat"})
            raise

    await send_forever(send, desired, instruments.transitions, lambda: REPORT_SECONDS)


async def send_last_heartbeat_and_status(sink: Sink, job: JobPort | None, snapshot: RuntimeSnapshot) -> None:
    """Write the last heartbeat to Firestore, and the last status to the IngestJob if `job` is given.

    Failures are logged and not retried.
    """
    reports = [sink.write_heartbeat(heartbeat_document(snapshot))]
    if job is not None:
        reports.append(job.report_status(stream_status(snapshot)))
    for result in await asyncio.gather(*reports, return_exceptions=True):
        if isinstance(result, Exception):
            _log.info("last heartbeat not accepted: %s", result, extra={"event_type": "heartbeat"})


async def send_forever(
    send: Callable[[], Awaitable[None]],
    desired: LatestValue[Desired],
    transitions: Transitions,
    interval: Callable[[], float],
) -> None:
    """Call `send` until cancelled.

    It is called on each change of the desired state, on each transition and once per interval. A failure is retried
    after 1 s.
    """
    loop = asyncio.get_running_loop()
    while True:
        seen, began = ((desired, desired.version), (transitions, transitions.version)), loop.time()
        try:
            await send()
            due = began + interval()
        except DocumentConflictError as error:
            due = loop.time() + min(interval(), error.retry_after + _TAKEOVER_MARGIN_SECONDS)
        except (SinkError, ReportError):
            due = loop.time() + _RETRY_SECONDS
        await asyncio.sleep(_LEAST_SECONDS)
        await run_with_timeout(max(0.0, due - loop.time()), wait_for_any_change(*seen))
