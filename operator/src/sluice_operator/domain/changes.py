"""What a change of a job or of its pod means for the work queue: whether and how soon the job is reconciled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from sluice_contract import conditions as c
from sluice_contract.status import Condition, IngestJobStatus

from . import facts
from .objects import Job, Pod, RequestedStops

# `now`: another client changed something that matters at once, for example a stop. `soon`: the pod goes through its
# states, which are reconciled together. `never`: nothing changed, or only what the operator itself has written.
Urgency = Literal["now", "soon", "never"]

_NO_STOPS = RequestedStops()
_REASONS_OF_START = frozenset({c.POD_CREATING, c.POD_PENDING, c.POD_STARTING, c.CONNECTING, c.APPLYING_SPEC})
_CONDITIONS_OF_START = frozenset({c.READY, c.STREAMING, c.RECONCILING})  # all have the reason of Ready
_CONDITIONS_OF_SUCCESS = frozenset({c.CREDENTIALS_VALID, c.CONNECTION_SLOT_ACQUIRED, c.SINK_HEALTHY})
_NO_CONDITION = Condition("", "Unknown", "", "", datetime.min.replace(tzinfo=UTC), 0)


def urgency_of_job_change(
    before: Job | None, after: Job | None, was_written: Callable[[IngestJobStatus], bool]
) -> Urgency:
    """Return how soon to reconcile a job that has changed.

    `was_written` returns whether the operator itself has written these fields of the status.
    """
    if before is None or after is None or _without_status(before) != _without_status(after):
        return "now"
    ours_before, ours_after = without_stream_status(before.status), without_stream_status(after.status)
    if ours_before != ours_after and not was_written(ours_after):
        return "now"
    if before.status.stream == after.status.stream:
        return "never"
    return "now" if job_has_stops(after) else "soon"


def urgency_of_pod_change(job: Job | None, before: Pod | None, after: Pod | None) -> Urgency:
    """Return how soon to reconcile a job whose pod has changed. A pod that is gone is replaced at once."""
    if after is None or job is None or (job_has_stops(job) and before != after):
        return "now"
    if before is None or facts.pod_is_terminating(before) != facts.pod_is_terminating(after):
        return "soon"
    same = msgspec.structs.replace(before.metadata, resource_version=after.metadata.resource_version) == after.metadata
    return "never" if same and (before.spec, before.status) == (after.spec, after.status) else "soon"


def job_has_stops(job: Job) -> bool:
    """Return whether the job is being deleted, or its spec has a stop, also one that is not in force yet or any more.

    Each step of a stop is reported at once.
    """
    return job.stops != _NO_STOPS or job.metadata.deletion_timestamp is not None


def is_only_progress_of_start(before: IngestJobStatus, after: IngestJobStatus) -> bool:
    """Return whether the only news of a status is how far the start of a pod or stream has come.

    The news is then the reason of a job that is not ready, or the first success of the credentials, the connection slot
    or the sink.
    """
    rest = [msgspec.structs.replace(each, conditions=[], phase=None, stream=None) for each in (before, after)]
    if rest[0] != rest[1]:
        return False
    earlier, later = ({each.type: each for each in status.conditions} for status in (before, after))
    if any(each.get(c.READY, _NO_CONDITION).reason not in _REASONS_OF_START for each in (earlier, later)):
        return False
    return earlier.keys() <= later.keys() and all(
        _is_progress(earlier.get(kind, _NO_CONDITION), condition) for kind, condition in later.items()
    )


def _is_progress(before: Condition, after: Condition) -> bool:
    if after.type in _CONDITIONS_OF_START:
        return before.status == after.status and after.reason in _REASONS_OF_START
    is_first_success = after.type in _CONDITIONS_OF_SUCCESS and (before.status, after.status) == ("Unknown", "True")
    return before == after or is_first_success


def without_stream_status(status: IngestJobStatus) -> IngestJobStatus:
    """Return the status without `stream`, which the pod writes."""
    return msgspec.structs.replace(status, stream=None)


def _without_status(job: Job) -> Job:
    metadata = msgspec.structs.replace(job.metadata, resource_version="")
    return msgspec.structs.replace(job, metadata=metadata, status=_NO_STATUS)


_NO_STATUS = IngestJobStatus()
