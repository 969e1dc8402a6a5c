"""From the IngestJob as it changes, and from time as it passes, to the aim of all other loops."""

from __future__ import annotations

import logging
from datetime import datetime

from sluice_contract.status import StreamStatus

from ..domain.declared_job import DeclaredJob
from ..domain.desired import DELETED, Desired, closed, desired, halted
from ..domain.gaps import inherited
from ..domain.pause import next_change
from ..ports import JobPort
from .cell import Cell, any_changed
from .journal import Journal
from .racing import within

_log = logging.getLogger(__name__)


async def watch(port: JobPort, job: Cell[DeclaredJob | None], journal: Journal) -> None:
    """Keeps `job` at what the API server says. When the job is gone, so is the reason to stream."""
    is_first = True
    async for seen in port.watch():
        if seen is not None and is_first:
            is_first = False
            _inherit(seen.earlier_stream, journal)
        if seen is None:
            _log.warning("the IngestJob is gone: stopping its stream", extra={"event_type": "stream"})
            aim = halted(journal.aim.value, DELETED)
            if journal.aim.value.pause is None:
                _log_switch(aim)
            journal.aim.set(aim)
        job.set(seen)


def _inherit(predecessor: StreamStatus | None, journal: Journal) -> None:
    """Takes over what the process before this one knew of gaps."""
    if predecessor is not None and predecessor.heartbeat.session_id != journal.identity.session_id:
        journal.gaps = inherited(predecessor)


async def steer(job: Cell[DeclaredJob | None], journal: Journal) -> None:
    """Sets the aim at each change of the job, and whenever a pause of it ends by itself."""
    before: Desired | None = None
    while True:
        jobs, switches, now = job.version, journal.switches.version, journal.now()
        if job.value is not None:
            aim = _aim(job.value, now, journal)
            _log_changes(before, aim, journal)
            journal.aim_at(aim)
            before = aim
        await within(_seconds_until_change(job.value, now), any_changed((job, jobs), (journal.switches, switches)))


def _aim(job: DeclaredJob, now: datetime, journal: Journal) -> Desired:
    if job.spec is None:
        return closed(journal.aim.value, job)
    return desired(job, job.spec, now, journal.switches.value)


def _seconds_until_change(job: DeclaredJob | None, now: datetime) -> float | None:
    change = next_change(job, now) if job is not None else None
    return (change - now).total_seconds() if change is not None else None


def _log_changes(before: Desired | None, aim: Desired, journal: Journal) -> None:
    if before is None or (before.pause is None) != (aim.pause is None):
        _log_switch(aim)
    if aim.spec_problem and (before is None or before.spec_problem != aim.spec_problem):
        _log.warning("%s; the pod keeps to the last spec that it understood, and obeys each stop", aim.spec_problem)
    for symbol in sorted(aim.paused - (before.paused if before else frozenset())):
        journal.counters.paused_by_flag += 1
        _log.info("[PAUSED] Asset %s (quotes) has pause_fetch=true, skipping API fetch", symbol)
    for symbol in sorted((before.paused if before else frozenset()) - aim.paused):
        _log.info("[RESUMED] Asset %s (quotes)", symbol)
    if aim.unknown_paused and (before is None or before.unknown_paused != aim.unknown_paused):
        _log.warning("pausedSymbols names symbols that are not in symbols: %s", ", ".join(aim.unknown_paused))


def _log_switch(aim: Desired) -> None:
    if aim.pause is None:
        _log.info("ingest is resumed", extra={"event_type": "ingest_switch", "action": "resumed"})
    else:
        fields = {"event_type": "ingest_switch", "action": "halted", "source": aim.pause.source}
        _log.info("ingest is halted by %s", aim.pause.source, extra={**fields, "reason": aim.pause.reason})
