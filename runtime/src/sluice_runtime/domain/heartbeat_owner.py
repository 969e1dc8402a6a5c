"""Which job may write a heartbeat document: a job never replaces the fresh heartbeat of another job.

The heartbeat is thus the claim of a job to all its documents, in all clusters. A job whose heartbeat document belongs
to another job writes nothing, and takes over when the other job has stopped or is silent.
"""

from __future__ import annotations

import msgspec

from sluice_contract.documents import HeartbeatDocument

from .failure import DocumentConflictError, FencedError

# A heartbeat is fresh for this many of its own intervals. Then another job may take over.
FRESH_INTERVALS = 3
_MAX_INTERVAL_SECONDS = 30.0  # the largest that a job can declare; a document with a larger one is malformed
# A paused job that took over from a job that restarts would keep it from streaming. After this time, the other job has
# been given up, and readers need to see the pause.
PAUSED_TAKEOVER_SECONDS = 600.0


class StoredHeartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeat document as it was read. Values that its writer left out, or wrote in another form, are None.

    `age_seconds` is the time since the document was written, by the clock of the document store. `writes_used` is the
    number of documents that the job had written on `writes_day`, such as 2026-11-28.
    """

    job: str | None  # namespace/name
    job_uid: str | None
    cluster: str | None
    epoch: int | None
    status: str | None
    interval_seconds: float | None
    age_seconds: float
    writes_day: str | None = None
    writes_used: int | None = None

    @property
    def writer(self) -> str:
        """The writer of the document, as a phrase for people."""
        if self.job is None and self.job_uid is None:
            return "a writer that names no job"
        cluster = f"cluster {self.cluster}" if self.cluster else "outside a cluster"
        return f"job {self.job or 'without a name'} (uid {self.job_uid or 'unknown'}, {cluster})"


def require_takeover_allowed(stored: StoredHeartbeat, heartbeat: HeartbeatDocument) -> None:
    """Return if `heartbeat` may replace the stored one.

    Raises:
        FencedError: the stored one is from a later process of the same job.
        DocumentConflictError: the stored one is a fresh heartbeat of another job.
    """
    if stored.job_uid == heartbeat.job_uid:
        if stored.epoch is not None and stored.epoch > heartbeat.epoch:
            raise FencedError(
                f"a later process of this job writes (epoch {stored.epoch}; this is epoch {heartbeat.epoch}). If no "
                f"other process of this job runs, delete the heartbeat document"
            )
        return
    if (seconds := _seconds_until_takeover(stored, heartbeat)) > 0:
        silence = seconds + stored.age_seconds
        raise DocumentConflictError(
            f"another job writes this job's documents: {stored.writer} wrote the heartbeat {stored.age_seconds:.0f} s "
            f"ago. This job writes nothing, and takes over when that job has stopped or is silent for {silence:.0f} s",
            stored.writer,
            seconds,
        )


def _seconds_until_takeover(stored: StoredHeartbeat, heartbeat: HeartbeatDocument) -> float:
    """Return for how many seconds `heartbeat` must not replace that of another job; 0 or less if it may replace it now.

    The time assumes that the other job writes no further heartbeat.
    """
    # A cluster has at most one pod for the name of a job, so the pod of an earlier job of this name is gone.
    if stored.cluster is not None and (stored.cluster, stored.job) == (heartbeat.cluster, heartbeat.job):
        return 0.0
    if heartbeat.status == "paused":
        return PAUSED_TAKEOVER_SECONDS - stored.age_seconds
    if stored.status == "stopped":
        return 0.0
    interval = stored.interval_seconds or heartbeat.heartbeat_interval_ms / 1000
    return FRESH_INTERVALS * min(interval, _MAX_INTERVAL_SECONDS) - stored.age_seconds
