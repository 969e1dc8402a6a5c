"""Connections that are open and mute, in a whole pod with fakes, and silences that are none.

Also looked at: the first connection and later ones, extended hours, trades apart from quotes, halts, a market that is
silent as a whole, nights, an overloaded REST interface, an outage of Firestore, and steps of the clock of the node.
"""

import asyncio
from datetime import timedelta

import pytest

from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.market import Halt, Trade
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from support.runtime_fakes import job, quote
from support.snapshot_worlds import ALPACA, SnapshotWorld
from support.virtual_time import START, at, now, seconds


@pytest.fixture
async def world() -> SnapshotWorld:
    return SnapshotWorld()


@pytest.mark.parametrize("age", [1, 20, 1000])
async def test_a_connection_mute_from_its_start_is_replaced_within_two_minutes(
    world: SnapshotWorld, age: float
) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=age)),))
    async with world.running():
        await at(59)
        assert len(world.source.connections) == 1
        await at(75)
        assert len(world.source.connections) == 2
        # The new connection is as mute as the first, so it is replaced at growing intervals.
        await at(3600)
        assert 4 <= len(world.source.connections) <= 7


async def test_the_clock_of_the_node_has_no_part_in_it(world: SnapshotWorld) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running():
        for step in (timedelta(hours=-1), timedelta(seconds=40), timedelta(minutes=30)):
            await at(seconds() + 15)
            world.clock_error = step
        await at(75)
        assert len(world.source.connections) == 2


async def test_a_connection_that_falls_mute_in_extended_hours_is_replaced_within_200_seconds(
    world: SnapshotWorld,
) -> None:
    extended = MarketState("open", session="extended")
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running(lambda _: extended):
        while seconds() < 150:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        assert len(world.source.connections) == 1
        await at(270)
        assert len(world.source.connections) == 2


async def test_a_connection_that_is_mute_after_a_reconnect_is_replaced(world: SnapshotWorld) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running():
        while seconds() < 150:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        world.lose()
        await at(152 + 120)
        assert len(world.source.connections) == 3


async def test_mute_trades_are_found_while_quotes_arrive(
    world: SnapshotWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.job.declare(job(2, **ALPACA, channels=["quotes", "trades"]))
    world.snapshots.answer = lambda: MarketSnapshot(
        (quote("AAPL"),), (Trade(symbol="AAPL", ts=now(), price=1.0, size=1.0),)
    )
    async with world.running():
        while seconds() < 600:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        assert 2 <= len(world.source.connections) <= 3
        assert "AAPL was traded at" in caplog.text


async def test_a_mute_connection_is_found_although_firestore_is_away(world: SnapshotWorld) -> None:
    world.sink.failure = SinkError("Firestore is away")
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
    async with world.running():
        await at(120)
        assert len(world.source.connections) == 2
        world.sink.failure = None


async def test_a_mute_connection_is_found_after_rest_was_overloaded_for_a_minute(world: SnapshotWorld) -> None:
    async with world.running():
        await at(20)
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=1)),))
        world.snapshots.failure = "it answers HTTP 429"
        await at(80)
        world.snapshots.failure = None
        await at(80 + 60 + 130)
        assert len(world.source.connections) == 2


async def test_silence_without_a_missed_quote_is_not_a_failure(world: SnapshotWorld) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", START - timedelta(seconds=5)),))
    async with world.running():
        await at(3600)
        assert len(world.source.connections) == 1
        assert len(world.snapshots.asked) <= 70


async def test_a_lively_connection_that_falls_silent_with_its_market_is_not_replaced(world: SnapshotWorld) -> None:
    async with world.running():
        while seconds() < 600:
            world.source.connection.say(quote("AAPL"), quote("MSFT"))
            await asyncio.sleep(1)
        last = now()
        world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", last), quote("MSFT", last)))
        await at(7200)
        assert len(world.source.connections) == 1


async def test_newer_quotes_of_a_halted_symbol_are_no_evidence(world: SnapshotWorld) -> None:
    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL"),))
    async with world.running():
        world.runtime.stream.on_halts([Halt(symbol="AAPL", ts=now(), halted=True, code="H", reason="news")])
        await at(3600)
        assert len(world.source.connections) == 1


async def test_no_snapshot_is_requested_for_an_active_stream_or_a_closed_market(world: SnapshotWorld) -> None:
    def closed(_: object) -> MarketState:
        return MarketState("closed")

    world.snapshots.answer = lambda: MarketSnapshot((quote("AAPL", now() - timedelta(seconds=20)),))
    async with world.running(closed):
        await at(1800)
        assert len(world.snapshots.asked) == 1
        assert len(world.source.connections) == 1
