"""Connects adapters and loops, and defines the order of a pod's start and shutdown."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from sluice_contract import identity

from .adapters.api_session import ApiServer, ApiSession
from .adapters.cached_job import CachedJob, ReadOnlyDeclaration
from .adapters.hangup_signal import run_on_hangup
from .adapters.http.api import serve_http
from .adapters.http.control import control_routes, create_token_check
from .adapters.ingestjob import IngestJobClient
from .adapters.lease import SlotClaimStore
from .adapters.preflight_process import run_preflight_process
from .adapters.switches import EnabledFilePoller, StoredSwitchesFile
from .domain.backoff import Backoff
from .domain.declared_job import DeclaredJob
from .domain.endpoints import rest_endpoints
from .domain.failure import FencedError
from .domain.market import DocumentOrigin
from .domain.slot import slot_lease_name
from .factories import (
    create_calendar_client,
    create_credentials_reader,
    create_history_client,
    create_journal,
    create_sink,
    create_snapshot_client,
    create_source,
    create_tape,
    create_write_log,
)
from .history_ports import GapTape, MarketHistory
from .loops.auto_stop import AutoStopMonitor
from .loops.clock_monitor import monitor_clock_forever
from .loops.flusher import Flusher
from .loops.freshness_monitor import monitor_freshness_forever
from .loops.gap_repair import GapRepairer
from .loops.gap_writer import GapWriter
from .loops.heartbeat import report_status_forever, send_heartbeats_forever, send_last_heartbeat_and_status
from .loops.journal import Journal
from .loops.latest_value import LatestValue
from .loops.market_calendar import FetchTradingDays, MarketCalendarLoop
from .loops.market_clock import MarketClock
from .loops.market_silence import presume_closed_while_silent_forever
from .loops.pause_control import PauseControl, PodSwitches
from .loops.preflight import run_preflight_once_live
from .loops.record_writer import RecordWriter
from .loops.slot import ConnectionSlotLease
from .loops.snapshot_recovery import SnapshotRecovery
from .loops.spec_watcher import update_desired_forever, watch_job_until_deleted
from .loops.supervisor import Supervisor
from .loops.waiting import run_until_first_completes, run_with_timeout
from .loops.write_log import WriteLog
from .ports import JobPort, MarketSnapshots, Sink, Source
from .settings import Settings

_log = logging.getLogger(__name__)

# Google's client has its own, shorter timeout; this one is for an unreachable API server.
_GOODBYE_SECONDS = 4.0

# In the directory of the state that outlives the process.
SWITCHES_FILE_NAME, JOB_FILE_NAME = "switches.json", "job.json"

Loop = Callable[[], Coroutine[Any, Any, None]]


async def run_pod(settings: Settings) -> None:
    """Run the pod until SIGTERM or SIGINT, until its job is deleted, or until a later process of the job fences it."""
    stop = stop_event_on_signal()
    journal = create_journal(settings)
    pod_switches = PodSwitches(journal, StoredSwitchesFile(settings.state_dir / SWITCHES_FILE_NAME))
    async with AsyncExitStack() as stack:
        job = _job_client(settings)
        stack.push_async_callback(job.close)
        file = set_switches_at_start(settings, journal, pod_switches)
        control = PauseControl(pod_switches, journal, ReadOnlyDeclaration(), file)
        run_on_hangup(control.reload)
        routes = control_routes(control, journal, create_token_check(settings.http_token_file))
        await stack.enter_async_context(serve_http(journal, settings.bind, identity.HTTP_PORT, routes))
        market = MarketClock(journal.desired)
        write_log = create_write_log(settings)
        stack.callback(write_log.log_pending)
        sink = create_sink(settings, journal.desired, write_log=write_log)
        credentials_reader = create_credentials_reader(settings)
        tape, history = create_tape(settings), create_history_client(settings, credentials_reader)
        stack.push_async_callback(sink.close)
        cached = CachedJob(job, settings.state_dir / JOB_FILE_NAME, settings.job.uid)
        await run_loops_and_shut_down(
            RuntimeParts(
                source=create_source(settings, credentials_reader, tape),
                sink=sink,
                job=cached,
                journal=journal,
                write_log=write_log,
                market=market,
                slot=_connection_slot(settings, job.session, journal),
                pod_switches=pod_switches,
                other_loops=[
                    *([file.run] if file else []),
                    *_preflight_loops(settings, journal),
                    *snapshot_recovery_loops(
                        create_snapshot_client(settings, credentials_reader), sink, journal, market
                    ),
                    *gap_repair_loops(history, tape, journal),
                    create_calendar_loop(create_calendar_client(settings, credentials_reader), market, journal),
                ],
            ),
            stop,
            Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds, random.uniform),
        )


def _preflight_loops(settings: Settings, journal: Journal) -> list[Loop]:
    """Return a list with the loop that checks the provider's account once; an empty list if there is no account."""
    login = settings.job.spec.alpaca_and_secret_name
    if login is None or not rest_endpoints(login[0], settings.trading_url, settings.data_url).has_trading_api:
        return []
    return [lambda: run_preflight_once_live(run_preflight_process, journal)]


def snapshot_recovery_loops(
    snapshots: MarketSnapshots | None, sink: Sink, journal: Journal, market: MarketClock
) -> list[Loop]:
    """Return a list with the loop that fetches market snapshots; an empty list if `snapshots` is None."""
    if snapshots is None:
        return []
    return [SnapshotRecovery(snapshots, sink, journal, market.state_at).run]


def create_calendar_loop(fetch: FetchTradingDays | None, market: MarketClock, journal: Journal) -> Loop:
    """Return the loop that keeps the calendar of `market` up to date.

    Without `fetch`, it only reports when the table of trading days ends.
    """
    return MarketCalendarLoop(fetch, market, journal, Backoff(60.0, 3600.0, random.uniform)).run


def gap_repair_loops(history: MarketHistory | None, tape: GapTape | None, journal: Journal) -> list[Loop]:
    """Return a list with the loop that fetches the data of gaps into the tape; an empty list if either is None."""
    if history is None or tape is None:
        return []
    return [GapRepairer(history, tape, journal, lambda: Backoff(2.0, 60.0, random.uniform)).run]


def stop_event_on_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    return stop


def set_switches_at_start(settings: Settings, journal: Journal, pod_switches: PodSwitches) -> EnabledFilePoller | None:
    """Set all pause switches outside the job document: INGEST_ENABLED, the stored switches, and INGEST_ENABLED_FILE.

    Return the poller of INGEST_ENABLED_FILE, which the caller must run; None if the variable is not set.
    """
    journal.set_switch(settings.environment_switch)
    pod_switches.restore()
    if settings.enabled_file is None:
        return None
    file = EnabledFilePoller(settings.enabled_file, settings.enabled_poll_seconds, journal)
    file.read_and_notify()
    return file


@dataclass(frozen=True, kw_only=True)
class RuntimeParts:
    """The adapters and loops of one runtime."""

    source: Source
    sink: Sink
    job: JobPort
    journal: Journal
    write_log: WriteLog = field(default_factory=WriteLog)
    market: MarketClock | None = None  # None: by the table of trading days alone
    slot: ConnectionSlotLease | None = None  # None: the provider does not limit connections
    pod_switches: PodSwitches | None = None  # None: no switch is kept across restarts
    other_loops: Sequence[Loop] = ()  # additional loops


async def run_loops_and_shut_down(parts: RuntimeParts, stop: asyncio.Event, reconnect_backoff: Backoff) -> None:
    """Run all loops until `stop` is set or the job is deleted.

    Then close the connection to the provider, and write the last quotes and heartbeats. If a later process of the job
    has taken over, return without writing anything more.
    """
    journal = parts.journal
    who = journal.identity
    journal.feed = parts.source.name
    _log.info("quotes come from %s", journal.feed, extra={"event_type": "stream"})
    origin = DocumentOrigin(
        source=parts.source.name, job=who.qualified_job_name, session_id=who.session_id, epoch=who.epoch
    )
    flusher = Flusher(parts.sink, journal, origin, Backoff(0.5, 30.0, random.uniform), parts.write_log)
    supervisor = Supervisor(parts.source, flusher, journal, reconnect_backoff, parts.slot)
    records = RecordWriter(parts.sink, journal)
    live: LatestValue[DeclaredJob | None] = LatestValue(None)
    market = parts.market or MarketClock(journal.desired)
    try:
        await run_until_first_completes(
            stop.wait(),
            watch_job_until_deleted(parts.job, live, journal),
            update_desired_forever(live, journal),
            supervisor.stream_unless_paused_forever(),
            flusher.run(),
            monitor_freshness_forever(market, journal),
            presume_closed_while_silent_forever(market, journal),
            monitor_clock_forever(journal),
            send_heartbeats_forever(parts.sink, journal),
            report_status_forever(parts.job, journal),
            records.run(),
            GapWriter(parts.sink, journal, records.bucket).run(),
            AutoStopMonitor(journal, parts.pod_switches or PodSwitches(journal)).run(),
            *(loop() for loop in parts.other_loops),
        )
    except FencedError as fenced:
        _log.warning("%s; exiting", fenced, extra={"event_type": "stream"})
        return
    if journal.state == "Live":  # the stream ended because this process does
        journal.gaps.set_cause("restart")
    await flusher.drain_and_close()
    if journal.state not in ("Paused", "Finished", "Blocked"):
        journal.on_state("Stopped")  # the socket is closed: the last report must not say Live
    if parts.slot is not None:
        await parts.slot.release()
    journal.stopping = True
    await run_with_timeout(
        _GOODBYE_SECONDS, send_last_heartbeat_and_status(parts.sink, parts.job if live.value else None, journal)
    )
    _log.info("shutdown complete", extra={"event_type": "stream"})


def _connection_slot(settings: Settings, session: ApiSession, journal: Journal) -> ConnectionSlotLease | None:
    name = slot_lease_name(settings.job.spec)
    return (
        ConnectionSlotLease(
            SlotClaimStore(session, settings.job.namespace, name, settings.job), settings.job.name, journal
        )
        if name
        else None
    )


def _job_client(settings: Settings) -> IngestJobClient:
    injected = settings.job
    backoff = Backoff(0.5, 10.0, random.uniform)
    return IngestJobClient(ApiServer(url=settings.api_url), injected.namespace, injected.name, injected.uid, backoff)
