"""Signs of life: to Firestore at its own cadence, to the IngestJob at once on a transition and seldom else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..domain.counters import count
from ..domain.failure import SinkError
from ..domain.health import RuntimeSnapshot, heartbeat, stream_status
from ..ports import JobPort, ReportError, Sink
from .journal import Journal
from .latest_value import any_changed
from .waiting import completes_within

_log = logging.getLogger(__name__)

# The API server pays for each status write, and so does everybody who watches IngestJobs.
REPORT_SECONDS = 30.0
# Transitions come in swarms; between two writes of the same document lies at least this.
_LEAST_SECONDS = 0.02
_RETRY_SECONDS = 1.0


async def send_heartbeats_forever(sink: Sink, journal: Journal) -> None:
    """Keeps the Firestore heartbeat going. Ends only by cancellation or by being fenced."""

    async def send(snapshot: RuntimeSnapshot) -> None:
        try:
            await sink.beat(heartbeat(snapshot))
            journal.sink_is("heartbeat", None)
        except SinkError as error:
            count(journal.counters.errors, "heartbeat")
            journal.sink_is("heartbeat", error.message)
            raise

    await _send_for_ever(send, journal, lambda: journal.desired.value.heartbeat.interval_seconds)


async def report_status_forever(job: JobPort, journal: Journal) -> None:
    """Keeps the pod's half of the IngestJob's status up to date."""

    async def send(snapshot: RuntimeSnapshot) -> None:
        try:
            await job.report(stream_status(snapshot))
        except ReportError as error:
            count(journal.counters.errors, "report")
            _log.warning("the status could not be reported: %s", error, extra={"event_type": "heartbeat"})
            raise

    await _send_for_ever(send, journal, lambda: REPORT_SECONDS)


async def send_last_heartbeats(sink: Sink, job: JobPort | None, journal: Journal) -> None:
    """The last heartbeat: to Firestore, and to the job if it still is there. Neither may hold up the end."""
    snapshot = journal.snapshot()
    words = [sink.beat(heartbeat(snapshot))]
    if job is not None:
        words.append(job.report(stream_status(snapshot)))
    for result in await asyncio.gather(*words, return_exceptions=True):
        if isinstance(result, Exception):
            _log.info("the last heartbeat was not taken: %s", result, extra={"event_type": "heartbeat"})


async def _send_for_ever(
    send: Callable[[RuntimeSnapshot], Awaitable[None]], journal: Journal, interval: Callable[[], float]
) -> None:
    """Sends at each change of the aim, at each transition, and else once an interval; a failed one soon again."""
    loop = asyncio.get_running_loop()
    while True:
        aims, transitions, began = journal.desired.version, journal.transitions.version, loop.time()
        try:
            await send(journal.snapshot())
            due = began + interval()
        except (SinkError, ReportError):
            due = loop.time() + _RETRY_SECONDS
        await asyncio.sleep(_LEAST_SECONDS)
        news = any_changed((journal.desired, aims), (journal.transitions, transitions))
        await completes_within(max(0.0, due - loop.time()), news)
