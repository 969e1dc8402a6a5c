"""What is written of a symbol, and what is not, through a flusher on a fake sink."""

import asyncio
import logging
from datetime import timedelta

import pytest

from sluice_runtime.domain.desired import halted
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.latest import Latest
from sluice_runtime.domain.market import Trade
from sluice_runtime.domain.pause import Pause
from support.runtime_fakes import aim, bar, quote
from support.runtime_worlds import FlushingWorld
from support.virtual_time import START, at, now, seconds

ALL = ["quotes", "trades", "bars"]


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld(aim(channels=ALL))


def trade(price: float, symbol: str = "AAPL") -> Trade:
    return Trade(symbol=symbol, ts=now(), price=price, size=100.0)


async def test_unchanged_quotes_are_written_every_fifteen_seconds_only(world: FlushingWorld) -> None:
    async with world.running():
        while seconds() < 59:
            world.say("AAPL", bid=1.0)
            await asyncio.sleep(0.5)
    moments = [moment for moment, _ in world.sink.written("AAPL")]
    assert moments == pytest.approx([0.2, 15.2, 30.2, 45.2], abs=0.3)
    assert world.journal.counters.suppressed["unchanged"] > 50


async def test_after_a_burst_that_ends_as_it_began_the_time_of_the_last_tick_comes_with_the_refresh(
    world: FlushingWorld,
) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(5)
        world.say("AAPL", bid=1.0)
        await at(14)
        assert world.sink.quotes["AAPL"]["ts"] == START
        await at(16)
        assert world.sink.quotes["AAPL"]["ts"] == START + timedelta(seconds=5)
        await at(100)
        assert len(world.sink.written("AAPL")) == 2


async def test_a_change_after_suppressed_quotes_is_written_with_the_next_flush(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2.3)
        world.say("AAPL", bid=1.0)
        await at(2.5)
        world.say("AAPL", bid=2.0)
        await at(2.7)
        assert world.sink.quotes["AAPL"]["bid"] == 2.0


async def test_what_returns_to_its_old_value_after_a_failed_write_is_written(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.sink.failure = SinkError("whether it was written is not known")
        world.say("AAPL", bid=2.0)
        await at(2.3)
        world.sink.failure = None
        world.say("AAPL", bid=1.0)
        await at(4)
        assert [each.bid for _, each in world.sink.written("AAPL")] == [1.0, 1.0]


async def test_suppressed_quotes_cost_others_nothing_of_the_budget() -> None:
    names = [f"S{n}" for n in range(40)]
    world = FlushingWorld(aim(symbols=[*names, "BUSY"], limits={"writesPerSecond": 2, "burst": 42}))
    async with world.running():
        world.say(*names, "BUSY", bid=1.0)
        await at(2)
        for n in range(10):
            world.say(*names, bid=1.0)
            world.say("BUSY", bid=n + 2.0)
            await asyncio.sleep(1)
        assert len(world.sink.written("BUSY")) >= 10


async def test_a_drain_leaves_no_document_behind_its_last_tick(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(5)
        world.say("AAPL", bid=1.0)
        await at(6)
        await world.flusher.drain()
        assert world.sink.quotes["AAPL"]["ts"] == START + timedelta(seconds=5)


async def test_the_price_is_that_of_the_last_trade_also_when_no_quote_follows(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        await at(2)
        assert world.sink.quotes["AAPL"]["price"] == 100.0
        world.journal.traded([trade(100.5)])
        await at(3)
        found = world.sink.quotes["AAPL"]
        assert (found["price"], found["bid"], found["ts"]) == (100.5, 99.0, START + timedelta(seconds=2))
        world.journal.traded([trade(100.5)])
        await at(5)
        assert len(world.sink.written("AAPL")) == 2


async def test_a_trade_of_a_symbol_without_a_quote_writes_nothing(world: FlushingWorld) -> None:
    async with world.running():
        world.journal.traded([trade(100.5)])
        await at(5)
        assert world.sink.history == []


async def test_a_trade_does_not_wait_for_the_refresh_of_a_quote_that_is_no_news(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        await at(2)
        world.say("AAPL", bid=99.0)
        await at(4)
        world.journal.traded([trade(100.5)])
        await at(5)
        assert world.sink.quotes["AAPL"]["price"] == 100.5
        await at(60)
        assert len(world.sink.written("AAPL")) == 2


async def test_the_price_is_the_mid_again_once_the_job_has_no_trades(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        world.journal.traded([trade(100.5)])
        await at(2)
        assert world.sink.quotes["AAPL"]["price"] == 100.5
        world.want(aim(channels=["quotes"]))
        await at(3)
        world.journal.traded([trade(100.5)])  # that was on its way
        world.say("AAPL", bid=49.0)
        await at(5)
        assert world.sink.quotes["AAPL"]["price"] == 75.0
        world.want(aim(channels=ALL))
        world.say("AAPL", bid=59.0)
        await at(7)
        assert world.sink.quotes["AAPL"]["price"] == 80.0


async def test_a_symbol_that_comes_back_has_no_price_from_before(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        world.journal.traded([trade(100.5)])
        await at(2)
        world.want(aim(symbols=["MSFT"], channels=ALL))
        await at(3)
        world.want(aim(channels=ALL))
        world.say("AAPL", bid=49.0)
        await at(5)
        assert world.sink.quotes["AAPL"]["price"] == 75.0


async def test_each_transition_of_a_status_is_one_write(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT", bid=1.0)
        await at(2)
        world.judge({"AAPL": "stale", "MSFT": "halted"})
        await at(10)
        assert world.sink.marked == [("AAPL", "stale"), ("MSFT", "halted")]
        world.judge({})
        world.say("AAPL", bid=1.0)
        await at(12)
        assert world.sink.marked[2:] == [("MSFT", "live")]
        assert len(world.sink.written("AAPL")) == 2
        assert {each["status"] for each in world.sink.quotes.values()} == {"live"}


async def test_a_quote_during_a_halt_says_halted(world: FlushingWorld) -> None:
    async with world.running():
        world.judge({"AAPL": "halted"})
        world.say("AAPL", bid=1.0)
        await at(2)
        assert world.sink.quotes["AAPL"]["status"] == "halted"


async def test_a_transition_that_failed_is_made_later(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.sink.failure = SinkError("away")
        world.judge({"AAPL": "stale"})
        await at(3)
        world.sink.failure = None
        await at(10)
        assert world.sink.marked == [("AAPL", "stale")]


async def test_a_quiet_symbol_that_is_no_longer_paused_says_so_at_once(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.want(aim(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(4)
        assert world.sink.quotes["AAPL"]["status"] == "paused"
        world.want(aim())
        await at(5)
        assert world.sink.quotes["AAPL"]["status"] == "live"
        await at(60)
        assert world.sink.marked == [("AAPL", "paused"), ("AAPL", "live")]


async def test_the_first_quote_after_a_silence_is_not_called_stale(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.judge({"AAPL": "stale"})
        await at(4)
        world.say("AAPL", bid=2.0)
        await at(6)
        assert [each.status for _, each in world.sink.written("AAPL")] == ["live", "live"]
        world.judge({})
        await at(60)
        assert world.sink.quotes["AAPL"]["status"] == "live"
        assert world.sink.marked == [("AAPL", "stale")]


async def test_what_is_asked_beside_the_stream_wakes_no_stale_symbol(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.judge({"AAPL": "stale"})
        await at(4)
        world.journal.caught_up(Latest((quote("AAPL", bid=2.0),)))
        await at(6)
        assert (world.sink.quotes["AAPL"]["bid"], world.sink.quotes["AAPL"]["status"]) == (2.0, "stale")


async def test_a_mark_as_live_that_failed_is_made_later(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.judge({"AAPL": "halted"})
        await at(4)
        world.sink.failure = SinkError("away")
        world.judge({})
        await at(5)
        world.sink.failure = None
        await at(20)
        assert world.sink.marked == [("AAPL", "halted"), ("AAPL", "live")]


async def test_an_older_quote_than_before_a_symbol_s_pause_is_never_written(world: FlushingWorld) -> None:
    async with world.running():
        await at(60)
        world.say("AAPL", bid=5.0)
        await at(62)
        world.want(aim(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(64)
        world.want(aim())
        world.journal.received([quote("AAPL", START + timedelta(seconds=30), bid=1.0)])
        await at(66)
        found = world.sink.quotes["AAPL"]
        assert (found["bid"], found["ts"]) == (5.0, START + timedelta(seconds=60))


async def test_symbols_paused_before_the_start_are_marked_once() -> None:
    world = FlushingWorld(aim(pausedSymbols=[{"symbol": "AAPL"}]))
    async with world.running():
        await at(60)
        assert world.sink.marked == [("AAPL", "paused")]


async def test_a_swarm_of_transitions_and_a_busy_market_do_not_starve_each_other() -> None:
    names = [f"S{n}" for n in range(600)]
    world = FlushingWorld(aim(symbols=[*names, "BUSY"], limits={"writesPerSecond": 1, "burst": 1}))
    world.sink.seconds = 0.001
    async with world.running():
        world.judge(dict.fromkeys(names, "stale"))
        while seconds() < 30:
            world.say("BUSY", bid=seconds() + 1)
            await asyncio.sleep(0.1)
        assert len(world.sink.written("BUSY")) >= 25
        assert len(world.sink.marked) >= 600


async def test_the_last_bar_of_each_symbol_is_kept(world: FlushingWorld) -> None:
    async with world.running():
        world.journal.aggregated([bar(close=1.0), bar("GONE")])
        world.journal.aggregated([bar(close=1.5), bar("MSFT")])
        await at(1)
        assert {symbol: each["close"] for symbol, each in world.sink.bars.items()} == {"AAPL": 1.5, "MSFT": 1.0}
        assert world.sink.bars["AAPL"]["timeframe"] == "1Min"
        await at(60)
        assert world.sink.history == ["bars"]


async def test_a_bar_that_could_not_be_written_is_written_later_unless_a_newer_one_has_come(
    world: FlushingWorld,
) -> None:
    async with world.running():
        world.sink.failure = SinkError("away")
        world.journal.aggregated([bar(close=1.0), bar("MSFT")])
        await at(1)
        world.journal.aggregated([bar(close=2.0)])
        world.sink.failure = None
        await at(10)
        assert {symbol: each["close"] for symbol, each in world.sink.bars.items()} == {"AAPL": 2.0, "MSFT": 1.0}


async def test_a_paused_job_writes_no_bar(world: FlushingWorld) -> None:
    async with world.running():
        await world.flusher.drain()
        world.journal.aggregated([bar()])
        await at(60)
        assert world.sink.history == []


async def test_a_removed_symbol_s_bar_goes_with_its_quote_and_its_time_is_forgotten(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT")
        world.journal.aggregated([bar("AAPL"), bar("MSFT")])
        await at(1)
        world.want(aim(symbols=["AAPL"], channels=ALL))
        await at(2)
        assert (set(world.sink.quotes), set(world.sink.bars)) == ({"AAPL"}, {"AAPL"})
        assert (set(world.journal.board.bar_times), world.journal.deleted) == ({"AAPL"}, {"MSFT"})
        world.want(aim())
        await at(3)
        assert world.journal.deleted == set()


async def test_what_an_earlier_process_left_of_removed_symbols_is_deleted(world: FlushingWorld) -> None:
    async with world.running():
        await at(1)
        world.journal.inherited |= {"AAPL", "OLD"}
        await at(2)
        assert (world.sink.deleted, world.journal.deleted, world.journal.inherited) == (["OLD"], {"OLD"}, set())


async def test_what_was_left_stays_while_the_job_is_paused_and_goes_when_it_resumes(world: FlushingWorld) -> None:
    world.want(halted(aim(), Pause(source="cr:acme/us")))
    async with world.running():
        world.journal.inherited |= {"AAPL", "MSFT"}
        await at(10)
        world.want(halted(aim(symbols=["AAPL"]), Pause(source="cr:acme/us")))
        await at(20)
        assert world.sink.history == []
        world.want(aim(symbols=["AAPL"]))
        await at(21)
        assert (world.sink.deleted, world.journal.deleted) == (["MSFT"], {"MSFT"})


async def test_a_deletion_that_failed_is_tried_again_and_told_only_when_it_is_done(world: FlushingWorld) -> None:
    async with world.running():
        await at(1)
        world.sink.failure = SinkError("away")
        world.journal.inherited.add("OLD")
        await at(2)
        assert world.journal.deleted == set()
        world.sink.failure = None
        await at(10)
        assert world.journal.deleted == {"OLD"}


async def test_of_what_is_written_one_quote_a_second_and_symbol_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = FlushingWorld(aim(limits={"minIntervalMilliseconds": 100, "flushIntervalMilliseconds": 100}))
    async with world.running():
        while seconds() < 5:
            world.say("AAPL", bid=seconds() + 1)
            await asyncio.sleep(0.1)
    told = [record for record in caplog.records if vars(record).get("event_type") == "quote"]
    assert len(world.sink.written("AAPL")) > 40
    assert 5 <= len(told) <= 6
    assert {vars(record)["symbol"] for record in told} == {"AAPL"}
