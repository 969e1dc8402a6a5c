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
    create_calendar_client,
    create_history_client,
    create_journal,
    create_sink,
    create_snapshot_client,
    create_source,
    create_tape,
    create_write_log,
)
from .loops.auto_stop import wait_until_paused_for_good
from .loops.journal import Journal
from .loops.market_clock import MarketClock
from .loops.pause_control import PauseControl, PodSwitches
from .ports import RequestRefusedError, Sink
from .settings import Settings, SettingsError
from .standalone_settings import KEY_ID, SECRET_KEY, STOP_AFTER, first_set_variable, missing_key_problem

if TYPE_CHECKING:
    from .adapters.alpaca.credentials import CredentialsReader
    from .adapters.firestore.reloading_sink import ReloadingSink

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

_CREDENTIALS = (
    "name the file of a service account key in GOOGLE_APPLICATION_CREDENTIALS or an emulator in "
    "FIRESTORE_EMULATOR_HOST, or try a dry run, which needs neither (DRY_RUN=true, spec.dryRun)"
)


class StandaloneRuntime:
    """A runtime without a cluster."""

    def __init__(self, settings: Settings, read: Callable[[], IngestJob], environment: Mapping[str, str]) -> None:
        """`read` reads and validates the job document; it raises SettingsError."""
        self._settings = settings
        self._environment = environment
        self._read = read
        self.journal: Journal = create_journal(settings)
        self.write_log = create_write_log(settings)
        self._market = MarketClock(self.journal.desired)

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
        spec, snapshot, log = self._settings.job.spec, self.journal.snapshot(), self.write_log
        documents = log.dry_run_documents if snapshot.desired.dry_run else log.documents
        return SmokeObservation(
            snapshot=snapshot,
            heartbeats=log.heartbeats,
            quotes=documents["quotes"],
            heartbeat_document=heartbeat_path(spec.tenant, spec.heartbeat.document),
            quotes_collection=f"tenants/{spec.tenant}/{spec.firestore.live_quotes_collection}",
            next_quotes_at=self._market.next_quotes_at(snapshot.at),
        )

    async def run(self, stop: asyncio.Event, port: int | None) -> None:
        """Run until `stop` is set, with the HTTP interface on `port`; without it if `port` is None.

        Raises:
            SettingsError: the runtime cannot start with these settings.
        """
        settings, journal, exit_after = self._settings, self.journal, self._settings.exits_after_seconds
        pod_switches = PodSwitches(journal, StoredSwitchesFile(settings.state_dir / SWITCHES_FILE_NAME))
        job = self._create_job()
        file = set_switches_at_start(settings, journal, pod_switches)
        control = PauseControl(pod_switches, journal, job, file)
        run_on_hangup(control.reload)
        if any(each.source == AUTO_STOP for each in journal.switches.value):
            pod_switches.set_and_store(Switch(source=AUTO_STOP, pauses=False))  # a manual restart resets the auto-stop
        async with AsyncExitStack() as stack:
            if port is not None:
                routes = control_routes(control, journal, refusal_unless_local)
                try:
                    await stack.enter_async_context(serve_http(journal, settings.bind, port, routes))
                except OSError as error:
                    raise SettingsError(
                        f"the HTTP interface cannot be opened on port {port}: {error.strerror}"
                    ) from error
            stack.callback(self.write_log.log_pending)
            sink = await self._create_and_open_sink()
            stack.push_async_callback(sink.close)
            await self._raise_epoch_above_last(sink)
            credentials_reader = self._environment_credentials_reader()
            tape, history = create_tape(settings), create_history_client(settings, credentials_reader)
            market = self._market
            parts = RuntimeParts(
                source=create_source(settings, credentials_reader, tape),
                sink=sink,
                job=job,
                journal=journal,
                write_log=self.write_log,
                market=market,
                pod_switches=pod_switches,
                other_loops=[
                    *([file.run] if file else []),
                    *([partial(self._exit_when_paused, stop, exit_after)] if exit_after is not None else []),
                    *snapshot_recovery_loops(
                        create_snapshot_client(settings, credentials_reader), sink, journal, market
                    ),
                    *gap_repair_loops(history, tape, journal),
                    create_calendar_loop(create_calendar_client(settings, credentials_reader), market, journal),
                ],
            )
            backoff = Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds, random.uniform)
            await run_loops_and_shut_down(parts, stop, backoff)

    async def _exit_when_paused(self, stop: asyncio.Event, seconds: float) -> None:
        """Set `stop` once auto-stop has paused the job, or after `seconds` if another switch pauses it."""
        await wait_until_paused_for_good(self.journal, seconds)
        _log.info("the time of %s is over and the job is paused; exiting", STOP_AFTER, extra=_STREAM)
        stop.set()

    async def _create_and_open_sink(self) -> ReloadingSink:
        """Create the sink and open it now, so that missing credentials are reported at the start.

        Raises:
            SettingsError: there are no usable credentials, and this is not a dry run.
        """
        sink = create_sink(self._settings, self.journal.desired, _CREDENTIALS, self.write_log)
        try:
            await sink.open()
        except SinkError as error:
            raise SettingsError(error.message) from None
        return sink

    async def _raise_epoch_above_last(self, sink: Sink) -> None:
        """Raise this process's epoch above that of the previous start, even if the clock was ahead then."""
        who = self.journal.identity
        try:
            last = await sink.last_heartbeat_epoch(who.job_uid)
        except SinkError:
            return  # if the epoch is too low, the first heartbeat fences this process
        if last is not None and last >= who.epoch:
            _log.warning("an earlier start of this job had epoch %d, which is ahead of this clock", last, extra=_STREAM)
            self.journal.identity = msgspec.structs.replace(who, epoch=last + 1)

    def _create_job(self) -> StandaloneJob:
        try:
            pauses = PauseFile(self._settings.state_dir)
            return StandaloneJob(self._read_job_or_refuse, pauses, self.journal, self._settings.job_file)
        except RequestRefusedError as error:  # the document has just been read, but can have changed since
            raise SettingsError(str(error)) from None

    def _environment_credentials_reader(self) -> CredentialsReader | None:
        """Return a reader of Alpaca's key pair in the environment; None if the job needs no key pair."""
        login = self._settings.job.spec.alpaca_and_secret_name
        if login is None:
            return None
        alpaca, _ = login
        from .adapters.alpaca.credentials import Credentials  # noqa: PLC0415
        from .adapters.alpaca.environment import EnvironmentCredentialsReader  # noqa: PLC0415

        key_id, secret_key = (
            first_set_variable(self._environment, KEY_ID),
            first_set_variable(self._environment, SECRET_KEY),
        )
        if key_id is None or secret_key is None:
            raise SettingsError(
                f"{missing_key_problem(self._environment)}; set both: a standalone runtime reads its key pair from "
                f"these variables"
            )
        return EnvironmentCredentialsReader(alpaca, Credentials(key_id, secret_key))

    def _read_job_or_refuse(self) -> IngestJob:
        try:
            return self._read()
        except SettingsError as error:
            raise RequestRefusedError(str(error)) from None
