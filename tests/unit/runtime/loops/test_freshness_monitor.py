"""Silence in a whole pod with fakes. The virtual clock starts in the trading hours of an ordinary Monday."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sluice_contract.status import StreamStatus
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.market import Halt
from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS, REGULAR_HOURS, MarketSchedule, market_hours
from sluice_runtime.domain.symbol_pace import OBSERVATION_SECONDS
from sluice_runtime.loop_wiring import create_freshness_observer
from sluice_runtime.loops.freshness_monitor import FreshnessObserver
from sluice_runtime.loops.market_clock import MarketClock
from sluice_runtime.runtime_view import CurrentRuntimeView
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, FakeSource, desired, identity, job, quote, runtime_state
from support.virtual_time import START, at, now, seconds

ALPACA: dict[str, Any] = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}


class World:
    """A pod with two liquid symbols on a feed of the New York exchanges."""

    def __init__(self) -> None:
        self.sink = FakeSink()
        self.source = FakeSource()
        self.job = FakeJob(job(1, **ALPACA))
        self.runtime = runtime_state(with_pause(desired(**ALPACA), UNREAD), who=identity(provider="alpaca"))
        self.market = MarketClock(self.runtime.desired)
        self.observer = create_freshness_observer(self.runtime, self.market.state_at)
        self.view = CurrentRuntimeView(self.runtime, self.observer)
        self.stop = asyncio.Event()
        self._pod: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the pod and wait until it is live."""
        parts = RuntimeParts(
            source=self.source,
            sink=self.sink,
            job=self.job,
            runtime=self.runtime,
            market=self.market,
            observer=self.observer,
        )
        self._pod = asyncio.create_task(
            run_loops_and_shut_down(parts, self.stop, Backoff(1.0, 60.0, lambda _, high: high))
        )
        await at(1)

    async def end(self) -> None:
        """Shut the pod down."""
        self.stop.set()
        assert self._pod is not None
        await self._pod

    async def chatter(self, until: float, *symbols: str) -> None:
        """Send a quote of each of `symbols` once a second until the time `until`."""
        while seconds() < until:
            self.source.connection.say(*(quote(symbol, bid=seconds()) for symbol in symbols))
            await asyncio.sleep(1)

    @property
    def status(self) -> StreamStatus:
        return self.job.reports[-1][1]

    def halt(self, symbol: str, *, halted: bool) -> None:
        self.runtime.stream.on_halts([Halt(symbol=symbol, ts=now(), halted=halted, code="H", reason="news")])

    def documents(self) -> dict[str, Any]:
        return {symbol: fields["status"] for symbol, fields in sorted(self.sink.quotes.items())}


@pytest.fixture
async def world() -> World:
    return World()


async def test_a_muted_symbol_s_document_says_stale_once_and_live_after_its_next_tick(world: World) -> None:
    await world.start()
    await world.chatter(1200, "AAPL", "MSFT")
    await world.chatter(1300, "MSFT")
    assert world.sink.marked == [("AAPL", "stale")]
    assert world.documents() == {"AAPL": "stale", "MSFT": "live"}
    assert world.status.freshness is not None
    assert (world.status.freshness.stale, world.status.freshness.live) == (1, 1)
    await world.chatter(1310, "AAPL", "MSFT")
    assert world.documents() == {"AAPL": "live", "MSFT": "live"}
    assert world.sink.marked == [("AAPL", "stale")]
    assert len(world.source.attempts) == 1
    await world.end()


async def test_a_halt_is_in_the_document_with_the_next_flush_and_so_is_its_end(world: World) -> None:
    await world.start()
    await world.chatter(10, "AAPL", "MSFT")
    world.halt("AAPL", halted=True)
    await at(seconds() + 0.3)
    assert world.documents() == {"AAPL": "halted", "MSFT": "live"}
    await world.chatter(100, "MSFT")
    assert world.status.freshness is not None
    assert world.status.freshness.halted == 1
    world.halt("AAPL", halted=False)
    await at(seconds() + 0.3)
    assert world.documents() == {"AAPL": "live", "MSFT": "live"}
    await world.end()


async def test_a_halt_whose_end_was_missed_ends_with_the_first_quote_after_the_connection(world: World) -> None:
    await world.start()
    await world.chatter(10, "AAPL", "MSFT")
    world.halt("AAPL", halted=True)
    world.halt("MSFT", halted=True)
    await world.chatter(20, "AAPL")
    assert world.documents() == {"AAPL": "halted", "MSFT": "halted"}
    world.source.connection.lose()
    await world.chatter(40)
    await world.chatter(60, "AAPL")
    assert world.documents() == {"AAPL": "live", "MSFT": "halted"}
    await world.end()


async def test_a_mute_connection_is_replaced_once(world: World) -> None:
    await world.start()
    await world.chatter(1200, "AAPL", "MSFT")
    await at(1290)
    assert len(world.source.attempts) == 2
    assert world.runtime.counters.errors == {"stall": 1}
    assert world.runtime.stream.state == "Live"
    await world.chatter(1300, "AAPL", "MSFT")
    await at(1310)
    assert world.documents() == {"AAPL": "live", "MSFT": "live"}
    await world.end()


async def observe(observer: FreshnessObserver, until: float) -> None:
    """Make one observation after the other until the time `until`."""
    while seconds() < until:
        await asyncio.sleep(OBSERVATION_SECONDS)
        observer.update_freshness()


async def test_a_mute_connection_is_replaced_at_growing_intervals_and_not_at_night() -> None:
    runtime = runtime_state()
    runtime.stream.on_state("Live")
    runtime.stream.on_acknowledgement(runtime.desired.value.symbols, ())
    observer = create_freshness_observer(runtime, market_hours(REGULAR_HOURS))
    closing = (START.replace(hour=21) - START).total_seconds()
    await at(closing - 7200)
    while seconds() < closing - 6000:
        runtime.stream.on_ticks([quote("AAPL")])
        await observe(observer, seconds() + OBSERVATION_SECONDS)
    await observe(observer, closing - 5900)
    assert runtime.silent_connections.count.value == 1
    await observe(observer, closing)
    assert 3 <= runtime.silent_connections.count.value <= 5
    before = runtime.silent_connections.count.value
    await observe(observer, closing + 3600)
    assert runtime.silent_connections.count.value == before
    counts = observer.renew_summary().counts
    assert (counts.closed, counts.unheard) == (1, 1)  # MSFT has never ticked


@pytest.mark.parametrize("schedule", [REGULAR_HOURS, REGULAR_AND_EXTENDED_HOURS])
async def test_a_halt_from_before_the_regular_session_is_over_when_it_opens(schedule: MarketSchedule) -> None:
    runtime = runtime_state(msgspec.structs.replace(desired(), market_schedule=schedule))
    observer = create_freshness_observer(runtime, market_hours(schedule))
    runtime.stream.on_halts([Halt(symbol="AAPL", ts=now(), halted=True, code="H", reason="news")])
    opening = timedelta(hours=23, minutes=30).total_seconds()
    await at(10)
    observer.update_freshness()
    await at(opening - 10)
    observer.update_freshness()
    assert runtime.market.quote_states.is_halted("AAPL")
    await at(opening + 10)
    observer.update_freshness()
    assert runtime.market.quote_states.symbols_not_live == set()


async def test_a_paused_job_counts_all_its_symbols_as_paused(world: World) -> None:
    await world.start()
    await world.chatter(10, "AAPL", "MSFT")
    world.job.declare(job(2, enabled=False, **ALPACA))
    await at(20)
    assert world.status.freshness is not None
    assert (world.status.freshness.paused, world.status.freshness.live) == (2, 0)
    await world.end()


async def test_a_confirmed_symbol_without_ticks_is_named_in_status_heartbeat_and_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.start()
    await world.chatter(60, "AAPL")
    assert (world.status.symbols.live, world.status.symbols.unheard_symbols) == ("1/2", [])
    await world.chatter(120, "AAPL")
    assert world.status.freshness is not None
    assert (world.status.freshness.unheard, world.status.freshness.live) == (1, 1)
    assert (world.status.symbols.live, world.status.symbols.unheard_symbols) == ("1/2", ["MSFT"])
    assert caplog.text.count("MSFT has never ticked") == 1
    assert world.view.freshness_by_symbol()["MSFT"].state == "UNHEARD"
    assert world.sink.heartbeat is not None
    assert world.sink.heartbeat["unheard"] == ["MSFT"]
    await world.end()


async def test_a_symbol_that_never_ticked_in_an_hour_is_reported_at_once(world: World) -> None:
    await world.start()
    await world.chatter(3590, "AAPL")
    assert world.status.symbols.never_ticked == 0
    await world.chatter(3620, "AAPL")
    assert (world.status.symbols.never_ticked, world.status.symbols.never_ticked_symbols) == (1, ["MSFT"])
    await world.chatter(3640, "AAPL", "MSFT")
    assert (world.status.symbols.never_ticked, world.status.symbols.live) == (0, "2/2")
    await world.end()


async def test_the_status_says_at_once_that_all_symbols_have_ticked(world: World) -> None:
    await world.start()
    await world.chatter(3, "AAPL")
    assert world.status.symbols.live == "1/2"
    await world.chatter(12, "AAPL", "MSFT")
    assert world.status.symbols.live == "2/2"
    await world.end()
