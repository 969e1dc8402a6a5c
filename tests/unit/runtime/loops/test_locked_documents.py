"""One document that cannot be written costs only its own symbol: a flusher and a record writer with a fake sink.

Also looked for: several locked documents, one that is locked for ever, more documents than are written one by one, a
locked bar, record, status and deletion, a locked document during a pause, and the write budget during a split.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loop_wiring import create_document_store, create_record_writer
from support.fake_sink import LOCK_SECONDS
from support.runtime_fakes import bar, desired, runtime_state
from support.runtime_worlds import FlushingWorld
from support.virtual_time import at, seconds

MANY = [f"S{n}" for n in range(40)]


def locked_world(symbols: list[str], *locked: str, **spec: Any) -> FlushingWorld:
    world = FlushingWorld(desired(symbols=symbols, **spec))
    world.sink.locked = set(locked)
    return world


async def chatter(world: FlushingWorld, symbols: list[str], until: float) -> None:
    while seconds() < until:
        world.say(*symbols, bid=seconds() + 1)
        await asyncio.sleep(0.1)


def longest_wait(world: FlushingWorld, symbol: str) -> float:
    moments = [0.0, *(moment for moment, _ in world.sink.written(symbol)), seconds()]
    return max(later - earlier for earlier, later in pairwise(moments))


@pytest.fixture
async def four() -> AsyncIterator[FlushingWorld]:
    world = locked_world(["SPY", "QQQ", "DIA", "IWM"], "live_quotes/QQQ")
    async with world.running():
        yield world


async def test_the_other_symbols_keep_their_interval(four: FlushingWorld) -> None:
    await chatter(four, ["SPY", "QQQ", "DIA", "IWM"], 60)
    assert four.sink.written("QQQ") == []
    assert max(longest_wait(four, name) for name in ("SPY", "DIA", "IWM")) < 1.6
    failure = four.runtime.snapshot().sink_failure
    assert failure == "live_quotes/QQQ: Firestore did not accept a write: locked"


async def test_the_document_is_written_with_its_newest_value_soon_after_the_lock_ends(four: FlushingWorld) -> None:
    await chatter(four, ["SPY", "QQQ", "DIA", "IWM"], 60)
    four.sink.locked.clear()
    await chatter(four, ["SPY", "QQQ", "DIA", "IWM"], 70)
    first, document = four.sink.written("QQQ")[0]
    assert first < 60 + 5.0 + LOCK_SECONDS
    assert document.bid is not None
    assert document.bid > first - 1
    assert four.runtime.snapshot().sink_failure is None


async def test_in_a_large_batch_the_others_wait_only_for_the_first_refusal() -> None:
    limits = {"writesPerSecond": 200, "burst": 400}
    world = locked_world(MANY, "live_quotes/S7", limits=limits)
    async with world.running():
        await chatter(world, MANY, 30)
        assert max(longest_wait(world, name) for name in MANY if name != "S7") < 1.3 + LOCK_SECONDS
        assert world.sink.written("S7") == []


async def test_several_locked_documents_delay_no_other() -> None:
    locked = MANY[:30]
    world = locked_world(MANY, *(f"live_quotes/{name}" for name in locked))
    async with world.running():
        await chatter(world, MANY, 60)
        assert max(longest_wait(world, name) for name in MANY[30:]) < 10
        failure = world.runtime.snapshot().sink_failure
        assert failure is not None
        assert "and 27 more: " in failure


async def test_a_split_stays_within_the_budget() -> None:
    world = locked_world(MANY, "live_quotes/S7", limits={"writesPerSecond": 10, "burst": 40})
    sent: list[tuple[float, int]] = []
    write = world.sink.write_quotes

    async def counted(quotes: list[object]) -> None:
        sent.append((seconds(), len(quotes)))
        await write(quotes)  # type: ignore[arg-type]

    world.sink.write_quotes = counted  # type: ignore[method-assign,assignment]
    async with world.running():
        await chatter(world, MANY, 30)
    for moment, _ in sent:
        for length in (1.0, 5.0, 20.0):
            documents = sum(count for at_, count in sent if moment <= at_ < moment + length)
            assert documents <= 40 + 10 * length


async def test_a_locked_bar_or_status_delays_no_quote_and_no_other_bar_or_status() -> None:
    world = FlushingWorld(desired(symbols=["AAPL", "MSFT", "NVDA"], channels=["quotes", "bars"]))
    async with world.running():
        world.say("AAPL", "MSFT", "NVDA")
        await at(2)
        world.sink.locked = {"live_bars/AAPL", "live_quotes/MSFT"}
        world.runtime.stream.on_bars([bar("AAPL"), bar("MSFT")])
        world.set_quote_states({"MSFT": "stale", "NVDA": "stale"})
        await chatter(world, ["AAPL"], 12)
        assert longest_wait(world, "AAPL") < 2.3
        assert set(world.sink.bars) == {"MSFT"}
        assert world.sink.marked == [("NVDA", "stale")]
        failure = world.runtime.snapshot().sink_failure
        assert failure is not None
        assert failure.startswith(("live_quotes/MSFT, live_bars/AAPL: ", "live_bars/AAPL, live_quotes/MSFT: "))
        world.sink.locked.clear()
        await chatter(world, ["AAPL"], 20)
        assert set(world.sink.bars) == {"AAPL", "MSFT"}
        assert world.sink.marked[-1] == ("MSFT", "stale")


async def test_a_locked_deletion_delays_no_other_deletion_and_no_quote() -> None:
    world = FlushingWorld(desired(symbols=["AAPL", "MSFT", "NVDA"]))
    async with world.running():
        world.say("AAPL", "MSFT", "NVDA")
        await at(2)
        world.sink.locked = {"live_quotes/MSFT"}
        world.want(desired(symbols=["AAPL"]))
        await chatter(world, ["AAPL"], 12)
        assert world.sink.deleted == ["NVDA"]
        assert longest_wait(world, "AAPL") < 2.3
        world.sink.locked.clear()
        await at(20)
        assert world.sink.deleted == ["NVDA", "MSFT"]
        assert world.runtime.snapshot().sink_failure is None


async def test_a_removed_symbol_s_locked_document_is_no_longer_reported_once_it_is_deleted() -> None:
    world = locked_world(["SPY", "QQQ"], "live_quotes/QQQ")
    async with world.running():
        await chatter(world, ["SPY", "QQQ"], 10)
        world.want(desired(symbols=["SPY"]))
        world.sink.locked.clear()
        await at(20)
        assert world.runtime.snapshot().sink_failure is None
        assert set(world.sink.quotes) == {"SPY"}


async def test_a_value_that_firestore_refuses_is_not_soon_sent_again() -> None:
    world = FlushingWorld()
    refusal = SinkError("too long", 30.0, scope="documents")
    write = world.sink.write_quotes

    async def refusing(quotes: list[object]) -> None:
        await write(quotes)  # type: ignore[arg-type]
        if any(each.symbol == "AAPL" for each in quotes):  # type: ignore[attr-defined]
            raise refusal

    world.sink.write_quotes = refusing  # type: ignore[method-assign,assignment]
    async with world.running():
        await chatter(world, ["AAPL", "MSFT"], 29)
    assert len(world.sink.written("AAPL")) == 1
    assert len(world.sink.written("MSFT")) > 20


async def test_a_pause_does_not_wait_for_a_document_that_waits_for_its_next_attempt(four: FlushingWorld) -> None:
    await chatter(four, ["SPY", "QQQ", "DIA", "IWM"], 30)
    while four.sink.in_flight["QQQ"]:  # noqa: ASYNC110  the fake notifies no waiter
        await asyncio.sleep(0.1)
    began = seconds()
    four.say("SPY", bid=99.0)
    await four.flusher.drain_and_close()
    assert seconds() - began < 0.1
    assert four.sink.quotes["SPY"]["bid"] == 99.0
    assert four.sink.in_flight.total() == 0


async def test_a_locked_record_delays_no_other_record() -> None:
    runtime = runtime_state(desired(symbols=MANY))
    world = FlushingWorld()
    world.sink.locked = {"ingest_state/S7"}
    writer = asyncio.create_task(
        create_record_writer(runtime, create_document_store(runtime, world.sink, "fake:iex")).run()
    )
    await at(10)
    assert set(world.sink.records) == set(MANY) - {"S7"}
    assert runtime.snapshot().sink_failure == "ingest_state/S7: Firestore did not accept a write: locked"
    world.sink.locked.clear()
    await at(20)
    assert set(world.sink.records) == set(MANY)
    assert runtime.snapshot().sink_failure is None
    await cancel_and_wait(writer)
