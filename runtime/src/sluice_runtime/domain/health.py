"""A snapshot of the runtime's state, and the pure functions that render it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from sluice_contract.identity import STANDALONE_POD_UID
from sluice_contract.pause_status import MAX_SOURCES, StreamPause
from sluice_contract.status import (
    ConnectionSlotStatus,
    HeartbeatState,
    OpenStreamGap,
    PreflightResult,
    StreamFailure,
    StreamGap,
    StreamHeartbeat,
    StreamState,
    StreamStatus,
)
from sluice_contract.stream_parts import SinkStatus, StateChange, StreamMarket, WriteBudget
from sluice_contract.symbol_counts import SymbolCounts

from .desired import Desired, is_unread
from .freshness import FreshnessSummary
from .gaps import OpenGap
from .ledger import SubscriptionLedger
from .pause import GONE
from .write_budget import WriteAccount


class RuntimeIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of this process: its job, pod, tenant and session. It never changes."""

    namespace: str
    name: str
    job_uid: str
    pod_uid: str
    tenant: str
    provider: str
    epoch: int
    session_id: str
    started_at: datetime
    cluster: str | None = None  # the UID of the cluster; None if the runtime is not in a cluster

    @property
    def qualified_job_name(self) -> str:
        """The job as namespace/name, the form used in documents."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_standalone(self) -> bool:
        """Whether this process runs without a cluster."""
        return self.pod_uid == STANDALONE_POD_UID


class ActivityTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The time of the last activity of each part of the runtime. An old time shows which part has stopped."""

    loop_tick_at: datetime
    last_message_at: datetime | None = None
    last_quote_ts: datetime | None = None  # the event time of the last quote or trade
    last_quote_received_at: datetime | None = None  # by this node's clock
    last_write_at: datetime | None = None


class PauseAcknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The time at which a pause took effect, and the times of the steps before it."""

    at: datetime
    socket_closed_at: datetime | None
    last_write_at: datetime | None


class CredentialsState(msgspec.Struct, frozen=True):
    """How many pairs of credentials the provider has accepted, and why a newer pair is not used; None if it is."""

    generation: int
    problem: str | None


PublishedKind = Literal["quotes", "bars", "records", "gaps", "heartbeat"]


class DestinationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The health of a destination besides the document store.

    `failing_since` is when the first attempt failed since one succeeded. `sent` and `dropped` are counts since the
    process started.
    """

    name: str
    failure: str | None
    failing_since: datetime | None
    last_sent_at: datetime | None
    sent: Mapping[PublishedKind, int]
    dropped: Mapping[PublishedKind, int]


class RuntimeSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the runtime at one instant. Status, heartbeat, HTTP and metrics are rendered from it."""

    identity: RuntimeIdentity
    at: datetime
    desired: Desired
    state: StreamState
    ledger: SubscriptionLedger
    clocks: ActivityTimes
    last_symbol: str | None
    clock_skew_seconds: float | None = None  # of this node's clock, ahead of the provider's
    acknowledgement: PauseAcknowledgement | None
    failure: StreamFailure | None
    unresolved_failure: StreamFailure | None = None  # kept while the job is paused
    sink_failure: str | None
    sink_failing_since: datetime | None = None
    writes_last_minute: int = 0  # quote documents
    preflight: PreflightResult | None = None
    stopping: bool
    feed: str | None = None
    freshness: FreshnessSummary | None = None
    gaps: tuple[StreamGap, ...] = ()
    open_gap: OpenGap | None = None
    slot: ConnectionSlotStatus | None = None
    document_conflict: StreamFailure | None = None  # another job writes the documents of this job
    credentials: CredentialsState | None = None
    history: tuple[StateChange, ...] = ()  # the last changes of `state`, the newest first
    writes: WriteAccount | None = None

    @property
    def effective_interval_milliseconds(self) -> int:
        """How often each symbol can be written, by all limits of the job."""
        paced = self.writes.paced_interval_seconds if self.writes is not None else None
        return round(max(self.desired.effective_interval_seconds, paced or 0.0) * 1000)

    @property
    def provider_label(self) -> str:
        """The provider in the labels of metrics; with `:simulated` after it if its quotes are, for lack of a key."""
        return self.feed if self.feed is not None and self.feed.endswith(":simulated") else self.identity.provider

    @property
    def is_ready(self) -> bool:
        """Return True if the stream is live or finished, or its pause is acknowledged. Market hours have no effect."""
        return self.state in ("Live", "Finished") or (self.state == "Paused" and self.acknowledgement is not None)


_HEARTBEAT_STATES: dict[StreamState, HeartbeatState] = {
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
    """Return the `status` field of the heartbeat."""
    pause = snapshot.desired.pause
    is_deleted = pause is not None and pause.source == GONE and snapshot.state == "Paused"
    if snapshot.desired.denied and pause is None and not is_deleted:
        return "blocked"  # also as the last heartbeat of the pod, which the operator stops
    if snapshot.stopping or is_deleted:
        return "stopped"
    if snapshot.state == "Paused" and (pause is None or is_unread(pause)):
        # Nothing pauses the job any more, and the pod connects next. Or it waits for its first read of the job and of
        # the pauses, and does not know yet whether the job is paused.
        return "starting"
    if snapshot.state == "Live" and (snapshot.sink_failure is not None or snapshot.failure is not None):
        return "degraded"
    return _HEARTBEAT_STATES[snapshot.state]


def stream_status(snapshot: RuntimeSnapshot) -> StreamStatus:
    """Return the pod's part of the IngestJob's status."""
    identity, desired = snapshot.identity, snapshot.desired
    return StreamStatus(
        observed_generation=desired.generation,
        stops_generation=desired.stops_generation,
        spec_problem=desired.spec_problem or None,
        pause_check_problem=desired.pause_check_problem or None,
        pod_uid=identity.pod_uid,
        state=snapshot.state,
        heartbeat=StreamHeartbeat(
            at=snapshot.at,
            status=heartbeat_state(snapshot),
            dry_run=desired.dry_run,
            epoch=identity.epoch,
            session_id=identity.session_id,
            last_symbol=snapshot.last_symbol,
            last_quote_at=snapshot.clocks.last_quote_ts,
            last_quote_received_at=snapshot.clocks.last_quote_received_at,
        ),
        ingest_enabled=desired.pause is None,
        ingest_enabled_source=desired.pause.source if desired.pause is not None else None,
        symbols=_subscription_counts(snapshot),
        sink=SinkStatus(
            healthy=snapshot.sink_failure is None,
            message=snapshot.sink_failure,
            last_write_at=snapshot.clocks.last_write_at,
            writes_last_minute=snapshot.writes_last_minute,
        ),
        effective_interval_milliseconds=snapshot.effective_interval_milliseconds,
        feed=snapshot.feed,
        credentials_generation=snapshot.credentials.generation if snapshot.credentials else None,
        credentials_problem=snapshot.credentials.problem if snapshot.credentials else None,
        freshness=snapshot.freshness.counts if snapshot.freshness else None,
        gaps=list(snapshot.gaps),
        open_gap=_open_gap(snapshot),
        slot=snapshot.slot,
        pause=_stream_pause(snapshot),
        failure=snapshot.document_conflict or snapshot.failure or snapshot.unresolved_failure,
        preflight=snapshot.preflight,
        history=list(snapshot.history),
        market=_market(snapshot),
        clock_skew_milliseconds=clock_skew_milliseconds(snapshot),
        writes=_write_budget(snapshot),
    )


def clock_skew_milliseconds(snapshot: RuntimeSnapshot) -> int | None:
    """Return how far this node's clock is ahead of the provider's; None while it is unknown."""
    skew = snapshot.clock_skew_seconds
    return round(skew * 1000) if skew is not None else None


def _subscription_counts(snapshot: RuntimeSnapshot) -> SymbolCounts:
    freshness = snapshot.freshness
    if freshness is None:
        return snapshot.ledger.to_symbol_counts(snapshot.desired)
    return msgspec.structs.replace(
        snapshot.ledger.to_symbol_counts(snapshot.desired, freshness.received_count),
        stale_symbols=list(freshness.stale),
        halted_symbols=list(freshness.halted),
        unheard_symbols=list(freshness.unheard),
        never_ticked=freshness.never_ticked_count,
        never_ticked_symbols=list(freshness.never_ticked),
    )


def _market(snapshot: RuntimeSnapshot) -> StreamMarket | None:
    if snapshot.freshness is None:
        return None
    session = snapshot.freshness.session
    return StreamMarket(phase=session.phase, changes_at=session.changes_at)


def _open_gap(snapshot: RuntimeSnapshot) -> OpenStreamGap | None:
    gap = snapshot.open_gap
    return OpenStreamGap(since=gap.since, cause=gap.cause) if gap is not None else None


def _write_budget(snapshot: RuntimeSnapshot) -> WriteBudget | None:
    writes = snapshot.writes
    if writes is None or writes.limit is None:
        return None
    paced = writes.paced_interval_seconds
    return WriteBudget(
        day=writes.day.isoformat(),
        used=writes.used,
        limit=writes.limit,
        resets_at=writes.resets_at,
        paced_interval_milliseconds=round(paced * 1000) if paced is not None else None,
    )


def _stream_pause(snapshot: RuntimeSnapshot) -> StreamPause | None:
    pause, acknowledged = snapshot.desired.pause, snapshot.acknowledgement
    if pause is None:
        return None
    return StreamPause(
        source=pause.source,
        reason=pause.reason,
        by=pause.by,
        until=pause.ends_at,
        sources=list(pause.sources[:MAX_SOURCES]),
        acknowledged_at=acknowledged.at if acknowledged else None,
        socket_closed_at=acknowledged.socket_closed_at if acknowledged else None,
        last_write_at=acknowledged.last_write_at if acknowledged else None,
    )
