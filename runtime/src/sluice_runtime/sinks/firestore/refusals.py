"""The answers by which Firestore refuses all requests, not one document: quotas, permissions, a wrong database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from google.api_core import exceptions

from .request_gate import RequestKind

# The text of Google's quota service, such as: Quota exceeded for quota metric 'Free daily write units per project (free
# tier database)' and limit 'Free daily write units per project (free tier database) per day' of service
# 'firestore.googleapis.com' for consumer 'project_number:123'. Older quotas only say "Quota exceeded.".
_QUOTA = re.compile(r"quota metric '([^']+)'(?: and limit '([^']+)')?", re.IGNORECASE)
_NO_DATABASE = re.compile(r"database .*does not exist|does not contain an active|project .*does not exist", re.I | re.S)
_WRONG_MODE = re.compile(r"not available for .*datastore|datastore mode|contains a cloud datastore", re.I | re.S)
_PACIFIC = "America/Los_Angeles"


def refusal_message(error: exceptions.GoogleAPICallError, kind: RequestKind, now: datetime) -> str | None:
    """Return why Firestore refuses all requests of this kind, and what to do; None if the error means something else.

    `now` is the current time in UTC, for the time at which a daily quota is available again.
    """
    text = f"{error.code} {_first_line_of_message(error)}"
    match error:
        case exceptions.TooManyRequests():
            return _quota_message(error, kind, now)
        case exceptions.Forbidden():
            return (
                f"Firestore refused the request: {text}; grant the role roles/datastore.user to the account that writes"
            )
        case exceptions.Unauthorized():
            return f"Firestore refused the request: {text}; replace the service account key, or check the account"
        case exceptions.NotFound() if _NO_DATABASE.search(text):
            return f"Firestore refused the request: {text}; create the database, or correct spec.firestore"
        case exceptions.FailedPrecondition() if _WRONG_MODE.search(text):
            return (
                f"Firestore refused the request: {text}; create a database in Native mode, and name it in "
                f"spec.firestore.database"
            )
    return None


def requested_delay_seconds(error: exceptions.GoogleAPICallError) -> float:
    """Return the seconds that Firestore asks to wait (google.rpc.RetryInfo); 0 if it does not say."""
    delays = [each.retry_delay.ToTimedelta().total_seconds() for each in error.details if hasattr(each, "retry_delay")]
    return max(delays, default=0.0)


def _quota_message(error: exceptions.GoogleAPICallError, kind: RequestKind, now: datetime) -> str:
    text = _first_line_of_message(error)
    metadata = error.metadata or {}
    found = _QUOTA.search(text)
    name = found[1] if found else metadata.get("quota_metric", "")
    limit = (found[2] if found else None) or metadata.get("quota_limit", "")
    period = _period(f"{name} {limit}", metadata.get("quota_unit", ""))
    quota = f"the quota '{name}' is exhausted" if name else f"a quota is exhausted ({text})"
    daily = f"at about {_next_pacific_midnight(now)}"
    if period == "day":
        when = f"it is available again {daily}; enable billing or raise the quota if you cannot wait"
    elif period == "minute":
        when = "it is available again within a minute; lower limits.writesPerSecond or raise the quota if this repeats"
    else:
        when = (
            f"a daily quota is available again {daily}, a quota per minute within a minute; see Quotas in the Google "
            f"Cloud console, or enable billing"
        )
    return f"Firestore refuses {kind}: {quota}; {when}"


def _first_line_of_message(error: exceptions.GoogleAPICallError) -> str:
    """Return the server's own text, without the details that `str(error)` adds."""
    return str(error.message or type(error).__name__).splitlines()[0][:300]


def _period(names: str, unit: str) -> str:
    """Return the period of a quota, "day" or "minute", from its names or its unit such as 1/d/{project}."""
    words = names.lower()
    if "per day" in words or "perday" in words or "daily" in words or "/d/" in unit:
        return "day"
    if "per minute" in words or "perminute" in words or "/min/" in unit:
        return "minute"
    return ""


def _next_pacific_midnight(now: datetime) -> str:
    """Return when Google resets daily quotas: midnight Pacific time, in UTC."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415  rarely needed

    try:
        pacific = ZoneInfo(_PACIFIC)
    except ZoneInfoNotFoundError:  # the machine has no time zone data
        return "midnight Pacific time"
    local = now.astimezone(pacific)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), pacific)
    return f"{midnight.astimezone(UTC):%Y-%m-%d %H:%M} UTC (midnight Pacific time)"
