"""Connects adapters and loops, and defines the order of a pod's start and shutdown."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from sluice_contract import identity

from .adapters.api_session import ApiServer, ApiSession
from .adapters.cached_job import CachedJob, ReadOnlyDeclaration
from .adapters.hangup_signal import run_on_hangup
from .adapters.http.api import serve_http
from .adapters.http.bearer_token import create_token_check
from .adapters.http.control import control_routes
from .adapters.http.read_access import create_listeners, create_read_check
from .adapters.ingestjob import IngestJobClient
from .adapters.lease import SlotClaimStore
from .adapters.switches import EnabledFilePoller, StoredSwitchesFile
from .aio.latest_value import LatestValue
from .aio.waiting import run_until_first_completes, run_with_timeout
from .destination_ports import Destination
from .domain.backoff import Backoff
from .domain.failure import FencedError
from .factories import (
    create_clients,
    create_key_digest_reader,
    create_preflight,
    create_runtime_state,
    create_tape,
    create_write_log,
    market_hours_of_job,
    slot_lease_name_of_job,
    with_quote_log_and_tape,
)
from .history_ports import GapTape, MarketHistory
from .loop_wiring import (
    create_destination_group,
    create_document_store,
    create_flusher,
    create_freshness_observer,
    create_gap_repairer,
    create_gap_writer,
    create_pause_control,
    create_record_writer,
    create_snapshot_recovery,
    market_loops,
    stream_parts,
    supervisor_parts,
)
from .loops.auto_stop import AutoStopMonitor
from .loops.clock_monitor import monitor_clock_forever
from .loops.freshness_monitor import FreshnessObserver
from .loops.heartbeat import report_status_forever, send_heartbeats_forever, send_last_heartbeat_and_status
from .loops.market_calendar import MarketCalendarLoop
from .loops.market_clock import MarketClock
from .loops.pause_control import PodSwitches
from .loops.preflight import run_preflight_once_live
from .loops.slot import ConnectionSlotLease
from .loops.spec_watcher import PauseInputs, update_desired_forever, watch_job_until_deleted
from .loops.supervisor import Supervisor
from .loops.write_log import WriteLog
from .pause_wiring import PodPauses
from .ports import JobPort, MarketSnapshots, Sink, Source
from .provider_ports import TradingDays
from .providers.preflight_process import run_preflight_process
from .providers.provider import ProviderClients
from .runtime_view import CurrentRuntimeView
from .settings import Settings
from .sinks.firestore.factory import create_firestore_sink
from .sinks.registry import create_destinations
from .state.runtime_state import RuntimeState
from .state.switch_states import SwitchStates

_log = logging.getLogger(__name__)

# Google's client has its own, shorter timeout; this one is for an unreachable API server.
_GOODBYE_SECONDS = 4.0

# In the directory of the state that outlives the process.
SWITCHES_FILE_NAME, JOB_FILE_NAME = "switches.json", "job.json"

Loop = Callable[[], Coroutine[Any, Any, None]]


async def run_pod(settings: Settings, environment: Mapping[str, str]) -> None:
    """Run the pod until SIGTERM or SIGINT, until its job is deleted, or until a later process of the job fences it.

    Raises:
        SettingsError: the pod cannot start with these settings.
    """
    clients = create_clients(settings, environment)
    stop = stop_event_on_signal()
    runtime = create_runtime_state(settings)
    pod_switches = PodSwitches(runtime.switches, StoredSwitchesFile(settings.state_dir / SWITCHES_FILE_NAME))
    async with AsyncExitStack() as stack:
        job = _job_client(settings)
        stack.push_async_callback(job.close)
        pauses = PodPauses(settings, runtime)
        stack.push_async_callback(pauses.close)
        file = set_switches_at_start(settings, runtime.switches, pod_switches)
        control = create_pause_control(runtime, pod_switches, ReadOnlyDeclaration(), file)
        run_on_hangup(control.reload)
        token_check = create_token_check(settings.http_token_file)
        market = MarketClock(runtime.desired)
        observer = create_freshness_observer(runtime, market.state_at)
        view = CurrentRuntimeView(runtime, observer)
        routes = control_routes(control, view, token_check)
        read_check = create_read_check(token_check, is_public=settings.http_is_public)
        listeners = create_listeners(settings.bind, identity.HTTP_PORT)
        await stack.enter_async_context(serve_http(view, listeners, routes, read_check))
        write_log = create_write_log(settings)
        stack.callback(write_log.log_pending)
        measurements = runtime.instruments.measurements
        sink = create_firestore_sink(settings, runtime.desired, write_log, runtime.write_budget, measurements)
        tape = create_tape(settings)
        stack.push_async_callback(sink.close)
        cached = CachedJob(job, settings.state_dir / JOB_FILE_NAME, settings.job.uid)
        await run_loops_and_shut_down(
            RuntimeParts(
                source=with_quote_log_and_tape(clients.source, settings, tape),
                sink=sink,
                destinations=create_destinations(settings, runtime.destination_healths),
                job=cached,
                runtime=runtime,
                write_log=write_log,
                market=market,
                observer=observer,
                slot=_connection_slot(settings, job.session, runtime, clients),
                pod_switches=pod_switches,
                other_loops=[
                    *([file.run] if file else []),
                    *pauses.loops,
                    *_preflight_loops(settings, environment, clients, runtime),
                    *snapshot_recovery_loops(clients.snapshots, sink, runtime, market),
                    *gap_repair_loops(clients.history, tape, runtime),
                    create_calendar_loop(clients.trading_days, market, runtime),
                ],
            ),
            stop,
            Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds, random.uniform),
        )


def _preflight_loops(
    settings: Settings, environment: Mapping[str, str], clients: ProviderClients, runtime: RuntimeState
) -> list[Loop]:
    """Return a list with the loop that checks the provider's account once; an empty list if there is no account."""
    if clients.read_stream_key is None:
        return []
    preflight = create_preflight(settings, environment)
    if preflight is None or preflight.skip_reason is not None:
        return []
    return [lambda: run_preflight_once_live(run_preflight_process, stream_parts(runtime), runtime.process)]


def snapshot_recovery_loops(
    snapshots: MarketSnapshots | None, sink: Sink, runtime: RuntimeState, market: MarketClock
) -> list[Loop]:
    """Return a list with the loop that fetches market snapshots; an empty list if `snapshots` is None."""
    if snapshots is None:
        return []
    return [create_snapshot_recovery(runtime, snapshots, sink, market.state_at).run]


def create_calendar_loop(client: TradingDays | None, market: MarketClock, runtime: RuntimeState) -> Loop:
    """Return the loop that keeps the calendar of `market` up to date.

    Without `client`, it only reports when the table of trading days ends.
    """
    fetch = client.fetch_trading_days if client is not None else None
    return MarketCalendarLoop(fetch, market, stream_parts(runtime), Backoff(60.0, 3600.0, random.uniform)).run


def gap_repair_loops(history: MarketHistory | None, tape: GapTape | None, runtime: RuntimeState) -> list[Loop]:
    """Return a list with the loop that fetches the data of gaps into the tape; an empty list if either is None."""
    if history is None or tape is None:
        return []
    return [create_gap_repairer(runtime, history, tape, lambda: Backoff(2.0, 60.0, random.uniform)).run]


def stop_event_on_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    return stop


def set_switches_at_start(
    settings: Settings, switches: SwitchStates, pod_switches: PodSwitches
) -> EnabledFilePoller | None:
    """Set all pause switches outside the job document: INGEST_ENABLED, the stored switches, and INGEST_ENABLED_FILE.

    Return the poller of INGEST_ENABLED_FILE, which the caller must run; None if the variable is not set.
    """
    switches.set_switch(settings.environment_switch)
    pod_switches.restore()
    if settings.enabled_file is None:
        return None
    file = EnabledFilePoller(settings.enabled_file, settings.enabled_poll_seconds, switches)
    file.read_and_notify()
    return file


@dataclass(frozen=True, kw_only=True)
class RuntimeParts:
    """The adapters and loops of one runtime."""

    source: Source
    sink: Sink
    destinations: Sequence[Destination] = ()  # besides the document store, which is `sink`
    job: JobPort
    runtime: RuntimeState
    write_log: WriteLog = field(default_factory=WriteLog)
    market: MarketClock | None = None  # None: by the table of trading days alone
    observer: FreshnessObserver | None = None  # None: one that only the loops use
    slot: ConnectionSlotLease | None = None  # None: the provider does not limit connections
    pod_switches: PodSwitches | None = None  # None: no switch is kept across restarts
    other_loops: Sequence[Loop] = ()  # additional loops


async def run_loops_and_shut_down(parts: RuntimeParts, stop: asyncio.Event, reconnect_backoff: Backoff) -> None:
    """Run all loops until `stop` is set or the job is deleted.

    Then close the connection to the provider, and write the last quotes and heartbeats. If a later process of the job
    has taken over, return without writing anything more.
    """
    runtime = parts.runtime
    runtime.process.set_feed(parts.source.name)
    _log.info("quotes come from %s", parts.source.name, extra={"event_type": "stream"})
    store = create_document_store(runtime, parts.sink, parts.source.name)
    flusher = create_flusher(runtime, store, Backoff(0.5, 30.0, random.uniform), parts.write_log)
    records = create_record_writer(runtime, store)
    inputs = PauseInputs(LatestValue(None), runtime.switches, runtime.pauses)
    market = parts.market or MarketClock(runtime.desired)
    observer = parts.observer or create_freshness_observer(runtime, market.state_at)
    view = CurrentRuntimeView(runtime, observer)
    others = create_destination_group(runtime, parts.destinations, store.origin, view.snapshot)
    source, writes = others.with_published_data(parts.source), others.with_drain(flusher)
    supervisor = Supervisor(source, writes, supervisor_parts(runtime), reconnect_backoff, parts.slot)
    desired, instruments, who = runtime.desired, runtime.instruments, runtime.process.identity
    try:
        await run_until_first_completes(
            stop.wait(),
            watch_job_until_deleted(parts.job, inputs.job, desired, runtime.stream, who.session_id),
            update_desired_forever(inputs, runtime.updater, instruments, market_hours_of_job),
            supervisor.stream_unless_paused_forever(),
            flusher.run(),
            observer.run(),
            monitor_clock_forever(runtime.market.activity, instruments),
            send_heartbeats_forever(store, view.snapshot, desired, instruments),
            report_status_forever(parts.job, view.snapshot, desired, instruments),
            records.run(),
            create_gap_writer(runtime, store, records.bucket).run(),
            AutoStopMonitor(stream_parts(runtime), parts.pod_switches or PodSwitches(runtime.switches)).run(),
            *(loop() for loop in (*market_loops(runtime, market), *parts.other_loops)),
            *others.loops(),
        )
    except FencedError as fenced:
        _log.warning("%s; exiting", fenced, extra={"event_type": "stream"})
        await others.close()
        return
    if runtime.stream.state == "Live":  # the stream ended because this process does
        runtime.gaps.set_cause("restart")
    await writes.drain_and_close()
    if runtime.stream.state not in ("Paused", "Finished", "Blocked"):
        runtime.stream.on_state("Stopped")  # the socket is closed: the last report must not say Live
    if parts.slot is not None:
        await parts.slot.release()
    runtime.process.record_stop()
    job = parts.job if inputs.job.value else None
    last_reports = send_last_heartbeat_and_status(parts.sink, job, view.snapshot())
    await asyncio.gather(run_with_timeout(_GOODBYE_SECONDS, last_reports), others.send_last_heartbeat_and_close())
    _log.info("shutdown complete", extra={"event_type": "stream"})


def _connection_slot(
    settings: Settings, session: ApiSession, runtime: RuntimeState, clients: ProviderClients
) -> ConnectionSlotLease | None:
    job = settings.job
    name = slot_lease_name_of_job(job.spec)
    if name is None:
        return None
    read_key_digest = create_key_digest_reader(clients, job.cluster)
    return ConnectionSlotLease(
        SlotClaimStore(session, job.namespace, name, job), job.name, runtime.slot, runtime.now, read_key_digest
    )


def _job_client(settings: Settings) -> IngestJobClient:
    injected = settings.job
    backoff = Backoff(0.5, 10.0, random.uniform)
    return IngestJobClient(ApiServer(url=settings.api_url), injected.namespace, injected.name, injected.uid, backoff)
