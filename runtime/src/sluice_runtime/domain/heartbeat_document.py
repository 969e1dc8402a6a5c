"""The heartbeat document, rendered from a snapshot, with at most 4,000 bytes whatever the number of symbols."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sluice_contract.bounds import cut_to_bytes
from sluice_contract.documents import NAMES_SHOWN, HeartbeatDocument, HeartbeatFailure, HeartbeatGap
from sluice_contract.remedies import SINK_FAILURE, remedy_of_failure

from .health import RuntimeSnapshot, clock_skew_milliseconds, heartbeat_state

# Bytes in UTF-8. The status of the job has the full texts.
_REASON_BYTES = 256
_SOURCE_BYTES = 80  # the longest name of a pause object, with its prefix, has 76
_MESSAGE_BYTES = 300
_AUTHOR_BYTES, _LEAST_AUTHOR_BYTES = 64, 16
_SOURCES_BYTES = 256
_TEXTS_BYTES = 70  # for the reason and the message, before the switches and the author of a pause get any
# The names of symbols, the reason of a pause and the message of a failure together: what the rest of the largest
# document leaves of its 4,000 bytes. Only names that are both long and many shorten the texts.
_NAMES_AND_TEXTS_BYTES = 1_330
_GAPS = 10
# Three full lists of the longest names, as Firestore encodes them: a fourth list may take what they leave.
_OTHER_LISTS = 3
_BYTES_OF_LIST_ITEM = 4  # besides the name itself
_LISTS_BYTES = _OTHER_LISTS * NAMES_SHOWN * (21 + _BYTES_OF_LIST_ITEM)


def heartbeat_document(snapshot: RuntimeSnapshot) -> HeartbeatDocument:
    """Return the heartbeat document for Firestore."""
    return cut_texts(_uncut_document(snapshot))


def cut_texts(document: HeartbeatDocument) -> HeartbeatDocument:
    """Return the document with its reason of a pause and its message of a failure cut to the bytes that are left.

    If the names of symbols are both long and many, the list of paused symbols is cut first.
    """
    others = (*document.stale, *document.halted, *document.unheard)
    paused = _names_that_fit(document.paused, others)
    names = (*others, *paused)
    left = _NAMES_AND_TEXTS_BYTES - sum(len(name.encode()) for name in names)
    left -= _BYTES_OF_LIST_ITEM * max(0, len(names) - _OTHER_LISTS * NAMES_SHOWN)
    sources = _sources_that_fit(document.pause_sources, min(_SOURCES_BYTES, left - _TEXTS_BYTES))
    left -= sum(len(source.encode()) + _BYTES_OF_LIST_ITEM for source in sources)
    author = _author_that_fits(document.pause_by, min(_AUTHOR_BYTES, left - _TEXTS_BYTES))
    left -= len(author.encode()) if author is not None else 0
    reason, failure = document.pause_reason, document.failure
    if reason is not None:
        reason = cut_to_bytes(reason, min(_REASON_BYTES, left // 2))
        left -= len(reason.encode())
    if failure is not None:
        message = cut_to_bytes(failure.message, min(_MESSAGE_BYTES, left))
        failure = msgspec.structs.replace(failure, message=message)
    return msgspec.structs.replace(
        document, pause_reason=reason, failure=failure, paused=paused, pause_sources=sources, pause_by=author
    )


def _names_that_fit(paused: list[str], others: Sequence[str]) -> list[str]:
    """Return the first of the paused symbols that fit beside the names in the other lists."""
    left = _LISTS_BYTES - sum(len(name.encode()) + _BYTES_OF_LIST_ITEM for name in others)
    found = []
    for name in paused:
        left -= len(name.encode()) + _BYTES_OF_LIST_ITEM
        if left < 0:
            break
        found.append(name)
    return found


def _uncut_document(snapshot: RuntimeSnapshot) -> HeartbeatDocument:
    identity, desired, freshness = snapshot.identity, snapshot.desired, snapshot.freshness
    pause = desired.pause
    return HeartbeatDocument(
        status=heartbeat_state(snapshot),
        ts=snapshot.at,
        ingest_enabled=desired.pause is None,
        ingest_enabled_source=cut_to_bytes(pause.source, _SOURCE_BYTES) if pause else None,
        pause_reason=pause.reason if pause else None,
        pause_until=pause.ends_at if pause else None,
        last_symbol=snapshot.last_symbol,
        dry_run=desired.dry_run,
        job=identity.qualified_job_name,
        job_uid=identity.job_uid,
        epoch=identity.epoch,
        session_id=identity.session_id,
        started_at=identity.started_at,
        effective_interval_ms=snapshot.effective_interval_milliseconds,
        heartbeat_interval_ms=round(desired.heartbeat.interval_seconds * 1000),
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
        paused=snapshot.ledger.to_symbol_counts(desired).paused_symbols,
        clock_skew_ms=clock_skew_milliseconds(snapshot),
        cluster=identity.cluster,
        gaps=_gaps(snapshot),
        failure=_failure(snapshot),
        pause_by=pause.by if pause else None,
        pause_sources=list(pause.source_names) if pause else [],
        writes_day=snapshot.writes.day.isoformat() if snapshot.writes is not None else None,
        writes_used=snapshot.writes.used + 1 if snapshot.writes is not None else None,
    )


def _sources_that_fit(sources: Sequence[str], limit: int) -> list[str]:
    """Return the first of the switches that pause the job, as many as have at most `limit` bytes."""
    found: list[str] = []
    for source in sources:
        name = cut_to_bytes(source, _SOURCE_BYTES)
        limit -= len(name.encode()) + _BYTES_OF_LIST_ITEM
        if limit < 0:
            break
        found.append(name)
    return found


def _author_that_fits(author: str | None, limit: int) -> str | None:
    """Return who paused, cut to `limit` bytes; None if no author is named, or only some characters would fit."""
    return cut_to_bytes(author, limit) if author and limit >= _LEAST_AUTHOR_BYTES else None


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


def _failure(snapshot: RuntimeSnapshot) -> HeartbeatFailure | None:
    """Return the failure of the stream, otherwise that of the writes to Firestore; None if there is none."""
    if (failure := snapshot.unresolved_failure) is not None:
        kind, message, at = failure.type, failure.message, failure.at
    elif snapshot.sink_failure is not None:
        kind, message, at = SINK_FAILURE, snapshot.sink_failure, snapshot.sink_failing_since or snapshot.at
    else:
        return None
    remedy = remedy_of_failure(kind, is_standalone=snapshot.identity.is_standalone)
    return HeartbeatFailure(type=kind, message=message, remedy=remedy, at=at)
