"""Snapshots beside the stream, in a whole pod with fakes. The clock starts in trading hours of an ordinary Monday."""

from datetime import timedelta

import pytest

from sluice_runtime.domain.market import Trade
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from support.runtime_fakes import job, quote
from support.snapshot_worlds import ALPACA, SnapshotWorld
from support.virtual_time import START, at, now, seconds


@pytest.fixture
async def world() -> SnapshotWorld:
    return SnapshotWorld()


async def test_the_snapshot_of_a_new_connection_corrects_the_documents_before_the_first_quote(
    world: SnapshotWorld,
) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0), quote("MSFT", START, 6.0)))
    async with world.running():
        assert world.snapshots.asked == [(0, ["AAPL", "MSFT"])]
        assert world.bids() == {"AAPL": 5.0, "MSFT": 6.0}
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START + timedelta(seconds=2), 7.0),))
        await at(3)
        world.lose()
        await at(10)
        assert len(world.snapshots.asked) == 2
        assert world.bids() == {"AAPL": 7.0, "MSFT": 6.0}


async def test_a_snapshot_never_sets_a_document_back(world: SnapshotWorld) -> None:
    async with world.running():
        world.source.connection.say(quote("AAPL", now(), 9.0))
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0),))
        await at(3)
        world.lose()
        await at(10)
        assert world.bids() == {"AAPL": 9.0}


async def test_a_snapshot_never_sets_back_a_document_of_an_earlier_process(world: SnapshotWorld) -> None:
    world.sink.quotes["AAPL"] = {"bid": 9.0, "ts": START}
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START - timedelta(seconds=1), 5.0),))
    async with world.running():
        assert world.bids()["AAPL"] == 9.0


async def test_an_unchanged_document_of_an_earlier_process_is_rewritten_for_this_session(world: SnapshotWorld) -> None:
    world.sink.quotes["AAPL"] = {"bid": 5.0, "ts": START, "session_id": "before", "status": "paused"}
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0),))
    async with world.running():
        found = world.sink.quotes["AAPL"]
        assert (found["session_id"], found["status"], found["ts"]) == ("5e55", "live", START)


async def test_a_resumed_symbol_is_requested_again(world: SnapshotWorld) -> None:
    async with world.running():
        world.job.declare(job(2, **ALPACA, pausedSymbols=[{"symbol": "AAPL"}]))
        await at(10)
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START + timedelta(seconds=9), 7.0),))
        world.job.declare(job(3, **ALPACA))
        await at(12)
        assert world.snapshots.asked[1:] == [(10, ["AAPL"])]
        assert world.bids() == {"AAPL": 7.0}


async def test_a_symbol_removed_and_added_during_its_request_is_requested_again(world: SnapshotWorld) -> None:
    world.snapshots.goes_on.clear()
    async with world.running():
        world.job.declare(job(2, **ALPACA, pausedSymbols=[{"symbol": "AAPL"}]))
        await at(2)
        world.job.declare(job(3, **ALPACA))
        await at(3)
        answers = iter([MarketSnapshot(), MarketSnapshot((quote("AAPL", START + timedelta(seconds=2), 7.0),))])
        world.snapshots.answer = lambda: next(answers, MarketSnapshot())
        world.snapshots.goes_on.set()
        await at(20)
        assert world.bids() == {"AAPL": 7.0}


async def test_trades_that_were_unsubscribed_for_a_moment_are_requested_again(world: SnapshotWorld) -> None:
    traded = Trade(symbol="AAPL", ts=START, price=55.0, size=1.0)
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 50.0),), (traded,))
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    async with world.running():
        assert world.sink.quotes["AAPL"]["price"] == 55.0
        for generation, channels in ((3, ["quotes"]), (4, ["quotes", "trades"])):
            world.job.declare(job(generation, **ALPACA, channels=channels))
            await at(seconds() + 0.1)
        await at(20)
        assert world.sink.quotes["AAPL"]["price"] == 55.0


async def test_a_trade_is_used_even_if_the_document_is_newer_than_its_quote(world: SnapshotWorld) -> None:
    world.sink.quotes["AAPL"] = {"bid": 9.0, "ts": START + timedelta(seconds=1)}
    traded = Trade(symbol="AAPL", ts=START, price=55.0, size=1.0)
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 50.0),), (traded,))
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    async with world.running():
        assert world.bids()["AAPL"] == 9.0
        await at(5)
        world.source.connection.say(quote("AAPL", now(), 60.0))
        await at(8)
        assert (world.sink.quotes["AAPL"]["bid"], world.sink.quotes["AAPL"]["price"]) == (60.0, 55.0)


async def test_only_added_symbols_are_requested(world: SnapshotWorld) -> None:
    async with world.running():
        world.job.declare(job(2, **ALPACA, symbols=["AAPL", "MSFT", "SPY"]))
        await at(5)
        assert world.snapshots.asked[1:] == [(1, ["SPY"])]


async def test_trades_set_the_price_only_if_the_job_has_trades(world: SnapshotWorld) -> None:
    traded = Trade(symbol="AAPL", ts=START, price=55.0, size=1.0)
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 98.0),), (traded,))
    async with world.running():
        assert world.sink.quotes["AAPL"]["price"] == 99.5
        world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
        await at(10)
        assert world.sink.quotes["AAPL"]["price"] == 55.0


async def test_a_trade_that_was_canceled_while_no_connection_was_open_no_longer_sets_the_price(
    world: SnapshotWorld,
) -> None:
    first, last = (Trade(symbol="AAPL", ts=START + timedelta(seconds=n), price=50.0 + n, size=1.0) for n in (1, 2))
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 98.0),), (first,))
    async with world.running():
        await at(5)
        world.source.connection.say(quote("AAPL", now(), 99.0))
        world.runtime.stream.on_trades([last])
        await at(8)
        assert world.sink.quotes["AAPL"]["price"] == 52.0
        world.source.connection.lose()
        await at(30)
        found = world.sink.quotes["AAPL"]
        assert (found["price"], found["ts"]) == (51.0, START + timedelta(seconds=5))


async def test_a_snapshot_that_arrives_after_a_pause_request_is_ignored(world: SnapshotWorld) -> None:
    world.snapshots.goes_on.clear()
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START, 5.0),))
    async with world.running():
        world.job.declare(job(2, **ALPACA, enabled=False))
        await at(3)
        world.snapshots.goes_on.set()
        await at(5)
        world.job.declare(job(3, **ALPACA))
        world.snapshots.answer = MarketSnapshot
        await at(20)
        assert world.bids() == {}


async def test_a_rejected_snapshot_is_logged_once_and_the_stream_continues(
    world: SnapshotWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.snapshots.failure = "it answers HTTP 403"
    async with world.running():
        await at(3600)
        assert 3 < len(world.snapshots.asked) < 60
        assert caplog.text.count("it answers HTTP 403") == 1
        assert world.runtime.stream.state == "Live"


async def test_a_snapshot_does_not_count_as_a_tick(world: SnapshotWorld) -> None:
    async with world.running():
        world.runtime.market.coalescer.take_ticked_symbols()
        world.runtime.stream.apply_market_snapshot(MarketSnapshot((quote("AAPL"),)))
        world.source.connection.say(quote("MSFT"))
        assert world.runtime.market.coalescer.take_ticked_symbols() == {"MSFT"}
        world.source.connection.say(quote("AAPL", now() + timedelta(milliseconds=1)))
        world.runtime.stream.apply_market_snapshot(MarketSnapshot((quote("AAPL", now() + timedelta(milliseconds=2)),)))
        assert world.runtime.market.coalescer.take_ticked_symbols() == {"AAPL"}
