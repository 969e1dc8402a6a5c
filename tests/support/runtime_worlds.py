"""One loop of the runtime together with the fakes that it uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sluice_contract.documents import QuoteState
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.desired import Desired, with_pause
from sluice_runtime.domain.market import DocumentOrigin
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.loop_wiring import create_flusher, supervisor_parts
from sluice_runtime.loops.document_store import DocumentStore
from sluice_runtime.loops.spec_watcher import PauseInputs, update_desired_forever, watch_job_until_deleted
from sluice_runtime.loops.supervisor import Supervisor
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.ports import JobPort, Sink
from sluice_runtime.state.runtime_state import RuntimeState
from support.fake_sink import JOB, FakeSink
from support.runtime_fakes import FakeConnection, FakeSource, desired, quote, runtime_state

PAUSE = PauseInForce(source="spec.enabled")
PHASES = {"Connecting": 1.0, "Authenticating": 1.0, "Subscribing": 0.0, "Acknowledging": 1.0}


def store(runtime: RuntimeState, sink: Sink, origin: DocumentOrigin) -> DocumentStore:
    """Return the store of documents with this origin."""
    return DocumentStore(
        sink=sink,
        origin=origin,
        ownership=runtime.ownership,
        health=runtime.sink_health,
        write_budget=runtime.write_budget,
    )


async def watch_job(port: JobPort, live: LatestValue[DeclaredJob | None], runtime: RuntimeState) -> None:
    """Watch the job, as the pod does."""
    await watch_job_until_deleted(port, live, runtime.desired, runtime.stream, runtime.process.identity.session_id)


async def update_desired(live: LatestValue[DeclaredJob | None], runtime: RuntimeState) -> None:
    """Update the desired state, as the pod does."""
    inputs = PauseInputs(live, runtime.switches, runtime.pauses)
    await update_desired_forever(inputs, runtime.updater, runtime.instruments)


class SupervisedWorld:
    """A running supervisor, with a fake source and a fake sink."""

    def __init__(self, runtime: RuntimeState) -> None:
        self.runtime = runtime
        self.source = FakeSource()
        self.sink = FakeSink()
        origin = DocumentOrigin(source="fake", job=JOB, session_id="s", epoch=1)
        backoff = Backoff(0.5, 30.0, lambda _, high: high)
        self.flusher = create_flusher(runtime, store(runtime, self.sink, origin), backoff, WriteLog())
        backoff = Backoff(1.0, 60.0, lambda _, high: high)
        self.supervisor = Supervisor(self.source, self.flusher, supervisor_parts(runtime), backoff)

    def pause(self) -> None:
        """Pause the job."""
        self.runtime.desired.set(with_pause(self.runtime.desired.value, PAUSE))

    def resume(self) -> None:
        """Clear the pause of the job."""
        self.runtime.desired.set(desired())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the supervisor; at the end, check that no socket is open and that there were never two at once."""
        task = asyncio.create_task(self.supervisor.stream_unless_paused_forever())
        try:
            yield
        finally:
            await cancel_and_wait(task)
            assert self.source.open == 0
            assert self.source.most_open <= 1


class FlushingWorld:
    """A flusher with a fake sink."""

    def __init__(self, wanted: Desired | None = None, write_log: WriteLog | None = None) -> None:
        self.runtime: RuntimeState = runtime_state(wanted)
        self.sink = FakeSink()
        origin = DocumentOrigin(source="fake:iex", job=JOB, session_id="s", epoch=7)
        backoff = Backoff(0.5, 30.0, lambda _, high: high)
        writes_to = store(self.runtime, self.sink, origin)
        self.flusher = create_flusher(self.runtime, writes_to, backoff, write_log or WriteLog())

    def want(self, wanted: Desired) -> None:
        """Set the desired state, as the spec watcher does."""
        self.runtime.updater.apply_desired(wanted)

    def set_quote_states(self, states: dict[str, QuoteState]) -> None:
        """Set the states of the quotes, as the freshness monitor does: those of the symbols that are not live."""
        self.runtime.market.coalescer.take_ticked_symbols()
        self.runtime.market.quote_states.replace_states(states)

    def say(self, *symbols: str, bid: float = 1.0) -> None:
        """Receive one frame of quotes, stamped now."""
        self.runtime.stream.on_ticks([quote(symbol, bid=bid) for symbol in symbols])

    def connect(self) -> FakeConnection:
        """Open a connection, and return it."""
        connection = FakeConnection(FakeSource(), self.runtime.stream)
        self.runtime.connection.set(connection)
        return connection

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the flusher; at the end, check that there were never two writes at once."""
        task = asyncio.create_task(self.flusher.run())
        try:
            yield
        finally:
            await cancel_and_wait(task)
            assert self.sink.most_in_flight <= 1
