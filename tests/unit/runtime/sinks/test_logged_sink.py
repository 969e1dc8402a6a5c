"""What a sink logs of the writes that another sink has acknowledged."""

from __future__ import annotations

import pytest

from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.sinks.logged_sink import LoggedSink
from support.fake_sink import FakeSink
from support.sinks import bar, gap, heartbeat, quote, state


class World:
    """A logged sink in front of a fake one."""

    def __init__(self) -> None:
        self.log = WriteLog()
        self.fake = FakeSink()
        self.sink = LoggedSink(self.fake, self.log)

    async def write_each_kind(self) -> None:
        """Make one write of each kind."""
        await self.sink.write_quotes([quote("AAPL"), quote("MSFT")])
        await self.sink.write_bars([bar("AAPL")])
        await self.sink.set_status_of_existing_quotes(["AAPL", "ABSENT"], "stale")
        await self.sink.merge_ingest_states([state("AAPL", "paused")])
        await self.sink.write_gaps([gap()], replace=True)
        await self.sink.delete_own_quotes_and_bars(["MSFT"])
        await self.sink.write_heartbeat(heartbeat("uid", 1))


@pytest.fixture
async def world() -> World:
    return World()


async def test_each_acknowledged_document_is_counted_by_its_kind(world: World) -> None:
    await world.write_each_kind()
    assert world.log.documents == {
        "quotes": 2,
        "bars": 1,
        "statuses": 1,
        "records": 1,
        "gaps": 1,
        "deletions": 1,
    }
    assert world.log.heartbeats == 1


async def test_reads_and_the_end_are_passed_on_and_not_counted(world: World) -> None:
    await world.write_each_kind()
    counted = world.log.documents.copy()
    assert await world.sink.quote_document_times(["AAPL"]) == {"AAPL": quote("AAPL").ts}
    assert await world.sink.recorded_symbols_of_job() == await world.sink.symbols_recorded_as_paused() == {"AAPL"}
    assert await world.sink.recorded_pause_starts(["AAPL"]) == await world.fake.recorded_pause_starts(["AAPL"])
    stored = await world.sink.stored_heartbeat()
    assert stored is not None
    assert (stored.job_uid, stored.epoch) == ("uid", 1)
    await world.sink.close()
    assert world.fake.history[-1] == "close"
    assert world.log.documents == counted


async def test_a_failed_write_is_neither_logged_nor_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.fake.failure = SinkError("denied")
    for write in (
        world.sink.write_quotes([quote("AAPL")]),
        world.sink.write_bars([bar("AAPL")]),
        world.sink.set_status_of_existing_quotes(["AAPL"], "stale"),
        world.sink.merge_ingest_states([state("AAPL", "paused")]),
        world.sink.write_gaps([gap()], replace=True),
        world.sink.delete_own_quotes_and_bars(["AAPL"]),
        world.sink.write_heartbeat(heartbeat("uid", 1)),
    ):
        with pytest.raises(SinkError):
            await write
    assert (world.log.documents, world.log.heartbeats, caplog.records) == ({}, 0, [])
