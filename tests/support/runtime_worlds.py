"""One loop of the runtime together with the fakes that it uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sluice_contract.documents import QuoteState
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import Desired, with_pause
from sluice_runtime.domain.market import DocumentOrigin
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.loops.flusher import Flusher
from sluice_runtime.loops.journal import Journal
from sluice_runtime.loops.supervisor import Supervisor
from sluice_runtime.loops.waiting import cancel_and_wait
from sluice_runtime.loops.write_log import WriteLog
from support.fake_sink import JOB, FakeSink
from support.runtime_fakes import FakeSource, desired, journal, quote

PAUSE = PauseInForce(source="cr:acme/us")
PHASES = {"Connecting": 1.0, "Authenticating": 1.0, "Subscribing": 0.0, "Acknowledging": 1.0}


class SupervisedWorld:
    """A running supervisor, with a fake source and a fake sink."""

    def __init__(self, book: Journal) -> None:
        self.journal = book
        self.source = FakeSource()
        self.sink = FakeSink()
        origin = DocumentOrigin(source="fake", job=JOB, session_id="s", epoch=1)
        self.flusher = Flusher(self.sink, book, origin, Backoff(0.5, 30.0, lambda _, high: high), WriteLog())
        backoff = Backoff(1.0, 60.0, lambda _, high: high)
        self.supervisor = Supervisor(self.source, self.flusher, book, backoff)

    def pause(self) -> None:
        """Pause the job."""
        self.journal.desired.set(with_pause(self.journal.desired.value, PAUSE))

    def resume(self) -> None:
        """Clear the pause of the job."""
        self.journal.desired.set(desired())

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
        self.journal: Journal = journal(wanted)
        self.sink = FakeSink()
        origin = DocumentOrigin(source="fake:iex", job=JOB, session_id="s", epoch=7)
        backoff = Backoff(0.5, 30.0, lambda _, high: high)
        self.flusher = Flusher(self.sink, self.journal, origin, backoff, write_log or WriteLog())

    def want(self, wanted: Desired) -> None:
        """Set the desired state, as the spec watcher does."""
        self.journal.set_desired(wanted)

    def set_quote_states(self, states: dict[str, QuoteState]) -> None:
        """Set the states of the quotes, as the freshness monitor does: those of the symbols that are not live."""
        self.journal.coalescer.take_ticked_symbols()
        self.journal.quote_states = states

    def say(self, *symbols: str, bid: float = 1.0) -> None:
        """Receive one frame of quotes, stamped now."""
        self.journal.on_ticks([quote(symbol, bid=bid) for symbol in symbols])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the flusher; at the end, check that there were never two writes at once."""
        task = asyncio.create_task(self.flusher.run())
        try:
            yield
        finally:
            await cancel_and_wait(task)
            assert self.sink.most_in_flight <= 1
