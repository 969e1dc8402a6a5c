"""Creates the loops, and gives each of them only the parts of the state that it needs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from .destination_ports import Destination
from .domain.backoff import Backoff
from .domain.market import DocumentOrigin
from .domain.market_hours import MarketHours
from .domain.token_bucket import TokenBucket
from .history_ports import GapTape, MarketHistory
from .loops.document_store import DocumentStore
from .loops.flusher import Flusher
from .loops.flusher_parts import FlusherParts
from .loops.freshness_monitor import FreshnessObserver, FreshnessParts
from .loops.gap_repair import GapRepairer
from .loops.gap_writer import GapWriter
from .loops.heartbeat import TakeSnapshot
from .loops.market_clock import MarketClock
from .loops.market_silence import MarketSilenceMonitor
from .loops.pause_control import PauseControl, PodSwitches
from .loops.record_writer import RecordWriter, RecordWriterParts
from .loops.snapshot_recovery import SnapshotRecovery, SnapshotRecoveryParts
from .loops.stream_parts import StreamParts
from .loops.supervisor import SupervisorParts
from .loops.write_budget import WriteBudgetMonitor
from .loops.write_log import WriteLog
from .ports import Declaration, MarketSnapshots, Sink
from .sinks.destination_group import DestinationGroup, DestinationGroupParts
from .state.runtime_state import RuntimeState
from .switch_ports import SwitchFile


def stream_parts(state: RuntimeState) -> StreamParts:
    """Return what the loops that follow the stream share."""
    return StreamParts(state.desired, state.stream, state.instruments)


def supervisor_parts(state: RuntimeState) -> SupervisorParts:
    """Return what the supervisor follows and records to."""
    return SupervisorParts(
        desired=state.desired,
        stream=state.stream,
        connection=state.connection,
        silent_connections=state.silent_connections,
        ownership=state.ownership,
        sink_health=state.sink_health,
        counters=state.counters,
    )


def create_document_store(state: RuntimeState, sink: Sink, source_name: str) -> DocumentStore:
    """Return the store of all documents of this process, whose quotes come from the source with this name."""
    who = state.process.identity
    origin = DocumentOrigin(source=source_name, job=who.qualified_job_name, session_id=who.session_id, epoch=who.epoch)
    return DocumentStore(
        sink=sink,
        origin=origin,
        ownership=state.ownership,
        health=state.sink_health,
        write_budget=state.write_budget,
    )


def create_destination_group(
    state: RuntimeState, destinations: Sequence[Destination], origin: DocumentOrigin, take_snapshot: TakeSnapshot
) -> DestinationGroup:
    """Return what publishes to the destinations besides the document store."""
    parts = DestinationGroupParts(
        desired=state.desired,
        market=state.market,
        stream=state.stream,
        gaps=state.gaps,
        ownership=state.ownership,
        healths=state.destination_healths,
        instruments=state.instruments,
    )
    return DestinationGroup(destinations, parts, origin, take_snapshot)


def create_flusher(state: RuntimeState, store: DocumentStore, backoff: Backoff, write_log: WriteLog) -> Flusher:
    """Return the loop that writes quotes, their statuses and bars."""
    parts = FlusherParts(
        desired=state.desired,
        connection=state.connection,
        market=state.market,
        documents=state.documents,
        removed_symbols=state.removed_symbols,
        process=state.process,
        instruments=state.instruments,
    )
    return Flusher(store, parts, backoff, write_log)


def create_record_writer(state: RuntimeState, store: DocumentStore) -> RecordWriter:
    """Return the loop that writes the ingest_state records."""
    parts = RecordWriterParts(
        desired=state.desired,
        market=state.market,
        stream=state.stream,
        gaps=state.gaps,
        documents=state.documents,
        removed_symbols=state.removed_symbols,
        instruments=state.instruments,
    )
    return RecordWriter(store, parts)


def create_gap_writer(state: RuntimeState, store: DocumentStore, bucket: TokenBucket) -> GapWriter:
    """Return the loop that writes closed gaps."""
    return GapWriter(store, state.desired, state.gaps, bucket, state.instruments)


def create_gap_repairer(
    state: RuntimeState, history: MarketHistory, tape: GapTape, create_backoff: Callable[[], Backoff]
) -> GapRepairer:
    """Return the loop that fetches the data of closed gaps into the tape."""
    return GapRepairer(history, tape, stream_parts(state), state.gaps, create_backoff)


def create_freshness_observer(state: RuntimeState, market_hours: MarketHours) -> FreshnessObserver:
    """Return the loop that checks the freshness of all symbols."""
    parts = FreshnessParts(
        market=state.market,
        silent_connections=state.silent_connections,
        freshness=state.freshness,
        write_budget=state.write_budget,
    )
    return FreshnessObserver(stream_parts(state), parts, market_hours)


def create_write_budget_monitor(state: RuntimeState, market: MarketClock) -> WriteBudgetMonitor:
    """Return the loop that paces the writes by the daily budget, and pauses the job when it is used up."""
    return WriteBudgetMonitor(state.write_budget, state.desired, state.switches, market, state.instruments)


def market_loops(state: RuntimeState, market: MarketClock) -> list[Callable[[], Coroutine[Any, Any, None]]]:
    """Return the loops that follow the hours of the market: the monitors of silence and of the daily budget."""
    return [create_silence_monitor(state, market).run, create_write_budget_monitor(state, market).run]


def create_silence_monitor(state: RuntimeState, market: MarketClock) -> MarketSilenceMonitor:
    """Return the loop that notices that a whole market is silent."""
    return MarketSilenceMonitor(market, stream_parts(state), state.market.coalescer, state.silent_connections)


def create_snapshot_recovery(
    state: RuntimeState, snapshots: MarketSnapshots, sink: Sink, market_hours: MarketHours
) -> SnapshotRecovery:
    """Return the loop that fetches market snapshots."""
    parts = SnapshotRecoveryParts(
        desired=state.desired,
        stream=state.stream,
        market=state.market,
        silent_connections=state.silent_connections,
        awaiting_snapshot=state.awaiting_snapshot,
        instruments=state.instruments,
    )
    return SnapshotRecovery(snapshots, sink, parts, market_hours)


def create_pause_control(
    state: RuntimeState, pod_switches: PodSwitches, declaration: Declaration, switch_file: SwitchFile | None = None
) -> PauseControl:
    """Return what carries out the requests to stop, start and reload."""
    return PauseControl(pod_switches, stream_parts(state), state.documents, declaration, switch_file)
