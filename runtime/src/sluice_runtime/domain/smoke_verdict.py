"""The verdict of a smoke test: whether it passed, what was written, and why quotes are missing."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .health import RuntimeSnapshot

_CHECK_FIRESTORE = (
    "check the project, the credentials and the network to Firestore (for an emulator, FIRESTORE_EMULATOR_HOST)"
)
_USE_OPEN_MARKET = "run it again then, or with a feed that never closes"
_CHECK_SYMBOLS = "run it longer (--seconds), or check the symbols with `sluice-runtime preflight`"
_RESUME = "resume it, then run this again"
_CHECK_PROVIDER = "check the network to the provider's host, and the provider's status page"
# The messages of the other failures say what to do.
_NEXT_STEPS: dict[str, str] = {
    "network": _CHECK_PROVIDER,
    "stall": _CHECK_PROVIDER,
    "upstreamClosed": _CHECK_PROVIDER,
    "documentConflict": "stop the other job or wait until then, and run this again",
}


class SmokeObservation(msgspec.Struct, frozen=True, kw_only=True):
    """What a smoke test has seen.

    `heartbeats` and `quotes` are the documents that Firestore has acknowledged; in a dry run, `quotes` are those that
    would have been written. `next_quotes_at` is when the feed next has quotes; None if it has them now, or if the time
    is unknown. `always_open_feed` says which variables stream from a feed that never closes; empty if there is none.
    `was_fenced` is True if the runtime exited because a later process of the job writes.
    """

    snapshot: RuntimeSnapshot
    heartbeats: int
    quotes: int
    heartbeat_document: str
    quotes_collection: str
    next_quotes_at: datetime | None
    always_open_feed: str = ""
    was_fenced: bool = False


def smoke_verdict(seen: SmokeObservation) -> tuple[bool, str]:
    """Return whether the test passed, and a sentence with what to do if it failed.

    A dry run passes if a quote would have been written. Otherwise a heartbeat is enough, because quotes depend on the
    market; but without quotes, any known failure of the stream or of the writes fails the test.
    """
    if seen.was_fenced:
        return False, f"{_written_text(seen)}; the runtime exited because a later process of this job writes; stop one"
    if seen.quotes:
        return True, _written_text(seen)
    if seen.snapshot.desired.dry_run:
        return False, f"{_written_text(seen)}: {_reason(seen)}{_next_step(seen)}"
    has_passed = seen.heartbeats > 0 and _failure_text(seen.snapshot) is None
    return has_passed, f"{_written_text(seen)}: {_reason(seen)}{'' if has_passed else _next_step(seen)}"


def _written_text(seen: SmokeObservation) -> str:
    """Return which documents were written, and how many."""
    quotes = f"{_count(seen.quotes, 'quote document')} ({seen.quotes_collection})"
    if seen.snapshot.desired.dry_run:
        return f"{quotes} would have been written"
    if not seen.heartbeats and not seen.quotes:
        return "neither a heartbeat nor a quote document was written to Firestore"
    heartbeats = f"{_count(seen.heartbeats, 'heartbeat')} ({seen.heartbeat_document})"
    return f"{heartbeats} and {quotes} were written to Firestore"


def _count(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _reason(seen: SmokeObservation) -> str:
    """Return why there are no quotes, as far as it is known, and whether the market is closed."""
    pause = seen.snapshot.desired.pause
    state = f"the job is paused by {pause.source}" if pause else f"the stream is {seen.snapshot.state}"
    failure = _failure_text(seen.snapshot)
    return f"{state}{f' ({failure})' if failure else ''}; {_market_text(seen)}"


def _failure_text(snapshot: RuntimeSnapshot) -> str | None:
    failure = snapshot.document_conflict or snapshot.failure
    return failure.message if failure else snapshot.sink_failure


def _market_text(seen: SmokeObservation) -> str:
    feed = seen.snapshot.feed or "the provider"
    if (begins := seen.next_quotes_at) is not None:
        return f"the market of {feed} is closed until {begins:%A %Y-%m-%d %H:%M} UTC, so no quotes are expected"
    freshness = seen.snapshot.freshness
    phase = freshness.session.phase if freshness else "unknown"
    if phase == "open":
        return f"the market of {feed} is open"
    return f"the market hours of {feed} are {phase}"


def _next_step(seen: SmokeObservation) -> str:
    """Return what to do, with a separator before it; empty where the failure says it."""
    snapshot = seen.snapshot
    if snapshot.desired.pause is not None:
        return f"; {_RESUME}"
    if (failure := snapshot.document_conflict or snapshot.failure) is not None:
        return f"; {_NEXT_STEPS[failure.type]}" if failure.type in _NEXT_STEPS else ""
    if not snapshot.desired.dry_run:
        return f"; {_CHECK_FIRESTORE}"
    if seen.next_quotes_at is None:
        return f"; {_CHECK_SYMBOLS}"
    return f"; {_USE_OPEN_MARKET}{f', such as {seen.always_open_feed}' if seen.always_open_feed else ''}"
