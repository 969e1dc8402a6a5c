"""Documents that another client has deleted, and requests to write every document once more.

Also looked for: a deleted document of a stale, of a paused and of a quiet symbol, deleted bars and records, a reload in
a dry run and during a pause, and a new connection.
"""

import asyncio

import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.loop_wiring import create_document_store, create_record_writer
from support.runtime_fakes import bar, desired, runtime_state
from support.runtime_worlds import PAUSE, FlushingWorld
from support.virtual_time import at


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld(desired(channels=["quotes", "bars"]))


async def test_a_status_of_a_deleted_document_writes_the_whole_document(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT", bid=3.0)
        await at(2)
        world.sink.quotes.clear()
        world.set_quote_states({"AAPL": "stale"})
        await at(4)
        assert {name: each["status"] for name, each in world.sink.quotes.items()} == {"AAPL": "stale"}
        assert world.sink.quotes["AAPL"]["bid"] == 3.0
        world.want(desired(channels=["quotes", "bars"], pausedSymbols=[{"symbol": "MSFT"}]))
        await at(6)
        assert (world.sink.quotes["MSFT"]["bid"], world.sink.quotes["MSFT"]["status"]) == (3.0, "paused")


async def test_a_status_of_a_document_that_was_never_written_creates_none(world: FlushingWorld) -> None:
    async with world.running():
        world.set_quote_states({"AAPL": "halted"})
        await at(4)
        assert world.sink.quotes == {}


async def test_a_requested_rewrite_writes_every_quote_and_bar_once(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=3.0)
        world.say("MSFT", bid=4.0)
        world.runtime.stream.on_bars([bar("AAPL")])
        await at(2)
        world.sink.quotes.clear()
        world.sink.bars.clear()
        world.runtime.documents.request_rewrite()
        await at(4)
        assert {name: each["bid"] for name, each in world.sink.quotes.items()} == {"AAPL": 3.0, "MSFT": 4.0}
        assert set(world.sink.bars) == {"AAPL"}
        writes = len(world.sink.writes), world.sink.history.count("bars")
        await at(60)
        assert (len(world.sink.writes), world.sink.history.count("bars")) == writes


async def test_a_rewrite_restores_the_documents_of_paused_and_stale_symbols(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT", bid=3.0)
        await at(2)
        world.want(desired(channels=["quotes", "bars"], pausedSymbols=[{"symbol": "MSFT"}]))
        world.set_quote_states({"AAPL": "stale"})
        await at(4)
        world.sink.quotes.clear()
        world.runtime.documents.request_rewrite()
        await at(6)
        assert {name: each["status"] for name, each in world.sink.quotes.items()} == {"AAPL": "stale", "MSFT": "paused"}


async def test_a_rewrite_stays_within_the_limits() -> None:
    names = [f"S{n}" for n in range(300)]
    world = FlushingWorld(desired(symbols=names, limits={"writesPerSecond": 10, "burst": 10}))
    async with world.running():
        world.say(*names)
        await at(60)
        world.runtime.documents.request_rewrite()
        await at(70)
        assert sum(len(batch) for moment, batch in world.sink.writes if moment > 60) <= 10 + 10 * 10
        await at(100)
        assert len({each.symbol for moment, batch in world.sink.writes if moment > 60 for each in batch}) == 300


async def test_a_rewrite_requested_in_a_pause_waits_for_its_end(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=3.0)
        await at(2)
        world.want(with_pause(desired(channels=["quotes", "bars"]), PAUSE))
        await world.flusher.drain_and_close()
        world.sink.quotes.clear()
        world.runtime.documents.request_rewrite()
        await at(10)
        assert world.sink.quotes == {}
        world.want(desired(channels=["quotes", "bars"]))
        world.flusher.reopen_and_requeue_dropped()
        await at(12)
        assert set(world.sink.quotes) == {"AAPL"}


async def test_a_new_connection_writes_every_document_once(world: FlushingWorld) -> None:
    async with world.running():
        world.runtime.stream.on_state("Live")
        world.say("AAPL", bid=3.0)
        await at(2)
        world.sink.quotes.clear()
        await at(30)
        assert world.sink.quotes == {}
        world.runtime.stream.on_state("BackingOff")
        world.runtime.stream.on_state("Live")
        await at(32)
        assert set(world.sink.quotes) == {"AAPL"}


async def test_a_requested_rewrite_writes_every_record_once() -> None:
    world, runtime = FlushingWorld(), runtime_state(desired(symbols=["AAPL", "MSFT"]))
    writer = asyncio.create_task(
        create_record_writer(runtime, create_document_store(runtime, world.sink, "fake:iex")).run()
    )
    await at(3)
    world.sink.records.clear()
    runtime.documents.request_rewrite()
    await at(6)
    assert set(world.sink.records) == {"AAPL", "MSFT"}
    recorded = len(world.sink.recorded)
    await at(50)
    assert len(world.sink.recorded) == recorded
    await cancel_and_wait(writer)


async def test_bars_and_quotes_share_the_pace_of_the_daily_budget() -> None:
    names = [f"S{number}" for number in range(10)]
    limits = {"writesPerDay": 20_000, "burst": 1}
    world = FlushingWorld(desired(symbols=names, channels=["quotes", "bars"], limits=limits))
    async with world.running():
        for second in range(1, 300):
            world.say(*names, bid=float(second))
            world.runtime.stream.on_bars([bar(name) for name in names])
            await at(second)
        pace = world.runtime.write_budget.documents_per_second
        assert pace is not None
        bars, quotes = world.sink.history.count("bars"), len(world.sink.writes)
        assert bars + quotes == pytest.approx(300 * pace, abs=5)
        assert abs(bars - quotes) <= 2


async def test_no_status_is_written_while_the_daily_budget_has_only_its_heartbeats_left() -> None:
    world = FlushingWorld(desired(limits={"writesPerDay": 20_000}))
    async with world.running():
        world.say("AAPL")
        await at(1)
        world.runtime.write_budget.record_sent(world.runtime.write_budget.room_for_transitions + 100)
        world.set_quote_states({"AAPL": "stale"})
        await at(10)
        assert world.sink.marked == []
