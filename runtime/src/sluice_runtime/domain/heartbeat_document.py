"""The heartbeat document, rendered from a snapshot, with at most 4,000 bytes whatever the number of symbols."""

from __future__ import annotations

import msgspec

from sluice_contract.bounds import cut_to_bytes
from sluice_contract.documents import HeartbeatDocument, HeartbeatFailure, HeartbeatGap
from sluice_contract.remedies import SINK_FAILURE, remedy_of_failure

from .freshness import FreshnessSummary
from .health import RuntimeSnapshot, clock_skew_milliseconds, heartbeat_state, ingest_enabled_source

_GAPS = 10
# With more letters in the names of symbols than this, texts are shortened.
_SYMBOL_CHARACTERS = 600


class _TextLimits(msgspec.Struct, frozen=True):
    """The limits of texts, in bytes of UTF-8. The status of the job has the full texts."""

    reason: int = 256
    source: int = 128
    message: int = 300


_SHORT_TEXTS = _TextLimits(reason=100, source=64, message=100)


def heartbeat_document(snapshot: RuntimeSnapshot) -> HeartbeatDocument:
    """Return the heartbeat document for Firestore."""
    identity, desired, freshness = snapshot.identity, snapshot.desired, snapshot.freshness
    reason = desired.pause.reason if desired.pause else None
    limits = _text_limits(freshness)
    return HeartbeatDocument(
        status=heartbeat_state(snapshot),
        ts=snapshot.at,
        ingest_enabled=desired.pause is None,
        ingest_enabled_source=cut_to_bytes(ingest_enabled_source(snapshot), limits.source),
        pause_reason=cut_to_bytes(reason, limits.reason) if reason is not None else None,
        pause_until=desired.pause.until if desired.pause else None,
        last_symbol=snapshot.last_symbol,
        dry_run=desired.dry_run,
        job=identity.qualified_job_name,
        job_uid=identity.job_uid,
        epoch=identity.epoch,
        session_id=identity.session_id,
        started_at=identity.started_at,
        effective_interval_ms=round(desired.effective_interval_seconds * 1000),
        loop_tick_at=snapshot.clocks.loop_tick_at,
        last_message_at=snapshot.clocks.last_message_at,
        last_quote_ts=snapshot.clocks.last_quote_ts,
        last_write_at=snapshot.clocks.last_write_at,
        feed=snapshot.feed,
        market=freshness.session.phase if freshness else "unknown",
        market_changes_at=freshness.session.changes_at if freshness else None,
        symbols=_subscription_counts(snapshot),
        freshness=msgspec.structs.asdict(freshness.counts) if freshness else None,
        stale=list(freshness.stale) if freshness else [],
        halted=list(freshness.halted) if freshness else [],
        unheard=list(freshness.unheard) if freshness else [],
        clock_skew_ms=clock_skew_milliseconds(snapshot),
        gaps=_gaps(snapshot),
        failure=_failure(snapshot, limits.message),
    )


def _text_limits(freshness: FreshnessSummary | None) -> _TextLimits:
    """Return how long texts may be. Many symbols with long names leave less room for them."""
    if freshness is None:
        return _TextLimits()
    symbols = (*freshness.stale, *freshness.halted, *freshness.unheard)
    return _SHORT_TEXTS if sum(map(len, symbols)) > _SYMBOL_CHARACTERS else _TextLimits()


def _subscription_counts(snapshot: RuntimeSnapshot) -> dict[str, int]:
    counts = snapshot.ledger.to_symbol_counts(snapshot.desired)
    return {
        "desired": counts.desired,
        "confirmed": counts.confirmed,
        "pending": counts.pending,
        "paused": counts.paused,
        "rejected": counts.rejected,
    }


def _gaps(snapshot: RuntimeSnapshot) -> list[HeartbeatGap]:
    """Return the last 10 gaps, oldest first. A gap that lasts is the last of them."""
    gaps = [HeartbeatGap(from_=gap.from_, to=gap.to, cause=gap.cause) for gap in snapshot.gaps]
    if snapshot.open_gap is not None:
        gaps.append(HeartbeatGap(from_=snapshot.open_gap.since, to=None, cause=snapshot.open_gap.cause))
    return gaps[-_GAPS:]


def _failure(snapshot: RuntimeSnapshot, message_bytes: int) -> HeartbeatFailure | None:
    """Return the failure of the stream, otherwise that of the writes to Firestore; None if there is none."""
    if (failure := snapshot.unresolved_failure) is not None:
        kind, message, at = failure.type, failure.message, failure.at
    elif snapshot.sink_failure is not None:
        kind, message, at = SINK_FAILURE, snapshot.sink_failure, snapshot.sink_failing_since or snapshot.at
    else:
        return None
    return HeartbeatFailure(
        type=kind, message=cut_to_bytes(message, message_bytes), remedy=remedy_of_failure(kind), at=at
    )
