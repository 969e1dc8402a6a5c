"""What the status says at once, in a whole pod with fakes. Otherwise it is reported every 30 s."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sluice_contract.documents import QuoteState
from sluice_contract.status import StreamStatus
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, FakeSource, desired, identity, job, quote, runtime_state
from support.virtual_time import at, seconds

ALPACA: dict[str, Any] = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}
AT_ONCE = 0.1


class TimedSink(FakeSink):
    """A sink that keeps when it got the status of each document first."""

    def __init__(self) -> None:
        super().__init__()
        self.marked_at: dict[tuple[str, QuoteState], float] = {}

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        symbols = list(symbols)
        for symbol in symbols:
            self.marked_at.setdefault((symbol, status), seconds())
        return await super().set_status_of_existing_quotes(symbols, status)


class World:
    """A live pod with two symbols."""

    def __init__(self) -> None:
        self.sink, self.source = TimedSink(), FakeSource()
        self.job = FakeJob(job(1, **ALPACA))
        self.runtime = runtime_state(with_pause(desired(**ALPACA), UNREAD), who=identity(provider="alpaca"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the pod; it is live from the second second on."""
        stop = asyncio.Event()
        parts = RuntimeParts(source=self.source, sink=self.sink, job=self.job, runtime=self.runtime)
        pod = asyncio.create_task(run_loops_and_shut_down(parts, stop, Backoff(1.0, 60.0, lambda _, high: high)))
        await at(1)
        try:
            yield
        finally:
            self.sink.hangs = False
            stop.set()
            await pod

    async def tick_until(self, end: float, *symbols: str) -> None:
        """Send a quote of each of `symbols` once a second until the time `end`."""
        while seconds() < end:
            self.source.connection.say(*(quote(symbol, bid=seconds()) for symbol in symbols))
            await asyncio.sleep(1)

    def first_report(self, says: Callable[[StreamStatus], object]) -> float:
        """Return when the first status was reported that says this."""
        return next(moment for moment, status in self.job.reports if says(status))


@pytest.fixture
async def world() -> World:
    return World()


async def test_the_first_quote_is_reported_at_once_even_while_no_write_succeeds(world: World) -> None:
    async with world.running():
        world.sink.hangs = True
        await at(10)
        world.source.connection.say(quote("AAPL"))
        await at(100)
        found = world.first_report(lambda status: status.heartbeat.last_symbol)
    assert found == pytest.approx(10, abs=AT_ONCE)


async def test_the_first_write_is_reported_at_once(world: World) -> None:
    async with world.running():
        world.sink.seconds = 2.0
        await at(10)
        world.source.connection.say(quote("AAPL"))
        await at(100)
        found = world.first_report(lambda status: status.sink.last_write_at)
    assert found == pytest.approx(12, abs=AT_ONCE)


async def test_a_stale_symbol_is_reported_at_once(world: World) -> None:
    async with world.running():
        await world.tick_until(200, "AAPL", "MSFT")
        await world.tick_until(300, "MSFT")
        # The document changes with the next flush, at most 0.25 s after the check that found the symbol stale.
        stale_at = world.sink.marked_at["AAPL", "stale"]
        found = world.first_report(lambda status: status.freshness and status.freshness.stale)
    assert stale_at - 0.3 <= found <= stale_at
