"""How far the restart of a job has come, read from its status and its pod."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from .fields import child, instant, text
from .job import Gap, JobStatus, gaps_of_stream

# In these states the new pod does not go on by itself.
_ENDED_STATES = ("Blocked",)


class RestartProgress(NamedTuple):
    """What is true of a restart at one instant."""

    has_ended: bool  # the old pod is gone
    has_new_pod: bool  # the new pod has reported
    is_live: bool
    is_blocked: bool  # the new pod waits for a person
    gap: Gap | None  # that the restart cost; None: not reported yet

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen without a person."""
        return self.is_blocked or (self.is_live and self.gap is not None)


def restart_progress(
    document: dict[str, Any], job: JobStatus, pod: dict[str, Any] | None, old_uid: str, began_at: datetime
) -> RestartProgress:
    """Return the progress since `began_at`. `pod` is the pod of the job as it is now; None if there is none."""
    stream = child(document, "status", "stream")
    reported = text(stream, "podUID")
    has_new_pod = bool(reported) and reported != old_uid
    return RestartProgress(
        has_ended=pod is None or text(pod, "metadata", "uid") != old_uid,
        has_new_pod=has_new_pod,
        is_live=has_new_pod and job.is_streaming,
        is_blocked=has_new_pod and job.stream_state in _ENDED_STATES,
        gap=_newest_gap(stream, began_at) if has_new_pod else None,
    )


def _newest_gap(stream: dict[str, Any], began_at: datetime) -> Gap | None:
    """Return the gap that ended after the restart began. The clocks of two machines may differ by seconds."""
    ended = [each for each in gaps_of_stream(stream) if each.until is not None]
    newest = ended[-1] if ended else None
    started_at = instant(stream, "heartbeat", "at")
    if newest is None or newest.until is None or started_at is None:
        return None
    return newest if (newest.until - began_at).total_seconds() > -2 else None
