"""The clock starts in the regular session of an ordinary Monday; the next session begins at 21:00 UTC, in 6 hours."""

from datetime import time, timedelta

import msgspec
import pytest

from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS, MarketSchedule
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from sluice_runtime.loop_wiring import create_silence_monitor
from sluice_runtime.loops.market_clock import MarketClock
from support.runtime_fakes import desired, quote, runtime_state
from support.virtual_time import START, at, now, seconds


class World:
    """A live stream of AAPL and MSFT whose snapshots are available."""

    def __init__(self, schedule: MarketSchedule = REGULAR_AND_EXTENDED_HOURS) -> None:
        self.runtime = runtime_state(msgspec.structs.replace(desired(), market_schedule=schedule))
        self.runtime.stream.on_state("Live")
        self.runtime.stream.on_acknowledgement(frozenset({"AAPL", "MSFT"}), ())
        self.runtime.silent_connections.set_verified_by_snapshots(is_verified=True)
        self.market = MarketClock(self.runtime.desired)
        self._monitor = create_silence_monitor(self.runtime, self.market)

    async def check_until(self, end: float) -> None:
        while seconds() < end:
            self._monitor.check_newest_quotes()
            await at(seconds() + 15)

    @property
    def is_presumed_closed(self) -> bool:
        return self.market.state_at(now()).is_presumed_closed


@pytest.fixture
async def world() -> World:
    return World()


async def test_after_ten_silent_minutes_the_market_is_presumed_closed(world: World) -> None:
    world.runtime.stream.on_ticks([quote("AAPL"), quote("MSFT")])
    await world.check_until(600)
    assert not world.is_presumed_closed
    await world.check_until(660)
    assert world.is_presumed_closed


async def test_one_symbol_that_trades_keeps_the_market_open(world: World) -> None:
    for end in range(300, 3600, 300):
        world.runtime.stream.on_ticks([quote("AAPL")])
        await world.check_until(end)
    assert not world.is_presumed_closed


@pytest.mark.parametrize("is_by_stream", [True, False])
async def test_a_newer_quote_ends_the_presumption_wherever_it_comes_from(world: World, is_by_stream: bool) -> None:
    world.runtime.stream.on_ticks([quote("AAPL")])
    await world.check_until(900)
    assert world.is_presumed_closed
    if is_by_stream:
        world.runtime.stream.on_ticks([quote("AAPL")])
    else:
        world.runtime.stream.apply_market_snapshot(MarketSnapshot((quote("AAPL"),), ()))
    await world.check_until(915)
    assert not world.is_presumed_closed
    await world.check_until(1600)
    assert world.is_presumed_closed


async def test_silence_that_snapshots_do_not_confirm_proves_nothing(world: World) -> None:
    world.runtime.silent_connections.set_verified_by_snapshots(is_verified=False)
    await world.check_until(3600)
    assert not world.is_presumed_closed


async def test_the_presumption_ends_with_its_session(world: World) -> None:
    await world.check_until(900)
    assert world.is_presumed_closed
    next_session = (START.replace(hour=21) - START).total_seconds()
    await world.check_until(next_session + 15)
    assert not world.is_presumed_closed
    await world.check_until(next_session + 600)
    assert not world.is_presumed_closed
    assert world.market.state_at(now()).quotes_since == START + timedelta(seconds=next_session)


async def test_the_silence_before_the_exchange_of_a_feed_opens_does_not_count() -> None:
    opens = START.replace(hour=16)
    hours = msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, exchange_hours=(time(11), time(17)))
    world = World(hours)
    begins = (opens - START).total_seconds()
    await world.check_until(begins + 570)
    assert not world.is_presumed_closed
    await world.check_until(begins + 660)
    assert world.is_presumed_closed
