"""Fakes of the runtime's ports, and the initial values of its loops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sluice_contract.resource import IngestJob, decode_ingest_job
from sluice_contract.spec import Channel, IngestJobSpec
from sluice_contract.status import StreamState, StreamStatus
from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.shielding import finish_despite_cancellation
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.declared_job import DeclaredJob, to_declared_job
from sluice_runtime.domain.desired import Desired, desired_state
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.health import RuntimeIdentity
from sluice_runtime.domain.market import Bar, Quote, Tick
from sluice_runtime.domain.market_hours import (
    UNKNOWN_HOURS,
    MarketSchedule,
    market_hours,
    regular_and_extended_hours_of_job,
)
from sluice_runtime.domain.pause import Switch
from sluice_runtime.domain.pause_objects import OutsideSwitches
from sluice_runtime.loop_wiring import create_freshness_observer
from sluice_runtime.ports import QUOTES, Listener, ReportError
from sluice_runtime.providers.registry import load_provider
from sluice_runtime.runtime_view import CurrentRuntimeView
from sluice_runtime.state.runtime_state import RuntimeState
from support.virtual_time import START, now, seconds

JOB_UID = "0b0b"


def job(generation: int = 1, *, uid: str = JOB_UID, **spec: Any) -> DeclaredJob:
    """Return a job that the pod understands completely. Fields are named as in the document: `pausedSymbols`."""
    return to_declared_job(stored_job(generation, uid=uid, **spec))


def job_spec(**spec: Any) -> IngestJobSpec:
    """Return the spec of a job with these fields."""
    found = job(**spec).spec
    assert found is not None
    return found


def stored_job(generation: int = 1, *, uid: str = JOB_UID, **spec: Any) -> IngestJob:
    """Return an IngestJob as the API server would serve it. Fields are named as in the document: `pausedSymbols`."""
    document = {
        "metadata": {"name": "us", "namespace": "acme", "uid": uid, "generation": generation},
        "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL", "MSFT"], **spec},
    }
    return decode_ingest_job(document)


def desired(at: datetime = START, **spec: Any) -> Desired:
    """Return the desired state of a job with these spec fields at the time `at`."""
    return desired_state_of(job(**spec), at)


def desired_state_of(declared: DeclaredJob, at: datetime, others: Sequence[Switch] = ()) -> Desired:
    """Return the desired state of a declared job at the time `at`."""
    assert declared.spec is not None
    market_hours = load_provider(declared.spec.provider).market_hours or regular_and_extended_hours_of_job
    return desired_state(declared, declared.spec, at, OutsideSwitches(of_pod=tuple(others)), market_hours)


def identity(**changes: Any) -> RuntimeIdentity:
    """Return the identity of a process of the job."""
    fields: dict[str, Any] = {
        "namespace": "acme",
        "name": "us",
        "job_uid": JOB_UID,
        "pod_uid": "b0d",
        "tenant": "acme",
        "provider": "synthetic",
        "epoch": 7,
        "session_id": "5e55",
        "started_at": START,
    }
    return RuntimeIdentity(**(fields | changes))


def runtime_state(
    wanted: Desired | None = None, clock: Callable[[], datetime] = now, who: RuntimeIdentity | None = None
) -> RuntimeState:
    """Return the state of a process `who` with this clock, by default that of the running loop.

    It waits for no heartbeat before it connects.
    """
    found = RuntimeState(who or identity(), LatestValue(wanted or desired()), Coalescer(), clock)
    found.ownership.record_heartbeat_failed()
    return found


def runtime_view(runtime: RuntimeState, schedule: MarketSchedule | None = None) -> CurrentRuntimeView:
    """Return what shows the state. The freshness of symbols is checked if their market has a schedule."""
    observer = create_freshness_observer(runtime, market_hours(schedule or UNKNOWN_HOURS))
    if schedule is not None:
        observer.renew_summary()
    return CurrentRuntimeView(runtime, observer)


def quote(symbol: str = "AAPL", ts: datetime | None = None, bid: float | None = 100.0) -> Quote:
    """Return a quote, stamped now unless `ts` is given."""
    return Quote(symbol=symbol, ts=ts or now(), bid=bid, ask=101.0, bid_size=1.0, ask_size=2.0)


def bar(symbol: str = "AAPL", close: float = 1.0) -> Bar:
    """Return the bar of the minute that begins now."""
    return Bar(symbol=symbol, ts=now(), open=1.0, high=2.0, low=0.5, close=close, volume=300.0)


class FakeConnection:
    """A Connection that confirms all symbols except `refused`; `finish` and `lose` end it."""

    def __init__(self, source: FakeSource, listener: Listener) -> None:
        self.followed: list[frozenset[str]] = []
        self.channels: frozenset[Channel] = frozenset()
        self.arrived: list[Tick] = []  # not yet read
        self._source = source
        self._listener = listener
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def set_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        await self._source.phase("Acknowledging")
        self.followed.append(symbols)
        self.channels = channels
        refused = [SymbolRejection(symbol=each, code=400, message="no") for each in symbols & self._source.refused]
        self._listener.on_acknowledgement(symbols - self._source.refused, refused)

    async def run(self) -> None:
        await self._end

    async def deliver_arrived_data(self) -> None:
        await asyncio.sleep(0)
        arrived, self.arrived = self.arrived, []
        if arrived:
            self._listener.on_ticks(arrived)

    def start_closing(self) -> None:
        if self not in self._source.closing:
            self._source.closing.append(self)

    def say(self, *ticks: Tick) -> None:
        """Deliver one frame of ticks to the listener."""
        self._listener.on_ticks(ticks)

    def finish(self) -> None:
        """End the stream without an error."""
        self._end.set_result(None)

    def lose(self, error: StreamError | None = None) -> None:
        """End the stream with an error."""
        self._end.set_exception(error or StreamError("upstreamClosed", "the stream was closed"))


class FakeSource:
    """A Source. `phase_seconds` are the durations of its phases; `failures` are raised by the next connections.

    `steps` are the states between the opening of the socket and the acknowledgement, which some providers do not have.
    """

    name = "fake:iex"

    def __init__(self) -> None:
        self.phase_seconds: dict[str, float] = {}
        self.steps: frozenset[StreamState] = frozenset({"Authenticating", "Subscribing"})
        self.failures: deque[tuple[str, StreamError]] = deque()
        self.refused: frozenset[str] = frozenset()
        self.connections: list[FakeConnection] = []
        self.attempts: list[float] = []
        self.closings: list[float] = []  # when they ended
        self.closing: list[FakeConnection] = []  # those whose close has begun, in this order
        self.open = 0
        self.most_open = 0
        self.closing_seconds = 0.0
        self.remedy = asyncio.Event()
        self.renewal = asyncio.Event()

    @property
    def connection(self) -> FakeConnection:
        """The newest connection."""
        return self.connections[-1]

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[FakeConnection]:
        self.attempts.append(seconds())
        listener.on_state("Connecting")
        await self.phase("Connecting")
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            if "Authenticating" in self.steps:
                listener.on_state("Authenticating")
                await self.phase("Authenticating")
            if "Subscribing" in self.steps:
                listener.on_state("Subscribing")
            self.connections.append(FakeConnection(self, listener))
            try:
                yield self.connection
            finally:
                self.connection.start_closing()
        finally:
            try:
                await finish_despite_cancellation(asyncio.sleep(self.closing_seconds))
            finally:
                self.open -= 1
                self.closings.append(seconds())
                listener.on_socket_closed()

    async def wait_for_fix(self) -> None:
        await self.remedy.wait()
        self.remedy.clear()

    async def wait_for_rotation(self) -> None:
        await self.renewal.wait()
        self.renewal.clear()

    async def phase(self, name: str) -> None:
        """Take the time of one phase, and raise the next failure if it belongs to this phase."""
        await asyncio.sleep(self.phase_seconds.get(name, 0.0))
        if self.failures and self.failures[0][0] == name:
            raise self.failures.popleft()[1]


class FakeJob:
    """A JobPort: the API server from the view of one job's pod. `declare` changes the job; None deletes it."""

    def __init__(self, *jobs: DeclaredJob | None) -> None:
        self.reports: list[tuple[float, StreamStatus]] = []
        self.failure: ReportError | None = None
        self._jobs: asyncio.Queue[DeclaredJob | None] = asyncio.Queue()
        for each in jobs:
            self.declare(each)

    @property
    def states(self) -> list[str]:
        """The reported states, without repetitions."""
        states = [status.state for _, status in self.reports]
        return [state for n, state in enumerate(states) if n == 0 or state != states[n - 1]]

    def declare(self, changed: DeclaredJob | None) -> None:
        """Change the job; the watch reports it next. None deletes it."""
        self._jobs.put_nowait(changed)

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        while True:
            changed = await self._jobs.get()
            yield changed
            if changed is None:
                return

    async def report_status(self, status: StreamStatus) -> None:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        self.reports.append((seconds(), status))
