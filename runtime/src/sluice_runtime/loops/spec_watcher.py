"""Derives the desired state of all other loops from the IngestJob, the switches and the time."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import get_args

from sluice_contract.spec import Channel
from sluice_contract.status import StreamStatus

from ..domain.declared_job import DeclaredJob
from ..domain.desired import DELETED, Desired, desired_state, with_pause, with_pause_for_unreadable_spec
from ..domain.pause import next_pause_end
from ..ports import JobPort
from .journal import Journal
from .latest_value import LatestValue, wait_for_any_change
from .waiting import run_with_timeout

_log = logging.getLogger(__name__)


async def watch_job_until_deleted(port: JobPort, job: LatestValue[DeclaredJob | None], journal: Journal) -> None:
    """Set `job` to each version of the IngestJob. When the IngestJob is gone, stop the stream and return."""
    has_read_status = False
    async for seen in port.watch():
        if seen is not None and seen.earlier_stream is not None and not has_read_status:
            has_read_status = True
            _inherit_gaps_of_predecessor(seen.earlier_stream, journal)
        if seen is None:
            _log.warning("the IngestJob no longer exists; stopping the stream", extra={"event_type": "stream"})
            desired = with_pause(journal.desired.value, DELETED)
            if journal.desired.value.pause is None:
                _log_pause_or_resumption(desired)
            journal.desired.set(desired)
        job.set(seen)


def _inherit_gaps_of_predecessor(predecessor: StreamStatus, journal: Journal) -> None:
    """Take over the gaps that the previous process of the job reported, if `predecessor` is from another process.

    A process that was live before it could read the status, with a cached job, keeps its own gaps.
    """
    if predecessor.heartbeat.session_id != journal.identity.session_id and journal.counters.live_transitions == 0:
        journal.gaps.inherit(predecessor)


async def update_desired_forever(job: LatestValue[DeclaredJob | None], journal: Journal) -> None:
    """Update the desired state on each change of the job or a switch, and whenever a pause reaches its end time."""
    before: Desired | None = None
    while True:
        jobs, switches, now = job.version, journal.switches.version, journal.now()
        if job.value is not None:
            desired = _desired_state_of_job(job.value, now, journal)
            _log_and_count_changes(before, desired, journal)
            journal.set_desired(desired)
            before = desired
        await run_with_timeout(
            _seconds_until_pause_ends(job.value, now), wait_for_any_change((job, jobs), (journal.switches, switches))
        )


def _desired_state_of_job(job: DeclaredJob, now: datetime, journal: Journal) -> Desired:
    if job.spec is None:
        return with_pause_for_unreadable_spec(journal.desired.value, job)
    return desired_state(job, job.spec, now, journal.switches.value)


def _seconds_until_pause_ends(job: DeclaredJob | None, now: datetime) -> float | None:
    change = next_pause_end(job, now) if job is not None else None
    return (change - now).total_seconds() if change is not None else None


def _log_and_count_changes(before: Desired | None, desired: Desired, journal: Journal) -> None:
    if before is None or (before.pause is None) != (desired.pause is None):
        _log_pause_or_resumption(desired)
    if desired.spec_problem and (before is None or before.spec_problem != desired.spec_problem):
        _log.warning(
            "%s; the runtime keeps the last spec that it could read, and still obeys stops", desired.spec_problem
        )
    paused_before = before.paused if before else frozenset[str]()
    journal.counters.paused_by_flag += len(desired.paused - paused_before)
    _log_symbol_pauses(desired, paused_before)
    if desired.unknown_paused and (before is None or before.unknown_paused != desired.unknown_paused):
        _log.warning("pausedSymbols names symbols that are not in symbols: %s", ", ".join(desired.unknown_paused))


def _log_symbol_pauses(desired: Desired, paused_before: frozenset[str]) -> None:
    """Log each symbol that is paused or resumed, with all of its channels."""
    channels = ", ".join(each for each in get_args(Channel) if each in desired.channels)
    for symbol in sorted(desired.paused - paused_before):
        fields = {"event_type": "symbol_pause", "action": "paused", "symbol": symbol}
        text = "[PAUSED] Asset %s (%s) has pause_fetch=true, skipping API fetch"
        _log.info(text, symbol, channels, extra={**fields, "reason": desired.pause_reasons.get(symbol)})
    for symbol in sorted(paused_before - desired.paused):
        fields = {"event_type": "symbol_pause", "action": "resumed", "symbol": symbol}
        _log.info("[RESUMED] Asset %s (%s)", symbol, channels, extra=fields)


def _log_pause_or_resumption(desired: Desired) -> None:
    if desired.pause is None:
        _log.info("ingest is resumed", extra={"event_type": "ingest_switch", "action": "resumed"})
    else:
        fields = {"event_type": "ingest_switch", "action": "halted", "source": desired.pause.source}
        _log.info("ingest is halted by %s", desired.pause.source, extra={**fields, "reason": desired.pause.reason})
