"""The standalone runtime: runs without Kubernetes, from a document or from the environment."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from sluice_contract.documents import heartbeat_path
from sluice_contract.http_server import create_listener
from sluice_contract.resource import IngestJob

from .adapters.hangup_signal import run_on_hangup
from .adapters.http.api import serve_http
from .adapters.http.control import control_routes, refusal_unless_local
from .adapters.pause_file import PauseFile
from .adapters.standalone_job import StandaloneJob
from .adapters.switches import StoredSwitchesFile
from .app import (
    SWITCHES_FILE_NAME,
    RuntimeParts,
    create_calendar_loop,
    gap_repair_loops,
    run_loops_and_shut_down,
    set_switches_at_start,
    snapshot_recovery_loops,
    stop_event_on_signal,
)
from .domain.backoff import Backoff
from .domain.failure import SinkError
from .domain.pause import AUTO_STOP, Switch
from .domain.smoke_verdict import SmokeObservation, smoke_verdict
from .factories import (
    create_clients,
    create_runtime_state,
    create_tape,
    create_write_log,
    with_quote_log_and_tape,
)
from .loop_wiring import create_freshness_observer, create_pause_control, stream_parts
from .loops.auto_stop import wait_until_paused_for_good
from .loops.market_clock import MarketClock
from .loops.pause_control import PodSwitches
from .ports import RequestRefusedError, Sink
from .providers.registry import ENVIRONMENT_PROVIDER, load_provider
from .runtime_view import CurrentRuntimeView
from .settings import Settings, SettingsError
from .sinks.firestore.factory import create_firestore_sink
from .sinks.registry import create_destinations
from .standalone_settings import STOP_AFTER
from .state.runtime_state import RuntimeState

if TYPE_CHECKING:
    from .sinks.firestore.reloading_sink import ReloadingSink

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}


class StandaloneRuntime:
    """A runtime without a cluster."""

    def __init__(self, settings: Settings, read: Callable[[], IngestJob], environment: Mapping[str, str]) -> None:
        """`read` reads and validates the job document; it raises SettingsError."""
        self._settings = settings
        self._environment = environment
        self._read = read
        self.state: RuntimeState = create_runtime_state(settings)
        self.write_log = create_write_log(settings)
        self._market = MarketClock(self.state.desired)
        self._observer = create_freshness_observer(self.state, self._market.state_at)
        self.view = CurrentRuntimeView(self.state, self._observer)

    def run_until_stopped(self, port: int) -> None:
        """Run until SIGTERM or SIGINT, with the HTTP interface on `port`.

        Raises:
            SettingsError: the runtime cannot start with these settings.
        """

        async def until_stopped() -> None:
            await self.run(stop_event_on_signal(), port)

        asyncio.run(until_stopped())

    def run_smoke_test(self, seconds: float) -> tuple[bool, str]:
        """Stream for `seconds`. Return whether the test passed, and a sentence: see `smoke_verdict`.

        Raises:
            SettingsError: the runtime cannot start with these settings.
        """

        async def for_a_while() -> SmokeObservation:
            stop = stop_event_on_signal()
            running = asyncio.create_task(self.run(stop, None))
            await asyncio.wait([running], timeout=seconds)
            seen = self.smoke_observation()
            was_fenced = running.done() and not stop.is_set() and seen.snapshot.state != "Finished"
            stop.set()
            await running
            return msgspec.structs.replace(seen, was_fenced=was_fenced)

        return smoke_verdict(asyncio.run(for_a_while()))

    def smoke_observation(self) -> SmokeObservation:
        """Return what the runtime has written so far, and when its market opens."""
        stream = load_provider(ENVIRONMENT_PROVIDER).always_open_stream
        spec, snapshot, log = self._settings.job.spec, self.view.snapshot(), self.write_log
        documents = log.dry_run_documents if snapshot.desired.dry_run else log.documents
        return SmokeObservation(
            snapshot=snapshot,
            heartbeats=log.heartbeats,
            quotes=documents["quotes"],
            heartbeat_document=heartbeat_path(spec.tenant, spec.heartbeat.document),
            quotes_collection=f"tenants/{spec.tenant}/{spec.firestore.live_quotes_collection}",
            next_quotes_at=self._market.next_quotes_at(snapshot.at),
            always_open_feed=stream.variables if stream is not None else "",
        )

    async def run(self, stop: asyncio.Event, port: int | None) -> None:
        """Run until `stop` is set, with the HTTP interface on `port`; without it if `port` is None.

        Raises:
            SettingsError: the runtime cannot start with these settings.
        """
        settings, runtime, exit_after = self._settings, self.state, self._settings.exits_after_seconds
        pod_switches = PodSwitches(runtime.switches, StoredSwitchesFile(settings.state_dir / SWITCHES_FILE_NAME))
        job = self._create_job()
        file = set_switches_at_start(settings, runtime.switches, pod_switches)
        control = create_pause_control(runtime, pod_switches, job, file)
        run_on_hangup(control.reload)
        if any(each.source == AUTO_STOP for each in runtime.switches.value):
            pod_switches.set_and_store(Switch(source=AUTO_STOP, pauses=False))  # a manual restart resets the auto-stop
        async with AsyncExitStack() as stack:
            if port is not None:
                routes = control_routes(control, self.view, refusal_unless_local)
                try:
                    listeners = [create_listener(settings.bind, port)]
                    await stack.enter_async_context(serve_http(self.view, listeners, routes))
                except OSError as error:
                    raise SettingsError(
                        f"the HTTP interface cannot be opened on port {port}: {error.strerror}"
                    ) from error
            stack.callback(self.write_log.log_pending)
            sink = await self._create_and_open_sink()
            stack.push_async_callback(sink.close)
            await self._raise_epoch_above_last(sink)
            clients = create_clients(settings, self._environment)
            tape = create_tape(settings)
            market = self._market
            parts = RuntimeParts(
                source=with_quote_log_and_tape(clients.source, settings, tape),
                sink=sink,
                destinations=create_destinations(settings, runtime.destination_healths),
                job=job,
                runtime=runtime,
                write_log=self.write_log,
                market=market,
                observer=self._observer,
                pod_switches=pod_switches,
                other_loops=[
                    *([file.run] if file else []),
                    *([partial(self._exit_when_paused, stop, exit_after)] if exit_after is not None else []),
                    *snapshot_recovery_loops(clients.snapshots, sink, runtime, market),
                    *gap_repair_loops(clients.history, tape, runtime),
                    create_calendar_loop(clients.trading_days, market, runtime),
                ],
            )
            backoff = Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds, random.uniform)
            await run_loops_and_shut_down(parts, stop, backoff)

    async def _exit_when_paused(self, stop: asyncio.Event, seconds: float) -> None:
        """Set `stop` once auto-stop has paused the job, or after `seconds` if another switch pauses it."""
        await wait_until_paused_for_good(stream_parts(self.state), seconds)
        _log.info("the time of %s is over and the job is paused; exiting", STOP_AFTER, extra=_STREAM)
        stop.set()

    async def _create_and_open_sink(self) -> ReloadingSink:
        """Create the sink and open it now, so that missing credentials are reported at the start.

        Raises:
            SettingsError: there are no usable credentials, and this is not a dry run.
        """
        state = self.state
        sink = create_firestore_sink(
            self._settings, state.desired, self.write_log, state.write_budget, state.instruments.measurements
        )
        try:
            await sink.open()
        except SinkError as error:
            raise SettingsError(error.message) from None
        return sink

    async def _raise_epoch_above_last(self, sink: Sink) -> None:
        """Raise this process's epoch above that of the previous start, even if the clock was ahead then."""
        who = self.state.process.identity
        try:
            stored = await sink.stored_heartbeat()
        except SinkError:
            return  # if the epoch is too low, the first heartbeat fences this process
        last = stored.epoch if stored is not None and stored.job_uid == who.job_uid else None
        if last is not None and last >= who.epoch:
            _log.warning("an earlier start of this job had epoch %d, which is ahead of this clock", last, extra=_STREAM)
            self.state.process.raise_epoch(last + 1)

    def _create_job(self) -> StandaloneJob:
        try:
            pauses = PauseFile(self._settings.state_dir)
            return StandaloneJob(self._read_job_or_refuse, pauses, self.state.switches, self._settings.job_file)
        except RequestRefusedError as error:  # the document has just been read, but can have changed since
            raise SettingsError(str(error)) from None

    def _read_job_or_refuse(self) -> IngestJob:
        try:
            return self._read()
        except SettingsError as error:
            raise RequestRefusedError(str(error)) from None
