"""The status of quote documents, and the documents of symbols and bars, through a flusher with a fake sink."""

import asyncio
from collections.abc import Iterable

import pytest

from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from sluice_runtime.domain.pause import PauseInForce
from support.runtime_fakes import bar, desired, quote
from support.runtime_worlds import FlushingWorld
from support.virtual_time import at, seconds

ALL = ["quotes", "trades", "bars"]


@pytest.fixture
async def world() -> FlushingWorld:
    return FlushingWorld(desired(channels=ALL))


async def test_each_transition_of_a_status_is_one_write(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT", bid=1.0)
        await at(2)
        world.set_quote_states({"AAPL": "stale", "MSFT": "halted"})
        await at(10)
        assert world.sink.marked == [("AAPL", "stale"), ("MSFT", "halted")]
        world.set_quote_states({})
        world.say("AAPL", bid=1.0)
        await at(12)
        assert world.sink.marked[2:] == [("MSFT", "live")]
        assert len(world.sink.written("AAPL")) == 2
        assert {each["status"] for each in world.sink.quotes.values()} == {"live"}


async def test_a_quote_during_a_halt_says_halted(world: FlushingWorld) -> None:
    async with world.running():
        world.set_quote_states({"AAPL": "halted"})
        world.say("AAPL", bid=1.0)
        await at(2)
        assert world.sink.quotes["AAPL"]["status"] == "halted"


async def test_a_failed_transition_is_retried(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.sink.failure = SinkError("away")
        world.set_quote_states({"AAPL": "stale"})
        await at(3)
        world.sink.failure = None
        await at(10)
        assert world.sink.marked == [("AAPL", "stale")]


async def test_a_quiet_symbol_that_is_no_longer_paused_says_so_at_once(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.want(desired(pausedSymbols=[{"symbol": "AAPL"}]))
        await at(4)
        assert world.sink.quotes["AAPL"]["status"] == "paused"
        world.want(desired())
        await at(5)
        assert world.sink.quotes["AAPL"]["status"] == "live"
        await at(60)
        assert world.sink.marked == [("AAPL", "paused"), ("AAPL", "live")]


async def test_the_first_quote_after_a_silence_is_not_called_stale(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.set_quote_states({"AAPL": "stale"})
        await at(4)
        world.say("AAPL", bid=2.0)
        await at(6)
        assert [each.status for _, each in world.sink.written("AAPL")] == ["live", "live"]
        world.set_quote_states({})
        await at(60)
        assert world.sink.quotes["AAPL"]["status"] == "live"
        assert world.sink.marked == [("AAPL", "stale")]


async def test_a_snapshot_does_not_make_a_stale_symbol_live(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.set_quote_states({"AAPL": "stale"})
        await at(4)
        world.runtime.stream.apply_market_snapshot(MarketSnapshot((quote("AAPL", bid=2.0),)))
        await at(6)
        assert (world.sink.quotes["AAPL"]["bid"], world.sink.quotes["AAPL"]["status"]) == (2.0, "stale")


async def test_a_failed_mark_as_live_is_retried(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.set_quote_states({"AAPL": "halted"})
        await at(4)
        world.sink.failure = SinkError("away")
        world.set_quote_states({})
        await at(5)
        world.sink.failure = None
        await at(20)
        assert world.sink.marked == [("AAPL", "halted"), ("AAPL", "live")]


async def test_symbols_paused_before_the_start_are_marked_once() -> None:
    world = FlushingWorld(desired(pausedSymbols=[{"symbol": "AAPL"}]))
    async with world.running():
        await at(60)
        assert world.sink.marked == [("AAPL", "paused")]


async def test_many_transitions_and_a_busy_market_do_not_starve_each_other() -> None:
    names = [f"S{n}" for n in range(600)]
    world = FlushingWorld(desired(symbols=[*names, "BUSY"], limits={"writesPerSecond": 1, "burst": 1}))
    world.sink.seconds = 0.001
    async with world.running():
        world.set_quote_states(dict.fromkeys(names, "stale"))
        while seconds() < 30:
            world.say("BUSY", bid=seconds() + 1)
            await asyncio.sleep(0.1)
        assert len(world.sink.written("BUSY")) >= 25
        assert len(world.sink.marked) >= 600


async def test_the_last_bar_of_each_symbol_is_kept(world: FlushingWorld) -> None:
    async with world.running():
        world.runtime.stream.on_bars([bar(close=1.0), bar("GONE")])
        world.runtime.stream.on_bars([bar(close=1.5), bar("MSFT")])
        await at(1)
        assert {symbol: each["close"] for symbol, each in world.sink.bars.items()} == {"AAPL": 1.5, "MSFT": 1.0}
        assert world.sink.bars["AAPL"]["timeframe"] == "1Min"
        await at(60)
        assert world.sink.history == ["bars", "bars"]


async def test_a_bar_that_could_not_be_written_is_written_later_unless_a_newer_one_has_come(
    world: FlushingWorld,
) -> None:
    async with world.running():
        world.sink.failure = SinkError("away")
        world.runtime.stream.on_bars([bar(close=1.0), bar("MSFT")])
        await at(1)
        world.runtime.stream.on_bars([bar(close=2.0)])
        world.sink.failure = None
        await at(10)
        assert {symbol: each["close"] for symbol, each in world.sink.bars.items()} == {"AAPL": 2.0, "MSFT": 1.0}


async def test_a_paused_job_writes_no_bar(world: FlushingWorld) -> None:
    async with world.running():
        await world.flusher.drain_and_close()
        world.runtime.stream.on_bars([bar()])
        await at(60)
        assert world.sink.history == []


async def test_a_removed_symbol_s_bar_is_deleted_with_its_quote_and_its_time_is_forgotten(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT")
        world.runtime.stream.on_bars([bar("AAPL"), bar("MSFT")])
        await at(1)
        world.want(desired(symbols=["AAPL"], channels=ALL))
        await at(2)
        assert (set(world.sink.quotes), set(world.sink.bars)) == ({"AAPL"}, {"AAPL"})
        assert set(world.runtime.market.last_values.bar_times) == {"AAPL"}
        assert world.runtime.removed_symbols.deleted_symbols == {"MSFT"}
        world.want(desired())
        await at(3)
        assert world.runtime.removed_symbols.deleted_symbols == set()


async def test_documents_of_removed_symbols_from_an_earlier_process_are_deleted(world: FlushingWorld) -> None:
    async with world.running():
        await at(1)
        world.runtime.removed_symbols.add_inherited({"AAPL", "OLD"})
        await at(2)
        removed = world.runtime.removed_symbols
        assert world.sink.deleted == ["OLD"]
        assert (removed.deleted_symbols, removed.inherited_symbols) == (frozenset({"OLD"}), frozenset())


async def test_remaining_documents_are_deleted_only_after_the_pause(world: FlushingWorld) -> None:
    world.want(with_pause(desired(), PauseInForce(source="spec.enabled")))
    async with world.running():
        world.runtime.removed_symbols.add_inherited({"AAPL", "MSFT"})
        await at(10)
        world.want(with_pause(desired(symbols=["AAPL"]), PauseInForce(source="spec.enabled")))
        await at(20)
        assert world.sink.history == []
        world.want(desired(symbols=["AAPL"]))
        await at(21)
        assert world.sink.deleted == ["MSFT"]
        assert world.runtime.removed_symbols.deleted_symbols == {"MSFT"}


async def test_a_failed_deletion_is_retried_and_logged_only_when_it_succeeds(world: FlushingWorld) -> None:
    async with world.running():
        await at(1)
        world.sink.failure = SinkError("away")
        world.runtime.removed_symbols.add_inherited({"OLD"})
        await at(2)
        assert world.runtime.removed_symbols.deleted_symbols == set()
        world.sink.failure = None
        await at(10)
        assert world.runtime.removed_symbols.deleted_symbols == {"OLD"}


async def test_a_rejected_deletion_delays_no_quote(world: FlushingWorld) -> None:
    async def refuse(symbols: Iterable[str]) -> None:
        raise SinkError("Firestore refuses: no role may delete", 30.0)

    world.sink.delete_own_quotes_and_bars = refuse  # type: ignore[method-assign]
    async with world.running():
        world.say("AAPL", "MSFT")
        await at(2)
        world.want(desired(symbols=["AAPL"], pausedSymbols=[], channels=ALL))
        while seconds() < 60:
            world.say("AAPL", bid=seconds())
            await asyncio.sleep(1)
        assert len(world.sink.written("AAPL")) > 50
        assert world.runtime.snapshot().sink_failure == "Firestore refuses: no role may delete"


async def test_many_documents_are_deleted_a_hundred_at_a_time() -> None:
    names = [f"S{n}" for n in range(1999)]
    world = FlushingWorld(desired(symbols=["AAPL", *names]))
    async with world.running():
        await at(1)
        world.want(desired(symbols=["AAPL"]))
        await at(1.3)
        assert len(world.sink.deleted) <= 200
        await at(10)
        assert world.sink.deleted == sorted(names)


async def test_a_symbol_added_and_removed_in_a_slow_flush_leaves_no_document(world: FlushingWorld) -> None:
    async with world.running():
        world.say("AAPL", "MSFT")
        world.sink.seconds = 2.0
        await at(1)
        world.want(desired(symbols=["AAPL", "MSFT", "NVDA"], channels=ALL))
        world.say("NVDA")
        await at(3)
        world.want(desired(channels=ALL))
        world.sink.seconds = 0.0
        await at(30)
        assert world.sink.quotes.keys() == {"AAPL", "MSFT"}
