"""Facts about a stop: whether it is requested, whether the pod has confirmed it, and when the operator has to act.

A stop is a pause of the whole job, a pause of some of its symbols, or the deletion of the job. The pod obeys each by
itself; this module is about a pod that does not obey, or cannot report that it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sluice_contract import identity
from sluice_contract.spec import Pause, PausedSymbol
from sluice_contract.status import StreamPause, StreamStatus

from . import facts
from .objects import Job
from .observation import Observation

CONFIRMATION_SECONDS: Final = 10.0  # closing takes at most 2 s, a flush at most 3 s
# One second less than the 15 s after which a stop has to take effect: to see it and delete the pod takes time, too.
ENFORCEMENT_SECONDS: Final = 14.0
# A pod that has never reported may still be starting. Until it has read its job, it opens no connection.
START_SECONDS: Final = 60.0


def job_is_being_deleted(job: Job) -> bool:
    """Return whether the deletion of the job is requested; a finalizer may hold the object for long."""
    return job.metadata.deletion_timestamp is not None


def pause_is_requested(job: Job, now: datetime) -> bool:
    """Return whether the spec allows no connection now. A stop field that is not understood counts as a pause."""
    stops = job.stops
    return not stops.enabled or bool(stops.problem) or (stops.pause is not None and _is_in_force(stops.pause, now))


def symbols_paused_by_spec(job: Job, now: datetime) -> frozenset[str]:
    """Return the symbols that the spec pauses now."""
    return frozenset(entry.symbol for entry in job.stops.paused_symbols if _is_in_force(entry, now))


def stops_are_applied(job: Job, report: StreamStatus) -> bool:
    """Return whether the pod has applied the newest stop fields, whether or not it understands the rest of the spec."""
    return max(report.observed_generation, report.stops_generation or 0) >= job.metadata.generation


def pause_is_acknowledged(job: Job, report: StreamStatus) -> bool:
    """Return whether the pod has closed and flushed everything, as the newest stop fields require."""
    if not stops_are_applied(job, report):
        return False
    if report.pause is not None:
        return report.pause.acknowledged_at is not None
    stops = job.stops
    # The pod understands a stop field that this operator does not understand, and the field is not a pause.
    return bool(stops.problem) and stops.enabled and stops.pause is None


def pause_is_pending(observation: Observation) -> bool:
    """Return whether a pause is requested and not acknowledged by the pod, while something may be connected."""
    job, report = observation.job, facts.report_of_current_pod(observation)
    if job is None or not pause_is_requested(job, observation.now) or facts.nothing_can_be_connected(observation):
        return False
    return report is None or not pause_is_acknowledged(job, report)


def symbols_with_unconfirmed_pause(observation: Observation) -> frozenset[str]:
    """Return the paused symbols that the pod may still stream, because it has not confirmed their pause."""
    job, report = observation.job, facts.report_of_current_pod(observation)
    if job is None or facts.nothing_can_be_connected(observation):
        return frozenset()
    if report is not None and stops_are_applied(job, report):
        return frozenset()
    return symbols_paused_by_spec(job, observation.now) - observation.confirmed_symbol_pauses


def pause_reported_by_pod(observation: Observation) -> StreamPause | None:
    """Return the pause that the pod reports.

    A starting pod reports a pause of its own, which is left out unless a pause is also requested. So is the pause of a
    job that is being deleted.
    """
    job, report = observation.job, facts.report_of_current_pod(observation)
    if job is None or report is None or report.pause is None:
        return None
    own = report.pause.source in (identity.UNREAD_SOURCE, identity.DELETED_SOURCE)
    return None if own and not pause_is_requested(job, observation.now) else report.pause


def stop_is_pending(observation: Observation) -> bool:
    """Return whether a pause, of the job or of symbols, is requested and not confirmed."""
    return pause_is_pending(observation) or bool(symbols_with_unconfirmed_pause(observation))


def enforcement_is_due(observation: Observation) -> bool:
    """Return whether a stop has been unconfirmed for so long that the operator deletes the pod."""
    if not stop_is_pending(observation) or observation.pausing_seconds < ENFORCEMENT_SECONDS:
        return False
    return facts.report_of_current_pod(observation) is not None or facts.running_seconds(observation) >= START_SECONDS


def seconds_until_each_stop_deadline(observation: Observation) -> Iterator[float]:
    """Yield the seconds until each moment at which a pending stop is judged differently."""
    if not stop_is_pending(observation):
        return
    for limit in (CONFIRMATION_SECONDS, ENFORCEMENT_SECONDS):
        if observation.pausing_seconds < limit:
            yield limit - observation.pausing_seconds
    if facts.report_of_current_pod(observation) is None and observation.pausing_seconds >= ENFORCEMENT_SECONDS:
        yield max(0.0, START_SECONDS - facts.running_seconds(observation))


def _is_in_force(pause: Pause | PausedSymbol, now: datetime) -> bool:
    return pause.until is None or pause.until > now
