"""The price of a document and its basis over time, through a flusher with a fake sink.

Also looked for: a price that must change although no message arrives, `ts` that goes back with a price, an outage of
the sink, and a change of the job.
"""

from datetime import timedelta

import pytest

from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.market import Halt, Quote, Trade, TradeCancellation
from support.runtime_fakes import desired
from support.runtime_worlds import FlushingWorld
from support.virtual_time import START, at, now

ALL = ["quotes", "trades"]
LIMITS = {"minIntervalMilliseconds": 100, "flushIntervalMilliseconds": 100}


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld(desired(channels=ALL, limits=LIMITS))


def say(world: FlushingWorld, bid: float | None, ask: float | None) -> None:
    world.runtime.stream.on_ticks([Quote(symbol="AAPL", ts=now(), bid=bid, ask=ask, bid_size=1.0, ask_size=1.0)])


def price(world: FlushingWorld) -> tuple[float | None, str | None]:
    document = world.sink.quotes["AAPL"]
    return document["price"], document["price_basis"]


def trade(value: float, number: int) -> Trade:
    return Trade(symbol="AAPL", ts=now(), price=value, size=100.0, id=number, exchange="V")


def cancellation(value: float, number: int) -> TradeCancellation:
    return TradeCancellation(symbol="AAPL", ts=now(), id=number, exchange="V", price=value)


def halt(*, halted: bool) -> Halt:
    return Halt(symbol="AAPL", ts=now(), halted=halted, code="H", reason="news")


async def test_a_stub_quote_or_a_missing_side_has_no_price_and_the_quote_is_written(world: FlushingWorld) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        assert price(world) == (100.01, "mid")
        for moment, (bid, ask) in enumerate([(0.01, 199_999.99), (None, 100.0), (100.0, None), (None, None)], 2):
            say(world, bid, ask)
            await at(moment)
            assert price(world) == (None, None)
            assert (world.sink.quotes["AAPL"]["bid"], world.sink.quotes["AAPL"]["ask"]) == (bid, ask)
            assert world.sink.quotes["AAPL"]["status"] == "live"
        say(world, 100.0, 100.02)
        await at(7)
        assert price(world) == (100.01, "mid")


@pytest.mark.parametrize(("bid", "ask"), [(100.02, 100.02), (100.05, 100.02)])
async def test_a_price_ends_after_a_second_in_a_locked_market_without_another_quote(
    world: FlushingWorld, bid: float, ask: float
) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        say(world, bid, ask)
        await at(1.9)
        assert price(world) == (100.01, "mid")
        assert world.sink.quotes["AAPL"]["bid"] == bid
        await at(2.5)
        assert price(world) == (None, None)
        say(world, 100.0, 100.04)
        await at(3)
        assert price(world) == (100.02, "mid")


async def test_a_market_that_is_locked_for_less_than_a_second_keeps_its_price(world: FlushingWorld) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        for n in range(5):
            say(world, 100.02, 100.02)
            await at(1.9 + n)
            say(world, 100.0, 100.02)
            await at(2 + n)
    assert {each.price for _, each in world.sink.written("AAPL")} == {100.01}


async def test_a_lock_is_timed_from_its_first_quote_even_if_that_is_replaced_before_it_is_written() -> None:
    world = FlushingWorld(desired(limits={"minIntervalMilliseconds": 5000, "flushIntervalMilliseconds": 100}))
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        say(world, 100.02, 100.02)
        await at(4)
        say(world, 100.05, 100.02)
        await at(5.5)
        assert (world.sink.quotes["AAPL"]["bid"], *price(world)) == (100.05, None, None)


async def test_a_trade_is_the_price_of_an_unusable_market_but_not_in_a_halt(world: FlushingWorld) -> None:
    async with world.running():
        world.runtime.stream.on_trades([trade(55.0, 1)])
        say(world, 0.01, 199_999.99)
        await at(1)
        assert price(world) == (55.0, "trade")
        world.runtime.stream.on_halts([halt(halted=True)])
        await at(2)
        assert (*price(world), world.sink.quotes["AAPL"]["status"]) == (None, None, "halted")
        world.runtime.stream.on_halts([halt(halted=False)])
        await at(3)
        assert (*price(world), world.sink.quotes["AAPL"]["status"]) == (55.0, "trade", "live")


async def test_canceled_trades_give_way_to_the_one_before_and_then_to_the_mid_and_ts_stays(
    world: FlushingWorld,
) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        world.runtime.stream.on_trades([trade(100.02, 1)])
        await at(2)
        world.runtime.stream.on_trades([trade(99.0, 2)])
        await at(3)
        assert price(world) == (99.0, "trade")
        expected = [(cancellation(99.0, 2), (100.02, "trade")), (cancellation(100.02, 1), (100.01, "mid"))]
        for moment, (event, left) in enumerate(expected, 4):
            world.runtime.stream.on_trades([event])
            await at(moment)
            assert price(world) == left
            assert world.sink.quotes["AAPL"]["ts"] == START + timedelta(seconds=2)


async def test_a_trade_that_is_canceled_before_it_is_written_is_never_seen(world: FlushingWorld) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        world.runtime.stream.on_trades([trade(99.0, 2), cancellation(99.0, 2)])
        await at(3)
    assert {each.price for _, each in world.sink.written("AAPL")} == {100.01}


async def test_the_bound_of_the_spread_is_changed_in_the_running_process(world: FlushingWorld) -> None:
    async with world.running():
        say(world, 95.0, 105.0)
        await at(1)
        assert price(world) == (100.0, "mid")
        world.want(desired(channels=ALL, limits={**LIMITS, "maxSpreadPercent": 9}))
        await at(2)
        assert price(world) == (None, None)
        world.want(desired(channels=ALL, limits={**LIMITS, "maxSpreadPercent": 11}))
        await at(3)
        assert price(world) == (100.0, "mid")


async def test_a_price_that_ended_during_an_outage_is_corrected_after_it(world: FlushingWorld) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        say(world, 100.02, 100.02)
        await at(1.5)
        world.sink.failure = SinkError("away")
        await at(10)
        assert price(world) == (100.01, "mid")
        world.sink.failure = None
        await at(60)
        assert price(world) == (None, None)


async def test_a_lasting_lock_is_written_once(world: FlushingWorld) -> None:
    async with world.running():
        say(world, 100.0, 100.02)
        await at(1)
        say(world, 100.02, 100.02)
        await at(14)
    assert [each.price for _, each in world.sink.written("AAPL")] == [100.01, 100.01, None]
