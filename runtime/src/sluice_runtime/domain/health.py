"""A snapshot of the runtime's state, and the pure functions that render it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sluice_contract.documents import HeartbeatDocument
from sluice_contract.status import (
    ConnectionSlot,
    HeartbeatState,
    Preflight,
    SinkStatus,
    StreamFailure,
    StreamGap,
    StreamHeartbeat,
    StreamPause,
    StreamState,
    StreamStatus,
    SymbolFreshness,
)

from .desired import Desired
from .ledger import Ledger
from .pause import GONE


class RuntimeIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of this process. Never changes."""

    namespace: str
    name: str
    job_uid: str
    pod_uid: str
    tenant: str
    provider: str
    epoch: int
    session_id: str
    started_at: datetime

    @property
    def job(self) -> str:
        """The job as namespace/name, the form used in documents."""
        return f"{self.namespace}/{self.name}"


class ActivityTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The last activity of each part of the runtime, so that a reader sees which part has stopped."""

    loop_tick_at: datetime
    last_message_at: datetime | None = None
    last_quote_ts: datetime | None = None
    last_write_at: datetime | None = None


class PauseAcknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The time at which a pause took effect, and the times of the steps before it."""

    at: datetime
    socket_closed_at: datetime | None
    last_write_at: datetime | None


class RuntimeSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The data for status, heartbeat, HTTP and metrics at one instant."""

    identity: RuntimeIdentity
    at: datetime
    desired: Desired
    state: StreamState
    ledger: Ledger
    clocks: ActivityTimes
    last_symbol: str | None
    acknowledgement: PauseAcknowledgement | None
    failure: StreamFailure | None
    sink_failure: str | None
    preflight: Preflight | None = None
    stopping: bool
    freshness: SymbolFreshness | None = None
    gaps: tuple[StreamGap, ...] = ()
    slot: ConnectionSlot | None = None

    @property
    def is_ready(self) -> bool:
        """Return True if the pod is live, paused or finished. A closed market does not matter."""
        return self.state in ("Live", "Finished") or (self.state == "Paused" and self.acknowledgement is not None)


_BEATS: dict[StreamState, HeartbeatState] = {
    "Stopped": "starting",
    "Connecting": "starting",
    "Authenticating": "starting",
    "Subscribing": "starting",
    "Live": "running",
    "Paused": "paused",
    "BackingOff": "degraded",
    "Blocked": "blocked",
    "Finished": "finished",
}


def heartbeat_state(snapshot: RuntimeSnapshot) -> HeartbeatState:
    """Return the heartbeat's status for consumers."""
    pause = snapshot.desired.pause
    is_deleted = pause is not None and pause.source == GONE and snapshot.state == "Paused"
    if snapshot.stopping or is_deleted:
        return "stopped"
    if snapshot.state == "Live" and (snapshot.sink_failure is not None or snapshot.failure is not None):
        return "degraded"
    return _BEATS[snapshot.state]


def heartbeat_document(snapshot: RuntimeSnapshot) -> HeartbeatDocument:
    """Return the heartbeat document for Firestore."""
    who, desired = snapshot.identity, snapshot.desired
    return HeartbeatDocument(
        status=heartbeat_state(snapshot),
        ts=snapshot.at,
        ingest_enabled=desired.pause is None,
        ingest_enabled_source=_ingest_enabled_source(snapshot),
        pause_reason=desired.pause.reason if desired.pause else None,
        pause_until=desired.pause.until if desired.pause else None,
        last_symbol=snapshot.last_symbol,
        dry_run=desired.dry_run,
        job=who.job,
        job_uid=who.job_uid,
        epoch=who.epoch,
        session_id=who.session_id,
        started_at=who.started_at,
        effective_interval_ms=round(desired.effective_interval_seconds * 1000),
        loop_tick_at=snapshot.clocks.loop_tick_at,
        last_message_at=snapshot.clocks.last_message_at,
        last_quote_ts=snapshot.clocks.last_quote_ts,
        last_write_at=snapshot.clocks.last_write_at,
    )


def stream_status(snapshot: RuntimeSnapshot) -> StreamStatus:
    """Return the pod's part of the IngestJob's status."""
    who, desired = snapshot.identity, snapshot.desired
    return StreamStatus(
        observed_generation=desired.generation,
        stops_generation=desired.stops_generation,
        spec_problem=desired.spec_problem or None,
        pod_uid=who.pod_uid,
        state=snapshot.state,
        heartbeat=StreamHeartbeat(
            at=snapshot.at,
            status=heartbeat_state(snapshot),
            dry_run=desired.dry_run,
            epoch=who.epoch,
            session_id=who.session_id,
            last_symbol=snapshot.last_symbol,
            last_quote_at=snapshot.clocks.last_quote_ts,
        ),
        ingest_enabled=desired.pause is None,
        ingest_enabled_source=_ingest_enabled_source(snapshot),
        symbols=snapshot.ledger.to_symbol_ledger(desired),
        sink=SinkStatus(
            healthy=snapshot.sink_failure is None,
            message=snapshot.sink_failure,
            last_write_at=snapshot.clocks.last_write_at,
        ),
        effective_interval_milliseconds=round(desired.effective_interval_seconds * 1000),
        freshness=snapshot.freshness,
        gaps=list(snapshot.gaps),
        slot=snapshot.slot,
        pause=_stream_pause(snapshot),
        failure=snapshot.failure,
        preflight=snapshot.preflight,
    )


def _ingest_enabled_source(snapshot: RuntimeSnapshot) -> str:
    """Return the source of the pause in force, or of the job itself if nothing pauses."""
    who, pause = snapshot.identity, snapshot.desired.pause
    return pause.source if pause else f"cr:{who.namespace}/{who.name}"


def _stream_pause(snapshot: RuntimeSnapshot) -> StreamPause | None:
    pause, acknowledged = snapshot.desired.pause, snapshot.acknowledgement
    if pause is None:
        return None
    return StreamPause(
        source=pause.source,
        reason=pause.reason,
        until=pause.until,
        acknowledged_at=acknowledged.at if acknowledged else None,
        socket_closed_at=acknowledged.socket_closed_at if acknowledged else None,
        last_write_at=acknowledged.last_write_at if acknowledged else None,
    )
