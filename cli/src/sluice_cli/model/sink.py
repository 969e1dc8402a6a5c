"""The writes of a job to Firestore: whether they succeed, how many there are, and their limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from .fields import child, flag, instant, number, text
from .state import live_since


class Sink(NamedTuple):
    """The writes to Firestore."""

    project: str  # empty: the operator's default project
    is_healthy: bool | None
    message: str
    last_write_at: datetime | None
    writes_per_second: int | None  # the limit
    rate: float | None  # quotes written per second in the last minute, or since the stream became live
    writes_used: int | None
    writes_limit: int | None


def sink_of_job(document: dict[str, Any]) -> Sink:
    """Return the writes of a job, as its pod reports them."""
    sink = child(document, "status", "stream", "sink")
    writes = child(document, "status", "stream", "writes")
    return Sink(
        project=text(document, "spec", "firestore", "projectID"),
        is_healthy=flag(sink, "healthy"),
        message=text(sink, "message"),
        last_write_at=instant(sink, "lastWriteAt"),
        writes_per_second=min(
            (
                each
                for each in (
                    number(document, "status", "policy", "writesPerSecond"),
                    number(document, "spec", "limits", "writesPerSecond"),
                )
                if each is not None
            ),
            default=None,
        ),
        rate=_rate(document),
        writes_used=number(writes, "used"),
        writes_limit=number(writes, "limit"),
    )


def _rate(document: dict[str, Any]) -> float | None:
    stream = child(document, "status", "stream")
    live_at = live_since(document)
    written, at = number(stream, "sink", "writesLastMinute"), instant(stream, "heartbeat", "at")
    if written is None or at is None or live_at is None or text(stream, "state") != "Live":
        return None
    return round(written / min(60.0, max(1.0, (at - live_at).total_seconds())), 1)
