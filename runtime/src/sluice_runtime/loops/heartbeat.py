"""Heartbeats: to Firestore at their own cadence; to the IngestJob on each transition and every 30 s."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..domain.counters import increment
from ..domain.failure import DocumentConflictError, SinkError
from ..domain.health import RuntimeSnapshot, stream_status
from ..domain.heartbeat_document import heartbeat_document
from ..ports import JobPort, ReportError, Sink
from .journal import Journal
from .latest_value import wait_for_any_change
from .waiting import run_with_timeout

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


async def send_heartbeats_forever(sink: Sink, journal: Journal) -> None:
    """Write the heartbeat document to Firestore until cancelled.

    Raises:
        FencedError: a later process of the job writes the heartbeat, so this process must exit.
    """

    async def send(snapshot: RuntimeSnapshot) -> None:
        try:
            await sink.write_heartbeat(heartbeat_document(snapshot))
            journal.record_sink_result("heartbeat", None)
            journal.ownership.record_heartbeat_accepted()
        except DocumentConflictError as error:
            journal.record_sink_result("heartbeat", None)
            journal.ownership.record_conflict(error)
            raise
        except SinkError as error:
            journal.ownership.record_heartbeat_failed()
            if not error.is_withheld:
                increment(journal.counters.errors, "heartbeat")
            journal.record_sink_result("heartbeat", error.message_with_document)
            raise

    await _send_snapshots_forever(send, journal, lambda: journal.desired.value.heartbeat.interval_seconds)


async def report_status_forever(job: JobPort, journal: Journal) -> None:
    """Write the pod's part of the IngestJob's status until cancelled.

    The first report waits, for at most 5 s, until the job has been read.
    """
    if journal.desired.value.generation == 0:
        await run_with_timeout(_FIRST_READ_SECONDS, journal.desired.wait_for_change(journal.desired.version))

    async def send(snapshot: RuntimeSnapshot) -> None:
        try:
            await job.report_status(stream_status(snapshot))
        except ReportError as error:
            increment(journal.counters.errors, "report")
            _log.warning("status not reported: %s", error, extra={"event_type": "heartbeat"})
            raise

    await _send_snapshots_forever(send, journal, lambda: REPORT_SECONDS)


async def send_last_heartbeat_and_status(sink: Sink, job: JobPort | None, journal: Journal) -> None:
    """Write the last heartbeat to Firestore, and the last status to the IngestJob if `job` is given.

    Failures are logged and not retried.
    """
    snapshot = journal.snapshot()
    reports = [sink.write_heartbeat(heartbeat_document(snapshot))]
    if job is not None:
        reports.append(job.report_status(stream_status(snapshot)))
    for result in await asyncio.gather(*reports, return_exceptions=True):
        if isinstance(result, Exception):
            _log.info("last heartbeat not accepted: %s", result, extra={"event_type": "heartbeat"})


async def _send_snapshots_forever(
    send: Callable[[RuntimeSnapshot], Awaitable[None]], journal: Journal, interval: Callable[[], float]
) -> None:
    """Call `send` with a new snapshot of the runtime, until cancelled.

    It is called on each change of the desired state, on each transition and once per interval. A failure is retried
    after 1 s.
    """
    loop = asyncio.get_running_loop()
    while True:
        desired_version, transitions_version, began = journal.desired.version, journal.transitions.version, loop.time()
        try:
            await send(journal.snapshot())
            due = began + interval()
        except DocumentConflictError as error:
            due = loop.time() + min(interval(), error.retry_after + _TAKEOVER_MARGIN_SECONDS)
        except (SinkError, ReportError):
            due = loop.time() + _RETRY_SECONDS
        await asyncio.sleep(_LEAST_SECONDS)
        change = wait_for_any_change((journal.desired, desired_version), (journal.transitions, transitions_version))
        await run_with_timeout(max(0.0, due - loop.time()), change)
