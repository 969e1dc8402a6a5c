"""From the IngestJob as it changes, and from time as it passes, to the aim of all other loops."""

from __future__ import annotations

import logging
from datetime import datetime

from sluice_contract.status import StreamStatus

from ..domain.declared_job import DeclaredJob
from ..domain.desired import DELETED, Desired, closed, desired_state, with_pause
from ..domain.gaps import inherited
from ..domain.pause import next_change
from ..ports import JobPort
from .journal import Journal
from .latest_value import LatestValue, any_changed
from .waiting import completes_within

_log = logging.getLogger(__name__)


async def watch(port: JobPort, job: LatestValue[DeclaredJob | None], journal: Journal) -> None:
    """Keeps `job` at what the API server says. When the job is gone, so is the reason to stream."""
    is_first = True
    async for seen in port.watch():
        if seen is not None and is_first:
            is_first = False
            _inherit(seen.earlier_stream, journal)
        if seen is None:
            _log.warning("the IngestJob is gone: stopping its stream", extra={"event_type": "stream"})
            desired = with_pause(journal.desired.value, DELETED)
            if journal.desired.value.pause is None:
                _log_switch(desired)
            journal.desired.set(desired)
        job.set(seen)


def _inherit(predecessor: StreamStatus | None, journal: Journal) -> None:
    """Takes over what the process before this one knew of gaps."""
    if predecessor is not None and predecessor.heartbeat.session_id != journal.identity.session_id:
        journal.gaps = inherited(predecessor)


async def follow_spec(job: LatestValue[DeclaredJob | None], journal: Journal) -> None:
    """Sets the aim at each change of the job, and whenever a pause of it ends by itself."""
    before: Desired | None = None
    while True:
        jobs, switches, now = job.version, journal.switches.version, journal.now()
        if job.value is not None:
            desired = _desired(job.value, now, journal)
            _log_changes(before, desired, journal)
            journal.set_desired(desired)
            before = desired
        await completes_within(
            _seconds_until_change(job.value, now), any_changed((job, jobs), (journal.switches, switches))
        )


def _desired(job: DeclaredJob, now: datetime, journal: Journal) -> Desired:
    if job.spec is None:
        return closed(journal.desired.value, job)
    return desired_state(job, job.spec, now, journal.switches.value)


def _seconds_until_change(job: DeclaredJob | None, now: datetime) -> float | None:
    change = next_change(job, now) if job is not None else None
    return (change - now).total_seconds() if change is not None else None


def _log_changes(before: Desired | None, desired: Desired, journal: Journal) -> None:
    if before is None or (before.pause is None) != (desired.pause is None):
        _log_switch(desired)
    if desired.spec_problem and (before is None or before.spec_problem != desired.spec_problem):
        _log.warning("%s; the pod keeps to the last spec that it understood, and obeys each stop", desired.spec_problem)
    for symbol in sorted(desired.paused - (before.paused if before else frozenset())):
        journal.counters.paused_by_flag += 1
        _log.info("[PAUSED] Asset %s (quotes) has pause_fetch=true, skipping API fetch", symbol)
    for symbol in sorted((before.paused if before else frozenset()) - desired.paused):
        _log.info("[RESUMED] Asset %s (quotes)", symbol)
    if desired.unknown_paused and (before is None or before.unknown_paused != desired.unknown_paused):
        _log.warning("pausedSymbols names symbols that are not in symbols: %s", ", ".join(desired.unknown_paused))


def _log_switch(desired: Desired) -> None:
    if desired.pause is None:
        _log.info("ingest is resumed", extra={"event_type": "ingest_switch", "action": "resumed"})
    else:
        fields = {"event_type": "ingest_switch", "action": "halted", "source": desired.pause.source}
        _log.info("ingest is halted by %s", desired.pause.source, extra={**fields, "reason": desired.pause.reason})
