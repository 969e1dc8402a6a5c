"""Runs a whole standalone runtime through a scenario, against the Alpaca simulator and the Firestore emulator."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from sluice_runtime import factories
from sluice_runtime.standalone import StandaloneRuntime
from sluice_runtime.standalone_settings import standalone_settings, validated_job
from sluice_runtime.state.runtime_state import RuntimeState
from sluice_simulators.alpaca import Account, AlpacaServer
from support.firestore import VARIABLE, firestore_emulator
from support.pausable_relay import PausableRelay, pausable_relay
from week.exchange import NEW_YORK, session_at
from week.market import NEVER_QUOTED, SECONDS_BETWEEN_QUOTES, SimulatedMarket
from week.observer import Observer
from week.reports import ExpectedReport, Report, ReportPeriod, missing_and_unexpected
from week.scaled_time import ScaledTimeLoop, VirtualClock, running_loop
from week.scenarios import Scenario
from week.world import World

_TENANT = "week"
_PROJECT = "demo-sluice-week"
_KEYS = {"ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": "secret"}
_OPEN_STEP, _CLOSED_STEP = timedelta(seconds=15), timedelta(minutes=10)
_STEP_REAL_SECONDS = 0.02
_MOST_WAITS = 25
_WARM_UP_WRITES = 200
# The runtime gives a heartbeat 2.5 s. In fast time, a busy computer makes Firestore look slower than that.
_SLOW_SECOND = timedelta(seconds=2)
_SLOW_HEARTBEAT_SHOWN_SECONDS = 20  # until the next heartbeat succeeds


def job_document(server: AlpacaServer) -> dict[str, Any]:
    """Return the IngestJob that the runtime runs."""
    spec = {
        "tenant": _TENANT,
        "provider": "alpaca",
        "symbols": [*SECONDS_BETWEEN_QUOTES, NEVER_QUOTED],
        "channels": ["quotes", "trades"],
        "alpaca": {
            "streamURL": server.url(),
            "dataURL": server.http_url,
            "tradingURL": server.http_url,
            "credentialsSecretRef": {"name": "alpaca"},
        },
        "firestore": {"projectID": _PROJECT},
    }
    metadata = {"name": "week", "namespace": _TENANT}
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestJob", "metadata": metadata, "spec": spec}


class ScenarioRun:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, world: World, runtime: RuntimeState, observer: Observer) -> None:
        """`runtime` is the state of the runtime."""
        self._runtime = runtime
        self._scenario = scenario
        self._world = world
        self._observer = observer
        self._slow_seconds: list[ExpectedReport] = []

    async def play(self) -> None:
        """Play all windows and the time between them."""
        for window in self._scenario.windows:
            await self._skip_until(window.begins)
            await self._play_until(window.ends)
        self._observer.log.close()

    def problems(self) -> list[str]:
        """Return a sentence for each report that is missing or that nothing explains, and for wrong market phases."""
        periods: list[ReportPeriod] = [*self._observer.log.periods, *self._observer.gap_periods()]
        expected = [report for fault in self._scenario.faults for report in fault.reports] + self._slow_seconds
        missing, unexpected = missing_and_unexpected(expected, periods)
        phases = tuple(phase for _, phase in self._observer.phases)
        wanted = self._scenario.phases
        return [
            *(f"missing: {each}" for each in missing),
            *(f"unexpected: {each}" for each in unexpected),
            *([f"the phases of the market are {phases}, not {wanted}"] if phases != wanted else []),
        ]

    async def _play_until(self, end: datetime) -> None:
        """Trade and observe each second; begin and end faults when they are due."""
        clock, last = self._world.clock, self._world.clock.provider_now()
        events = self._fault_events()
        while (now := clock.provider_now()) < end:
            for moment, action in events:
                if last < moment <= now:
                    await action(self._world)
            await self._trade((now - last).total_seconds(), now)
            last = now
            await self._observer.observe(now)
            await clock.sleep_until(now + timedelta(seconds=1))
            if (end_of_second := clock.provider_now()) - now > _SLOW_SECOND:
                self._slow_seconds.append(slow_firestore(now, end_of_second))

    async def _skip_until(self, moment: datetime) -> None:
        clock = self._world.clock
        while (now := clock.provider_now()) < moment:
            step = min(_OPEN_STEP if self._is_trading(now) else _CLOSED_STEP, moment - now).total_seconds()
            before = self._runtime.stream.batches
            await clock.skip(step, _STEP_REAL_SECONDS)
            if await self._trade(step, clock.provider_now()):
                await self._wait_for_batch_after(before)

    async def _wait_for_batch_after(self, before: int) -> None:
        """Wait until the runtime has received what was sent: in fast time, a busy computer makes it look silent."""
        for _ in range(_MOST_WAITS):
            if self._runtime.stream.batches > before:
                return
            await running_loop().wait_real_seconds(_STEP_REAL_SECONDS)

    async def _trade(self, seconds: float, now: datetime) -> int:
        """Send what is due after `seconds` of trading, and return the number of messages."""
        if not self._is_trading(now):
            return 0
        return await self._world.market.send_due(seconds, is_regular=self._phase(now) == "regular")

    def _is_trading(self, now: datetime) -> bool:
        return self._phase(now) != "closed"

    def _phase(self, now: datetime) -> str:
        return session_at(now.astimezone(NEW_YORK))

    def _fault_events(self) -> list[tuple[datetime, Any]]:
        events = [(fault.begins, fault.begin) for fault in self._scenario.faults]
        events += [(fault.ends, fault.end) for fault in self._scenario.faults]
        return sorted(events, key=lambda event: event[0])


def slow_firestore(begins: datetime, ends: datetime) -> ExpectedReport:
    """Return what may be reported of a second that took from `begins` to `ends`: a heartbeat that failed."""
    within = ends - begins + timedelta(seconds=_SLOW_HEARTBEAT_SHOWN_SECONDS)
    earlier = begins - timedelta(seconds=_SLOW_HEARTBEAT_SHOWN_SECONDS)
    return ExpectedReport(Report("sink failure"), earlier, ends, 2 * within, within, is_required=False)


def play_scenario(scenario: Scenario, speed: float, folder: Path) -> list[str]:
    """Play a scenario `speed` times as fast as real time, and return its problems as sentences.

    `folder` is for the state of the runtime and the log of the emulator.
    """
    with (
        firestore_emulator(folder) as emulator,
        pausable_relay(emulator) as relay,
        pytest.MonkeyPatch.context() as patch,  # ends before the emulator removes its own variable
        asyncio.Runner(loop_factory=lambda: ScaledTimeLoop(speed)) as runner,
    ):
        return runner.run(_play(scenario, relay, folder, patch))


async def _play(scenario: Scenario, relay: PausableRelay, folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    clock = VirtualClock(running_loop(), scenario.windows[0].begins)
    database = firestore.AsyncClient(project=_PROJECT)  # the observer reads past the relay
    patch.setenv(VARIABLE, relay.address)
    patch.setattr(factories, "utc_now", clock.runtime_now)
    await warm_up(database)
    async with AlpacaServer([Account("key", "secret")]) as server:
        server.rest.clock = clock.provider_now
        world = World(server, SimulatedMarket(server, clock), clock, relay)
        async with _running_runtime(world, folder) as runtime:
            state = runtime.state
            observer = Observer(runtime, database, _TENANT, world.market)
            while state.stream.state != "Live":
                await state.transitions.wait_for_change(state.transitions.version)
            run = ScenarioRun(scenario, world, state, observer)
            await run.play()
            return run.problems()


async def warm_up(database: firestore.AsyncClient) -> None:
    """Write as the runtime does: the emulator takes long for its first requests, and even longer in fast time."""
    document = database.document("warm/up")
    await document.set({"number": 0})
    for number in range(_WARM_UP_WRITES):
        option = database.write_option(last_update_time=(await document.get()).update_time)
        await document.update({"number": number}, option=option)


@asynccontextmanager
async def _running_runtime(world: World, folder: Path) -> AsyncIterator[StandaloneRuntime]:
    """Run a standalone runtime with the clock of its node."""
    job = validated_job(job_document(world.server))
    environment = {**_KEYS, "SLUICE_STATE_DIR": str(folder)}
    epoch = int(world.clock.provider_now().timestamp() * 1000)
    runtime = StandaloneRuntime(standalone_settings(job, environment, epoch, uuid.uuid4()), lambda: job, environment)
    stop = asyncio.Event()
    running = asyncio.create_task(runtime.run(stop, None))
    try:
        yield runtime
    finally:
        stop.set()
        await running
