import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from sluice_contract.gap_documents import GapRepair
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.market import Bar, Trade
from sluice_runtime.domain.market_history import HistoryPage, HistoryRequest
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.history_ports import HistoryError
from sluice_runtime.loop_wiring import create_gap_repairer
from support.runtime_fakes import bar, desired, runtime_state
from support.virtual_time import START, at, seconds


def trade(n: int) -> Trade:
    return Trade(symbol="AAPL", ts=START + timedelta(seconds=n), price=100.0 + n, size=1.0)


class FakeHistory:
    """Answers requests for trades with `pages` pages of one trade each, and requests for bars with one bar."""

    def __init__(self) -> None:
        self.pages = 1
        self.failures: list[HistoryError] = []
        self.requests: list[tuple[float, str, str | None]] = []

    async def fetch_page(self, request: HistoryRequest, page: str | None) -> HistoryPage:
        self.requests.append((seconds(), request.kind, page))
        await asyncio.sleep(0.1)
        if self.failures:
            raise self.failures.pop(0)
        if request.kind == "bars":
            return HistoryPage(bars=[bar()])
        number = int(page or 0)
        return HistoryPage(trades=[trade(number)], next_page=str(number + 1) if number + 1 < self.pages else None)


class FakeTape:
    """A tape that keeps what it gets."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.bars: list[Bar] = []
        self.flushes = 0

    def add_trades(self, trades: Sequence[Trade]) -> None:
        self.trades.extend(trades)

    def add_bars(self, bars: Sequence[Bar]) -> None:
        self.bars.extend(bars)

    def flush(self) -> None:
        self.flushes += 1


class World:
    """A repairer with the state of a runtime, a history and a tape."""

    def __init__(self) -> None:
        self.runtime, self.history, self.tape = runtime_state(), FakeHistory(), FakeTape()
        self.repairer = create_gap_repairer(
            self.runtime, self.history, self.tape, lambda: Backoff(2.0, 60.0, lambda _, most: most)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.repairer.run())
        try:
            yield
        finally:
            await cancel_and_wait(task)

    def lose_stream(self) -> None:
        self.runtime.stream.on_state("Live")
        self.runtime.stream.on_socket_closed()
        self.runtime.stream.on_state("BackingOff")
        self.runtime.stream.on_state("Live")

    @property
    def repair(self) -> GapRepair:
        return self.runtime.gaps.waiting(1)[0].repair


@pytest.fixture
async def world() -> World:
    return World()


async def test_all_pages_go_to_the_tape_and_are_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.history.pages = 3
    async with world.running():
        world.lose_stream()
        await at(30)
    assert [each.price for each in world.tape.trades] == [100.0, 101.0, 102.0]
    assert len(world.tape.bars) == 1
    assert world.repair == GapRepair(trades=3, bars=1, open_symbols=0)
    assert world.runtime.counters.gap_repairs == {"trades": 3, "bars": 1, "open_symbols": 0}
    assert "fetched 3 trades and 1 bars of the gap since 2026-03-02T15:00:00+00:00; 0 of 2 symbols" in caplog.text
    assert world.tape.flushes == 1


async def test_the_history_gets_five_seconds_to_be_complete(world: World) -> None:
    async with world.running():
        world.lose_stream()
        await at(4.9)
        assert world.history.requests == []
        await at(7)
        assert world.history.requests != []


async def test_requests_are_half_a_second_apart(world: World) -> None:
    world.history.pages = 5
    async with world.running():
        world.lose_stream()
        await at(30)
    moments = [moment for moment, _, _ in world.history.requests]
    assert min(after - before for before, after in pairwise(moments)) >= 0.5


async def test_a_failed_page_is_requested_again_and_nothing_is_twice_on_the_tape(world: World) -> None:
    world.history.pages = 2
    world.history.failures = [HistoryError("HTTP 503"), HistoryError("HTTP 429")]
    async with world.running():
        world.lose_stream()
        await at(60)
    assert [each.price for each in world.tape.trades] == [100.0, 101.0]
    assert world.repair == GapRepair(trades=2, bars=1, open_symbols=0)


async def test_what_cannot_be_fetched_remains_open(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.history.failures = [HistoryError("the interface answered HTTP 503")] * 6
    async with world.running():
        world.lose_stream()
        await at(600)
    assert world.repair == GapRepair(trades=0, bars=1, open_symbols=2)
    assert "2 of 2 symbols remain open: the interface answered HTTP 503" in caplog.text
    assert world.runtime.counters.gap_repairs["open_symbols"] == 2


async def test_a_refusal_is_not_repeated(world: World) -> None:
    world.history.failures = [HistoryError("HTTP 403", is_final=True)] * 2
    async with world.running():
        world.lose_stream()
        await at(60)
    assert [kind for _, kind, _ in world.history.requests] == ["trades", "bars"]
    assert world.repair.open_symbols == 2


async def test_a_pause_interrupts_at_once_and_the_repair_continues_where_it_was(world: World) -> None:
    world.history.pages = 8
    async with world.running():
        world.lose_stream()
        await at(7.65)  # during a request
        before = len(world.tape.trades)
        world.runtime.updater.apply_desired(with_pause(desired(), PauseInForce(source="spec.enabled")))
        world.runtime.stream.on_socket_closed()
        world.runtime.stream.on_state("Paused")
        world.runtime.stream.acknowledge_pause(world.runtime.sink_health.last_write_at)
        await at(100)
        assert len(world.tape.trades) == before < 8
        world.runtime.updater.apply_desired(desired())
        world.runtime.stream.on_state("Live")
        await at(120)
    assert [each.price for each in world.tape.trades][:8] == [100.0 + n for n in range(8)]


async def test_a_gap_with_too_much_data_remains_open(world: World) -> None:
    world.history.pages = 100_000
    async with world.running():
        world.lose_stream()
        await at(1000)
    assert world.repair.open_symbols == 2
    assert len(world.history.requests) == 500


async def test_gaps_are_repaired_one_after_the_other(world: World) -> None:
    async with world.running():
        world.lose_stream()
        await at(0.5)
        world.lose_stream()
        await at(30)
    assert [each.repair.open_symbols for each in world.runtime.gaps.waiting(10)] == [0, 0]
    assert len(world.tape.bars) == 2
