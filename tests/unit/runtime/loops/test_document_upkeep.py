"""Documents that another client has deleted."""

import pytest

from support.runtime_fakes import desired
from support.runtime_worlds import FlushingWorld
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
