"""The values of a symbol that are written and those that are not, through a flusher with a fake sink."""

import asyncio
import logging
from datetime import timedelta

import pytest

from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.market import Trade
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.state.write_budget import DailyWriteBudget
from support.runtime_fakes import desired, quote
from support.runtime_worlds import FlushingWorld
from support.virtual_time import START, at, now, seconds

ALL = ["quotes", "trades", "bars"]


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld(desired(channels=ALL))


def trade(price: float, symbol: str = "AAPL") -> Trade:
    return Trade(symbol=symbol, ts=now(), price=price, size=100.0)


async def test_unchanged_quotes_are_written_every_fifteen_seconds_only(world: FlushingWorld) -> None:
    async with world.running():
        while seconds() < 59:
            world.say("AAPL", bid=1.0)
            await asyncio.sleep(0.5)
    moments = [moment for moment, _ in world.sink.written("AAPL")]
    assert moments == pytest.approx([0.2, 15.2, 30.2, 45.2], abs=0.3)
    assert world.runtime.counters.suppressed["unchanged"] > 50


async def test_the_interval_of_refreshes_is_computed_per_flush_and_not_per_quote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"S{number}" for number in range(100)]
    world, computed = FlushingWorld(desired(symbols=names)), 0
    interval = world.runtime.write_budget.effective_interval_seconds

    def compute(_: DailyWriteBudget) -> float:
        nonlocal computed
        computed += 1
        return interval

    monkeypatch.setattr(DailyWriteBudget, "effective_interval_seconds", property(compute))
    async with world.running():
        world.say(*names)
        await at(1.1)
    assert len(world.sink.quotes) >= 20
    assert computed <= 12


async def test_after_a_burst_that_ends_as_it_began_the_refresh_has_the_last_tick_s_time(
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


async def test_a_quote_that_returns_to_its_old_value_after_a_failed_write_is_written(world: FlushingWorld) -> None:
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


async def test_suppressed_quotes_use_no_write_tokens() -> None:
    names = [f"S{n}" for n in range(40)]
    world = FlushingWorld(desired(symbols=[*names, "BUSY"], limits={"writesPerSecond": 2, "burst": 42}))
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
        await world.flusher.drain_and_close()
        assert world.sink.quotes["AAPL"]["ts"] == START + timedelta(seconds=5)


async def test_the_price_is_that_of_the_last_trade_also_when_no_quote_follows(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        await at(2)
        assert world.sink.quotes["AAPL"]["price"] == 100.0
        world.runtime.stream.on_trades([trade(100.5)])
        await at(3)
        found = world.sink.quotes["AAPL"]
        assert (found["price"], found["bid"], found["ts"]) == (100.5, 99.0, START + timedelta(seconds=2))
        world.runtime.stream.on_trades([trade(100.5)])
        await at(5)
        assert len(world.sink.written("AAPL")) == 2


async def test_a_trade_of_a_symbol_without_a_quote_writes_nothing(world: FlushingWorld) -> None:
    async with world.running():
        world.runtime.stream.on_trades([trade(100.5)])
        await at(5)
        assert world.sink.history == []


async def test_a_trade_does_not_wait_for_the_refresh_of_an_unchanged_quote(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        await at(2)
        world.say("AAPL", bid=99.0)
        await at(4)
        world.runtime.stream.on_trades([trade(100.5)])
        await at(5)
        assert world.sink.quotes["AAPL"]["price"] == 100.5
        await at(60)
        assert len(world.sink.written("AAPL")) == 2


async def test_the_price_is_the_mid_again_once_the_job_has_no_trades(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        world.runtime.stream.on_trades([trade(100.5)])
        await at(2)
        assert world.sink.quotes["AAPL"]["price"] == 100.5
        world.want(desired(channels=["quotes"]))
        await at(4)
        assert world.sink.quotes["AAPL"]["price"] == 100.0
        world.runtime.stream.on_trades([trade(100.5)])  # a trade that was in flight
        world.say("AAPL", bid=97.0)
        await at(5)
        assert world.sink.quotes["AAPL"]["price"] == 99.0
        world.want(desired(channels=ALL))
        world.say("AAPL", bid=95.0)
        await at(7)
        assert world.sink.quotes["AAPL"]["price"] == 98.0


async def test_a_symbol_that_comes_back_has_no_price_from_before(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=99.0)
        world.runtime.stream.on_trades([trade(100.5)])
        await at(2)
        world.want(desired(symbols=["MSFT"], channels=ALL))
        await at(3)
        world.want(desired(channels=ALL))
        world.say("AAPL", bid=97.0)
        await at(5)
        assert world.sink.quotes["AAPL"]["price"] == 99.0


async def test_an_older_quote_than_before_a_symbol_s_pause_is_never_written(world: FlushingWorld) -> None:
    async with world.running():
        await at(60)
        world.say("AAPL", bid=5.0)
        await at(62)
        world.want(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(64)
        world.want(desired())
        world.runtime.stream.on_ticks([quote("AAPL", START + timedelta(seconds=30), bid=1.0)])
        await at(66)
        found = world.sink.quotes["AAPL"]
        assert (found["bid"], found["ts"]) == (5.0, START + timedelta(seconds=60))


async def test_one_written_quote_of_each_symbol_is_logged_each_second(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = FlushingWorld(desired(limits={"minIntervalMilliseconds": 100, "flushIntervalMilliseconds": 100}))
    async with world.running():
        while seconds() < 5:
            world.say("AAPL", bid=seconds() + 1)
            await asyncio.sleep(0.1)
    output = [record for record in caplog.records if vars(record).get("event_type") == "quote"]
    assert len(world.sink.written("AAPL")) > 40
    assert 5 <= len(output) <= 6
    assert {vars(record)["symbol"] for record in output} == {"AAPL"}


async def test_no_sampled_quote_is_logged_where_all_received_quotes_are(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = FlushingWorld(desired(), WriteLog(one_line_per_document=True))
    async with world.running():
        world.say("AAPL")
        await at(1)
        world.want(desired(dryRun=True))
        world.say("MSFT")
        await at(2)
    assert len(world.sink.written("AAPL")) == 1
    kinds = [vars(record)["event_type"] for record in caplog.records]
    assert ("quote" in kinds, "would_write" in kinds) == (False, True)


async def test_a_dry_run_logs_the_commits_of_a_real_run(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    many = [f"S{n}" for n in range(20)]
    world = FlushingWorld(desired(symbols=many, dryRun=True), WriteLog(one_line_per_document=True))
    async with world.running():
        world.say(*many)
        await at(1)
        world.say("S1", "S2")
        await at(3)
    lines = [vars(record) for record in caplog.records if vars(record)["event_type"] == "would_write"]
    assert [line["commits"] for line in lines] == [1] + 19 * [0] + [1, 1]
