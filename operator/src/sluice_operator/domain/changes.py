"""What a change of a job or of its pod means for the work queue: whether and how soon the job is reconciled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from sluice_contract.status import IngestJobStatus

from . import facts
from .objects import Job, Pod, RequestedStops

# `now`: another client changed something that matters at once, for example a stop. `soon`: the pod goes through its
# states, which are reconciled together. `never`: nothing changed, or only what the operator itself has written.
Urgency = Literal["now", "soon", "never"]

_NO_STOPS = RequestedStops()


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


def without_stream_status(status: IngestJobStatus) -> IngestJobStatus:
    """Return the status without `stream`, which the pod writes."""
    return msgspec.structs.replace(status, stream=None)


def _without_status(job: Job) -> Job:
    metadata = msgspec.structs.replace(job.metadata, resource_version="")
    return msgspec.structs.replace(job, metadata=metadata, status=_NO_STATUS)


_NO_STATUS = IngestJobStatus()
