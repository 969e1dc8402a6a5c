"""Credentials that appear late, become invalid or are replaced, with fake sinks."""

import asyncio
from pathlib import Path

import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.sinks.dry_run_sink import DryRunSink
from sluice_runtime.sinks.firestore.reloading_sink import ReloadingSink
from support.fake_sink import FakeSink
from support.sinks import gap, heartbeat, quote, state
from support.virtual_time import at


class World:
    """A mounted key, which is valid if it begins with `key`."""

    def __init__(self, folder: Path) -> None:
        self.key = folder / "credentials.json"
        self.made: list[FakeSink] = []
        self.is_dry = False
        self.has_identity = False
        self.attempts = 0
        self.seconds = 0.0
        self.sink = ReloadingSink(self._make, self.key, lambda: self.is_dry, DryRunSink(WriteLog()))

    async def _make(self) -> FakeSink:
        self.attempts += 1
        await asyncio.sleep(self.seconds)
        if not self.has_identity and not (self.key.exists() and self.key.read_text().startswith("key")):
            raise ValueError("there are no usable credentials: put some there")
        self.made.append(FakeSink())
        return self.made[-1]


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_calls_are_forwarded_to_a_sink_that_is_created_once(world: World) -> None:
    world.key.write_text("key 1")
    await world.sink.open()
    await world.sink.write_quotes([quote("AAPL")])
    await world.sink.set_status_of_existing_quotes(["AAPL"], "stale")
    await world.sink.merge_ingest_states([state("AAPL", "paused")])
    await world.sink.write_gaps([gap()], replace=True)
    await world.sink.write_heartbeat(heartbeat("uid", 1))
    assert await world.sink.quote_document_times(["AAPL"]) == {"AAPL": quote("AAPL").ts}
    assert await world.sink.recorded_symbols_of_job() == await world.sink.symbols_recorded_as_paused() == {"AAPL"}
    await world.sink.delete_own_quotes_and_bars(["AAPL"])
    await world.sink.close()
    [made] = world.made
    assert made.history == ["write", "mark", "gaps 1", "beat running", "delete", "close"]


async def test_without_credentials_each_call_fails_until_there_are_some(world: World) -> None:
    for moment in (0.0, 0.5, 5.0):
        await at(moment)
        with pytest.raises(SinkError, match=r"^there are no usable credentials: put some there$"):
            await world.sink.write_quotes([quote("AAPL")])
    assert world.attempts == 2
    world.key.write_text("key 1")
    await at(6.1)
    await world.sink.write_quotes([quote("AAPL")])
    assert set(world.made[0].quotes) == {"AAPL"}


async def test_an_identity_that_arrives_late_is_looked_for_after_1_2_4_and_8_s_and_then_every_30_s(
    world: World,
) -> None:
    began = asyncio.get_running_loop().time()
    attempts: list[int] = []
    for moment in range(100):
        await at(began + moment)
        before = world.attempts
        with pytest.raises(SinkError):
            await world.sink.open()
        attempts += [moment] * (world.attempts - before)
    assert attempts == [0, 1, 3, 7, 15, 45, 75]
    world.has_identity = True
    await at(began + 105)
    await world.sink.open()
    assert len(world.made) == 1


async def test_the_wait_for_an_identity_begins_when_an_attempt_has_ended(world: World) -> None:
    world.seconds = 9.0  # a metadata server that does not answer at all
    began = asyncio.get_running_loop().time()
    for _ in range(3):
        with pytest.raises(SinkError):
            await world.sink.open()
    assert (world.attempts, asyncio.get_running_loop().time() - began) == (1, 9.0)
    await at(began + 10)
    with pytest.raises(SinkError):
        await world.sink.open()
    assert world.attempts == 2


async def test_a_dry_run_without_credentials_fails_nothing_and_writes_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.is_dry = True
    for moment in range(100):
        await at(moment)
        await world.sink.write_gaps([gap()], replace=True)
    await world.sink.write_heartbeat(heartbeat("uid", 1))
    assert await world.sink.quote_document_times(["AAPL"]) == {}
    assert await world.sink.symbols_recorded_as_paused() == await world.sink.recorded_symbols_of_job() == frozenset()
    assert caplog.text.count("dry run without Firestore") == 1
    world.is_dry = False
    with pytest.raises(SinkError, match="put some there"):
        await world.sink.write_heartbeat(heartbeat("uid", 1))


async def test_replaced_credentials_are_used_and_calls_in_flight_end_before_the_old_sink_closes(
    world: World,
) -> None:
    world.key.write_text("key 1")
    await world.sink.open()
    [old] = world.made
    old.seconds = 3.0
    in_flight = asyncio.create_task(world.sink.write_quotes([quote("AAPL")]))
    await at(2)
    world.key.write_text("key 2")
    await world.sink.write_quotes([quote("MSFT")])
    assert old.history == []
    await in_flight
    assert old.history == ["write", "close"]
    assert (set(old.quotes), set(world.made[1].quotes)) == ({"AAPL"}, {"MSFT"})
    await world.sink.close()
    assert world.made[1].history[-1] == "close"


async def test_an_idle_sink_is_closed_as_soon_as_it_is_replaced(world: World) -> None:
    world.key.write_text("key 1")
    await world.sink.open()
    await at(2)
    world.key.write_text("key 2")
    await world.sink.open()
    assert world.made[0].history == ["close"]


@pytest.mark.parametrize("content", ["spoilt", None])
async def test_invalid_or_absent_credentials_do_not_replace_those_in_use(
    world: World, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    world.key.write_text("key 1")
    await world.sink.open()
    if content is None:
        world.key.unlink()
    else:
        world.key.write_text(content)
    for moment in (2, 4, 40):
        await at(moment)
        await world.sink.write_quotes([quote("AAPL")])
    assert len(world.made) == 1
    assert len(world.made[0].writes) == 3
    assert caplog.text.count("using the previous credentials") == (0 if content is None else 1)


async def test_a_cancelled_attempt_is_repeated_by_the_next_call(world: World) -> None:
    world.key.write_text("key 1")
    world.seconds = 5.0
    first = asyncio.create_task(world.sink.open())
    await at(1)
    await cancel_and_wait(first)
    await world.sink.write_quotes([quote("AAPL")])
    assert len(world.made) == 1
