"""One supervisor on a fake provider: when it connects, and that it never has two connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_contract.status import FailureType
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.desired import UNREAD, halted
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.market import Origin
from sluice_runtime.domain.pause import Pause
from sluice_runtime.loops.flush import Flusher
from sluice_runtime.loops.journal import Journal
from sluice_runtime.loops.racing import cancel
from sluice_runtime.loops.supervise import Supervisor
from support.runtime_fakes import FakeSink, FakeSource, aim, journal, quote
from support.virtual_time import at, now, seconds, settle

PAUSE = Pause(source="cr:acme/us")
PHASES = {"Connecting": 1.0, "Authenticating": 1.0, "Subscribing": 0.0, "Acknowledging": 1.0}


class World:
    """A supervisor that runs, and everything around it."""

    def __init__(self, book: Journal) -> None:
        self.journal = book
        self.source = FakeSource()
        self.sink = FakeSink()
        origin = Origin(source="fake", session_id="s", epoch=1)
        self.flusher = Flusher(self.sink, book, origin, Backoff(0.5, 30.0, lambda _, high: high))
        backoff = Backoff(1.0, 60.0, lambda _, high: high)
        self.supervisor = Supervisor(self.source, self.flusher, book, backoff)

    def pause(self) -> None:
        self.journal.aim.set(halted(self.journal.aim.value, PAUSE))

    def resume(self) -> None:
        self.journal.aim.set(aim())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.supervisor.run())
        try:
            yield
        finally:
            await cancel(task)
            assert self.source.open == 0
            assert self.source.most_open <= 1


@pytest.fixture
async def world() -> World:
    return World(journal())


def failure(kind: FailureType = "network", retry_after: float = 0.0) -> StreamError:
    return StreamError(kind, "it failed", retry_after)


async def test_it_connects_at_once_and_is_live_with_the_acknowledgement(world: World) -> None:
    async with world.running():
        await settle()
        assert world.journal.state == "Live"
        assert seconds() == 0
        assert world.source.connection.followed == [frozenset({"AAPL", "MSFT"})]
        assert world.journal.counters.starts == 1


async def test_it_is_not_live_before_the_provider_has_acknowledged(world: World) -> None:
    world.source.phase_seconds = PHASES
    async with world.running():
        states = []
        for moment in (0.5, 1.5, 2.5, 3.5):
            await at(moment)
            states.append(world.journal.state)
    assert states == ["Connecting", "Authenticating", "Subscribing", "Live"]


@pytest.mark.parametrize(
    ("moment", "state"), [(0.5, "Connecting"), (1.5, "Authenticating"), (2.5, "Subscribing"), (9.0, "Live")]
)
async def test_a_pause_closes_the_socket_in_every_phase(world: World, moment: float, state: str) -> None:
    world.source.phase_seconds = PHASES
    async with world.running():
        await at(moment)
        assert world.journal.state == state
        world.pause()
        await settle()
        assert (world.journal.state, world.source.open) == ("Paused", 0)
        snapshot = world.journal.snapshot()
        assert snapshot.acknowledgement is not None
        assert snapshot.acknowledgement.at == now()
        assert snapshot.acknowledgement.socket_closed_at == (None if state == "Connecting" else now())
        await at(moment + 1000)
        assert len(world.source.attempts) == 1
        world.resume()
        await settle()
        assert len(world.source.attempts) == 2


async def test_a_pause_ends_a_back_off(world: World) -> None:
    world.source.failures.extend([("Connecting", failure())] * 5)
    async with world.running():
        await at(6.5)
        assert (world.journal.state, len(world.source.attempts)) == ("BackingOff", 3)
        world.pause()
        await settle()
        assert world.journal.state == "Paused"
        assert world.journal.snapshot().failure is None


async def test_a_pause_ends_a_block(world: World) -> None:
    world.source.failures.append(("Authenticating", failure("configuration")))
    async with world.running():
        await at(100)
        assert (world.journal.state, world.source.open) == ("Blocked", 0)
        world.pause()
        await settle()
        assert world.journal.state == "Paused"
        world.resume()
        await settle()
        assert world.journal.state == "Live"


async def test_a_pause_after_the_end_of_the_stream_leaves_it_finished_in_the_end(world: World) -> None:
    async with world.running():
        await settle()
        world.source.connection.finish()
        await settle()
        assert (world.journal.state, world.source.open) == ("Finished", 0)
        world.pause()
        await settle()
        assert world.journal.state == "Paused"


async def test_a_resumed_stream_connects_at_once_whatever_failed_before(world: World) -> None:
    world.source.failures.extend([("Connecting", failure())] * 7)
    async with world.running():
        await at(200)
        world.pause()
        await settle()
        world.source.failures.clear()
        world.resume()
        await settle()
        assert (world.journal.state, seconds()) == ("Live", 200)


async def test_pause_resume_pause_within_a_moment_ends_paused_with_one_connection_at_a_time(world: World) -> None:
    world.source.closing_seconds = 1.5
    async with world.running():
        await at(1.0)
        for moment, change in ((1.0, world.pause), (1.05, world.resume), (1.1, world.pause)):
            await at(moment)
            change()
        await at(10.0)
        assert (world.journal.state, world.source.open, world.source.most_open) == ("Paused", 0, 1)
        assert world.journal.snapshot().acknowledgement is not None


async def test_a_resume_while_the_socket_closes_waits_until_it_is_closed(world: World) -> None:
    world.source.closing_seconds = 1.5
    async with world.running():
        await at(1.0)
        world.pause()
        await at(1.5)
        world.resume()
        await at(10.0)
        assert world.journal.state == "Live"
        assert world.source.attempts == [0.0, 2.5]
        assert world.source.most_open == 1


async def test_a_job_created_paused_never_connects() -> None:
    world = World(journal(halted(aim(), PAUSE)))
    async with world.running():
        await at(10_000)
        assert world.source.attempts == []
        acknowledged = world.journal.snapshot().acknowledgement
        assert acknowledged is not None
        assert acknowledged.socket_closed_at is None
        assert world.journal.counters.stops == {}


async def test_nothing_connects_before_the_job_was_read() -> None:
    world = World(journal(halted(aim(), UNREAD)))
    async with world.running():
        await at(600)
        assert world.source.attempts == []
        world.resume()
        await settle()
        assert world.journal.state == "Live"


async def test_each_pause_of_an_open_stream_counts_as_a_stop_by_request(world: World) -> None:
    async with world.running():
        for _ in range(3):
            await settle()
            world.pause()
            await settle()
            world.resume()
        await settle()
        assert world.journal.counters.stops == {"operator_request": 3}
        assert world.journal.counters.starts == 4


async def test_failures_in_a_row_wait_longer_each_time(world: World) -> None:
    world.source.failures.extend([("Connecting", failure())] * 4)
    async with world.running():
        await at(100)
        assert world.source.attempts == [0, 1, 3, 7, 15]


async def test_the_back_off_is_not_reset_by_a_connection_that_does_not_last(world: World) -> None:
    async with world.running():
        for moment in (1.0, 3.0, 6.0, 11.0):
            await at(moment)
            world.source.connection.lose()
        await at(20.0)
        assert world.source.attempts == [0, 2, 5, 10, 19]


async def test_the_back_off_is_reset_by_a_minute_of_health(world: World) -> None:
    world.source.failures.extend([("Connecting", failure())] * 4)
    async with world.running():
        await at(15 + 59.9)
        world.source.connection.lose()
        await at(15 + 59.9 + 16)
        assert world.source.attempts[-1] == pytest.approx(15 + 59.9 + 16)
        await at(200)
        world.source.connection.lose()
        await at(201)
        assert world.source.attempts[-1] == pytest.approx(201)


async def test_the_provider_s_own_wait_is_kept(world: World) -> None:
    world.source.failures.append(("Authenticating", failure("connectionLimit", 5.0)))
    async with world.running():
        await at(60)
        assert world.source.attempts == [0, 5]


@pytest.mark.parametrize("kind", ["auth", "entitlement"])
async def test_a_refused_login_is_tried_three_times_and_then_waits_for_a_remedy(
    world: World, kind: FailureType
) -> None:
    world.source.failures.extend([("Authenticating", failure(kind))] * 4)
    async with world.running():
        await at(100_000)
        assert (world.journal.state, len(world.source.attempts)) == ("Blocked", 3)
        failed = world.journal.snapshot().failure
        assert failed is not None
        assert (failed.type, failed.message) == (kind, "it failed")
        world.source.failures.clear()
        world.source.remedy.set()
        await settle()
        assert (world.journal.state, seconds()) == ("Live", 100_000)
        assert world.journal.snapshot().failure is None


async def test_a_wrong_configuration_is_not_tried_twice(world: World) -> None:
    world.source.failures.append(("Connecting", failure("configuration")))
    async with world.running():
        await at(100_000)
        assert (world.journal.state, len(world.source.attempts)) == ("Blocked", 1)


async def test_logins_refused_long_ago_do_not_count(world: World) -> None:
    world.source.failures.extend([("Authenticating", failure("auth"))] * 2)
    async with world.running():
        await at(50)
        world.source.failures.extend([("Authenticating", failure("auth"))] * 2)
        world.source.connection.lose()
        await at(500)
        assert world.journal.state == "Live"


async def test_a_remedy_ends_a_back_off(world: World) -> None:
    world.source.failures.append(("Connecting", failure("network", 500.0)))
    async with world.running():
        await at(10)
        world.source.remedy.set()
        await settle()
        assert (world.journal.state, seconds()) == ("Live", 10)


async def test_a_failure_is_counted_by_its_kind_and_told(world: World) -> None:
    world.source.failures.append(("Acknowledging", failure("stall")))
    async with world.running():
        await at(0.5)
        assert world.journal.counters.errors == {"stall": 1}
        failed = world.journal.snapshot().failure
        assert failed is not None
        assert failed.type == "stall"


async def test_a_change_of_symbols_stays_on_the_connection(world: World) -> None:
    async with world.running():
        await settle()
        world.journal.aim.set(aim(symbols=["AAPL", "SPY"]))
        await settle()
        world.journal.aim.set(aim(symbols=["AAPL", "SPY"], limits={"burst": 1}))
        await settle()
        assert len(world.source.attempts) == 1
        assert world.source.connection.followed == [frozenset({"AAPL", "MSFT"}), frozenset({"AAPL", "SPY"})]


async def test_a_refused_symbol_is_in_the_ledger_and_the_others_are_live(world: World) -> None:
    world.source.refused = frozenset({"MSFT"})
    async with world.running():
        await settle()
        ledger = world.journal.snapshot().ledger
        assert ledger.confirmed == {"AAPL"}
        assert [each.symbol for each in ledger.rejected] == ["MSFT"]
        assert world.journal.state == "Live"


async def test_what_is_pending_at_a_pause_is_written_before_the_pause_is_acknowledged(world: World) -> None:
    world.sink.seconds = 0.5
    async with world.running():
        await settle()
        world.source.connection.say(quote("AAPL"), quote("MSFT"))
        world.pause()
        await at(0.4)
        assert world.journal.snapshot().acknowledgement is None
        await at(0.6)
        acknowledged = world.journal.snapshot().acknowledgement
        assert acknowledged is not None
        assert acknowledged.last_write_at == acknowledged.at
        assert set(world.sink.quotes) == {"AAPL", "MSFT"}
