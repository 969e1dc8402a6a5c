import asyncio
from typing import Any, Literal

import pytest

from sluice_contract.synthetic import SyntheticFault, SyntheticSettings
from sluice_runtime.aio.waiting import run_with_timeout
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.market import Quote, Tick
from sluice_runtime.providers.simulated_quotes import PriceWalk, SyntheticSource
from support.fake_listener import FakeListener
from support.virtual_time import START, at, now, seconds


def source(**settings: Any) -> SyntheticSource:
    return SyntheticSource(SyntheticSettings(**settings), now)


async def stream(source: SyntheticSource, listener: FakeListener, for_seconds: float, *symbols: str) -> list[Tick]:
    async with source.connect(listener) as connection:
        await connection.set_subscriptions(frozenset(symbols))
        await run_with_timeout(for_seconds, connection.run())
    return listener.ticks


def test_the_same_seed_and_symbol_give_the_same_prices() -> None:
    walks = [PriceWalk(1, "AAPL"), PriceWalk(1, "AAPL"), PriceWalk(2, "AAPL"), PriceWalk(1, "MSFT")]
    first, second, third, fourth = ([walk.next_quote(START) for _ in range(100)] for walk in walks)
    assert first == second
    assert first != third
    assert [each.bid for each in first] != [each.bid for each in fourth]


def test_a_walk_is_the_same_in_every_release() -> None:
    walk = PriceWalk(1, "AAPL")
    assert [(each.bid, each.ask) for each in (walk.next_quote(START) for _ in range(3))] == [
        (335.49, 335.51),
        (335.49, 335.52),
        (335.48, 335.5),
    ]


def test_prices_stay_plausible() -> None:
    walk = PriceWalk(3, "PENNY")
    for _ in range(5_000):
        each = walk.next_quote(START)
        assert each.bid is not None
        assert each.ask is not None
        assert 1.0 <= each.bid < each.ask


@pytest.mark.parametrize("rate", [1, 5, 50, 3_000])
async def test_the_rate_is_that_of_all_symbols_together(rate: int) -> None:
    ticks = await stream(source(quotes_per_second=rate), FakeListener(), 10.0, "A", "B", "C")
    assert len(ticks) == pytest.approx(rate * 10, abs=max(2, rate * 0.03))


async def test_the_symbols_are_quoted_in_turn() -> None:
    ticks = await stream(source(quotes_per_second=10), FakeListener(), 1.05, "B", "A", "C")
    assert [each.symbol for each in ticks][:9] == ["A", "B", "C"] * 3


async def test_two_runs_give_the_same_quotes() -> None:
    runs = [await stream(source(seed=5), FakeListener(), 3.0, "A", "B") for _ in range(2)]
    prices = [[(each.symbol, each.bid) for each in run if isinstance(each, Quote)] for run in runs]
    assert prices[0] == prices[1] != []


async def test_the_prices_continue_after_a_pause() -> None:
    whole = await stream(source(), FakeListener(), 4.1, "A")
    paused = source()
    parts = await stream(paused, FakeListener(), 2.1, "A")
    await asyncio.sleep(100)
    parts += await stream(paused, FakeListener(), 2.1, "A")
    assert [each.to_quote().bid for each in parts] == [each.to_quote().bid for each in whole]


async def test_every_symbol_is_confirmed_and_the_end_of_the_connection_reported() -> None:
    listener = FakeListener()
    await stream(source(), listener, 1.0, "A", "B")
    assert listener.confirmed == {"A", "B"}
    assert listener.history == ["Connecting", "acknowledged", "closed"]


async def test_without_symbols_there_are_no_quotes_and_no_burst_afterwards() -> None:
    listener = FakeListener()
    made = source(quotes_per_second=10)
    async with made.connect(listener) as connection:
        task = asyncio.create_task(connection.run())
        await connection.set_subscriptions(frozenset())
        await asyncio.sleep(100)
        assert listener.ticks == []
        await connection.set_subscriptions(frozenset("A"))
        await asyncio.sleep(1)
        task.cancel()
    assert 9 <= len(listener.ticks) <= 11


async def test_a_provider_that_cannot_fail_never_waits_for_a_fix() -> None:
    assert not await run_with_timeout(1_000_000, source().wait_for_fix())


def scripted(kind: Literal["gap", "halt", "mute"]) -> SyntheticSettings:
    return SyntheticSettings(quotes_per_second=10, faults=[SyntheticFault(kind=kind, after_seconds=10, for_seconds=5)])


async def test_a_scripted_mute_is_silent_and_ends_by_itself() -> None:
    listener = FakeListener()
    await stream(SyntheticSource(scripted("mute"), now), listener, 20.0, "A", "B")
    moments = [moment for moment, _ in listener.frames]
    assert not [moment for moment in moments if 10.0 <= moment < 15.0]
    assert [moment for moment in moments if moment >= 15.0]
    assert len([moment for moment in moments if moment < 10.0]) > 90


async def test_a_scripted_halt_is_reported_with_its_end_and_quotes_do_not_change() -> None:
    listener = FakeListener()
    await stream(SyntheticSource(scripted("halt"), now), listener, 20.0, "A", "B")
    assert [(each.symbol, each.halted, each.code) for each in listener.halts] == [
        ("A", True, "H"),
        ("B", True, "H"),
        ("A", False, "T"),
        ("B", False, "T"),
    ]
    assert not [moment for moment, _ in listener.frames if 10.0 <= moment < 15.0]


async def test_a_scripted_gap_ends_the_connection_and_rejects_others_until_it_ends() -> None:
    source = SyntheticSource(scripted("gap"), now)
    async with source.connect(FakeListener()) as connection:
        await connection.set_subscriptions(frozenset("A"))
        with pytest.raises(StreamError) as lost:
            await connection.run()
    assert (lost.value.kind, 10.0 <= seconds() < 10.2) == ("upstreamClosed", True)
    with pytest.raises(StreamError, match="cannot be reached"):
        async with source.connect(FakeListener()):
            pass
    await at(15.0)
    async with source.connect(FakeListener()):
        pass
