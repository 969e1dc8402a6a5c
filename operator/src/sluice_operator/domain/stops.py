"""Facts about stops: whether one is requested, whether the pod has confirmed it, and when the operator enforces it.

A stop is a pause of the whole job, a pause of some of its symbols, or the deletion of the job. The pod obeys each by
itself; this module is about a pod that does not obey, or cannot report that it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sluice_contract import identity
from sluice_contract.pause_status import StreamPause
from sluice_contract.status import StreamStatus

from . import facts, pause_evidence
from .objects import Job
from .observation import Observation

CONFIRMATION_SECONDS: Final = 10.0  # closing takes at most 2 s, a flush at most 3 s
# One second less than the 15 s after which a stop has to take effect: to see it and delete the pod takes time, too.
ENFORCEMENT_SECONDS: Final = 14.0
# A pod that has never reported may still be starting. Until it has read its job, it opens no connection.
START_SECONDS: Final = 60.0


def job_is_being_deleted(job: Job) -> bool:
    """Return whether the deletion of the job is requested. A finalizer may keep the object for a long time."""
    return job.metadata.deletion_timestamp is not None


def pause_is_requested(o: Observation) -> bool:
    """Return whether the spec or a pause object pauses the whole job now.

    A stop field that is not understood counts as a pause.
    """
    return o.job is not None and (spec_requests_pause(o.job, o.now) or bool(pause_evidence.whole_job_pauses(o)))


def spec_requests_pause(job: Job, now: datetime) -> bool:
    """Return whether the spec pauses the whole job now. A stop field that is not understood counts as a pause."""
    stops, pause = job.stops, job.stops.pause
    is_paused_now = pause is not None and (pause.until is None or pause.until > now)
    return not stops.enabled or bool(stops.problem) or is_paused_now


def symbols_paused_by_spec(job: Job, now: datetime) -> frozenset[str]:
    """Return the symbols that `spec.pausedSymbols` pauses now."""
    return job.stops.paused_symbols.symbols_in_force(now)


def stops_are_applied(job: Job, report: StreamStatus) -> bool:
    """Return whether the pod has applied the stop fields of the newest generation. It may not understand the rest."""
    return max(report.observed_generation, report.stops_generation or 0) >= job.metadata.generation


def pause_is_acknowledged(job: Job, report: StreamStatus) -> bool:
    """Return whether the pod has confirmed the pause of the spec: its connections are closed, and all is written."""
    if not stops_are_applied(job, report):
        return False
    if report.pause is not None:
        return report.pause.acknowledged_at is not None
    stops = job.stops
    # The pod understands a stop field that this operator does not understand, and the field is not a pause.
    return bool(stops.problem) and stops.enabled and stops.pause is None


def pause_is_pending(observation: Observation) -> bool:
    """Return whether a pause of the job is requested but the pod, which may be connected, has not confirmed it.

    A pod that is closed because of another switch has to confirm a pause object only before it streams again.
    """
    job, report = observation.job, observation.report_of_current_pod
    if job is None or not pause_is_requested(observation) or facts.nothing_can_be_connected(observation):
        return False
    if report is None or (spec_requests_pause(job, observation.now) and not pause_is_acknowledged(job, report)):
        return True
    return bool(pause_evidence.whole_job_pauses(observation)) and not pause_evidence.stream_is_closed(report)


def symbols_with_unconfirmed_pause(observation: Observation) -> frozenset[str]:
    """Return the paused symbols whose pause the pod has not confirmed, so that it may still stream them."""
    job, report = observation.job, observation.report_of_current_pod
    if job is None or facts.nothing_can_be_connected(observation):
        return frozenset()
    found = _symbols_with_unconfirmed_pause_by_object(observation, job, report)
    if report is not None and stops_are_applied(job, report):
        return found
    return found | (symbols_paused_by_spec(job, observation.now) - observation.confirmed_symbol_pauses)


def _symbols_with_unconfirmed_pause_by_object(o: Observation, job: Job, report: StreamStatus | None) -> frozenset[str]:
    """Return the symbols of pause objects that the pod does not report as paused.

    A pod that does not understand the spec streams other symbols than the spec declares, so its report proves nothing.
    """
    if report is not None and report.spec_problem:
        return frozenset()
    unconfirmed = (
        each for each in pause_evidence.symbol_pauses(o) if not pause_evidence.pause_is_acknowledged_by_pod(o, each)
    )
    return frozenset().union(*(pause_evidence.paused_symbols_of_job(job, each) for each in unconfirmed))


def pause_reported_by_pod(observation: Observation) -> StreamPause | None:
    """Return the pause that the pod reports.

    Return None for the pause that a pod reports because it is starting, or because its job is being deleted, unless
    a pause is also requested.
    """
    job, report = observation.job, observation.report_of_current_pod
    if job is None or report is None or report.pause is None:
        return None
    own = report.pause.source in (identity.UNREAD_SOURCE, identity.DELETED_SOURCE)
    return None if own and not pause_is_requested(observation) else report.pause


def stop_is_pending(observation: Observation) -> bool:
    """Return whether a pause of the job or of a symbol is requested but not confirmed."""
    return pause_is_pending(observation) or bool(symbols_with_unconfirmed_pause(observation))


def enforcement_is_due(observation: Observation) -> bool:
    """Return whether the operator has to delete the pod, because a stop has been unconfirmed for 14 s.

    A pod that has never reported is deleted only once its container has run for 60 s.
    """
    if not stop_is_pending(observation) or observation.pausing_seconds < ENFORCEMENT_SECONDS:
        return False
    return observation.report_of_current_pod is not None or facts.running_seconds(observation) >= START_SECONDS


def seconds_until_each_stop_deadline(observation: Observation) -> Iterator[float]:
    """Yield the seconds until each time limit of a pending stop: confirmation, enforcement, and start of the pod."""
    if not stop_is_pending(observation):
        return
    for limit in (CONFIRMATION_SECONDS, ENFORCEMENT_SECONDS):
        if observation.pausing_seconds < limit:
            yield limit - observation.pausing_seconds
    if observation.report_of_current_pod is None and observation.pausing_seconds >= ENFORCEMENT_SECONDS:
        yield max(0.0, START_SECONDS - facts.running_seconds(observation))
