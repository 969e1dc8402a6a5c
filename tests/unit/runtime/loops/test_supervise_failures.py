"""A supervisor with a failing provider: the times of its retries, and its reports."""

import pytest

from sluice_contract.status import FailureType
from sluice_runtime.domain.failure import StreamError
from support.runtime_fakes import desired, quote, runtime_state
from support.runtime_worlds import SupervisedWorld
from support.virtual_time import at, seconds, settle


@pytest.fixture
async def world() -> SupervisedWorld:
    return SupervisedWorld(runtime_state())


def failure(kind: FailureType = "network", retry_after: float = 0.0) -> StreamError:
    return StreamError(kind, "it failed", retry_after)


async def test_failures_in_a_row_wait_longer_each_time(world: SupervisedWorld) -> None:
    world.source.failures.extend([("Connecting", failure())] * 4)
    async with world.running():
        await at(100)
        assert world.source.attempts == [0, 1, 3, 7, 15]
        counters = world.runtime.counters
        assert (counters.starts, counters.live_transitions) == (5, 1)


async def test_the_back_off_is_not_reset_by_a_connection_that_does_not_last(world: SupervisedWorld) -> None:
    async with world.running():
        for moment in (1.0, 3.0, 6.0, 11.0):
            await at(moment)
            world.source.connection.lose()
        await at(20.0)
        assert world.source.attempts == [0, 2, 5, 10, 19]


async def test_a_healthy_minute_resets_the_backoff(world: SupervisedWorld) -> None:
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


async def test_the_provider_s_own_wait_is_kept(world: SupervisedWorld) -> None:
    world.source.failures.append(("Authenticating", failure("connectionLimit", 5.0)))
    async with world.running():
        await at(60)
        assert world.source.attempts == [0, 5]


@pytest.mark.parametrize("kind", ["auth", "entitlement"])
async def test_a_rejected_login_is_tried_three_times_and_then_waits_for_a_fix(
    world: SupervisedWorld, kind: FailureType
) -> None:
    world.source.failures.extend([("Authenticating", failure(kind))] * 4)
    async with world.running():
        await at(100_000)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Blocked", 3)
        failed = world.runtime.snapshot().failure
        assert failed is not None
        assert (failed.type, failed.message) == (kind, "it failed")
        world.source.failures.clear()
        world.source.remedy.set()
        await settle()
        assert (world.runtime.stream.state, seconds()) == ("Live", 100_000)
        assert world.runtime.snapshot().failure is None


async def test_a_login_without_any_entitlement_is_tried_three_times(world: SupervisedWorld) -> None:
    world.source.failures.extend([("Acknowledging", failure("entitlement"))] * 9)
    async with world.running():
        await at(10_000)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Blocked", 3)


async def test_a_wrong_configuration_is_not_tried_twice(world: SupervisedWorld) -> None:
    world.source.failures.append(("Connecting", failure("configuration")))
    async with world.running():
        await at(100_000)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Blocked", 1)
        assert world.runtime.counters.errors == {"create_source": 1}


async def test_failures_that_may_be_fixed_elsewhere_are_retried_at_intervals(world: SupervisedWorld) -> None:
    untrusted = StreamError("certificate", "the certificate is not trusted", retry_within=120.0)
    world.source.failures.extend([("Connecting", untrusted)] * 3)
    async with world.running():
        await at(100)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Blocked", 1)
        await at(300)
        assert (world.runtime.stream.state, world.source.attempts) == ("Blocked", [0.0, 120.0, 240.0])
        await at(361)
        assert world.runtime.stream.state == "Live"


async def test_logins_rejected_long_ago_do_not_count(world: SupervisedWorld) -> None:
    world.source.failures.extend([("Authenticating", failure("auth"))] * 2)
    async with world.running():
        await at(50)
        world.source.failures.extend([("Authenticating", failure("auth"))] * 2)
        world.source.connection.lose()
        await at(500)
        assert world.runtime.stream.state == "Live"


async def test_a_fix_ends_a_backoff(world: SupervisedWorld) -> None:
    world.source.failures.append(("Connecting", failure("network", 500.0)))
    async with world.running():
        await at(10)
        world.source.remedy.set()
        await settle()
        assert (world.runtime.stream.state, seconds()) == ("Live", 10)


async def test_a_failure_is_counted_by_its_type_and_reported(world: SupervisedWorld) -> None:
    world.source.failures.append(("Acknowledging", failure("stall")))
    async with world.running():
        await at(0.5)
        assert world.runtime.counters.errors == {"stall": 1}
        failed = world.runtime.snapshot().failure
        assert failed is not None
        assert failed.type == "stall"


async def test_a_change_of_symbols_stays_on_the_connection(world: SupervisedWorld) -> None:
    async with world.running():
        await settle()
        world.runtime.desired.set(desired(symbols=["AAPL", "SPY"]))
        await settle()
        world.runtime.desired.set(desired(symbols=["AAPL", "SPY"], limits={"burst": 1}))
        await settle()
        assert len(world.source.attempts) == 1
        assert world.source.connection.followed == [frozenset({"AAPL", "MSFT"}), frozenset({"AAPL", "SPY"})]


async def test_a_rejected_symbol_is_in_the_ledger_and_the_others_are_live(world: SupervisedWorld) -> None:
    world.source.refused = frozenset({"MSFT"})
    async with world.running():
        await settle()
        ledger = world.runtime.snapshot().ledger
        assert ledger.confirmed == {"AAPL"}
        assert [each.symbol for each in ledger.rejected] == ["MSFT"]
        assert world.runtime.stream.state == "Live"


async def test_what_is_pending_at_a_pause_is_written_before_the_pause_is_acknowledged(world: SupervisedWorld) -> None:
    world.sink.seconds = 0.5
    async with world.running():
        await settle()
        world.source.connection.say(quote("AAPL"), quote("MSFT"))
        world.pause()
        await at(0.4)
        assert world.runtime.snapshot().acknowledgement is None
        await at(0.6)
        acknowledged = world.runtime.snapshot().acknowledgement
        assert acknowledged is not None
        assert acknowledged.last_write_at == acknowledged.at
        assert set(world.sink.quotes) == {"AAPL", "MSFT"}


async def test_a_certain_lack_of_entitlement_blocks_at_once_and_is_tried_again_after_its_time(
    world: SupervisedWorld,
) -> None:
    async with world.running():
        await at(1)
        world.source.connection.lose(
            StreamError("entitlement", "only delayed data", retry_within=300.0, is_certain=True)
        )
        await at(2)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Blocked", 1)
        found = world.runtime.snapshot().failure
        assert found is not None
        assert (found.type, found.message) == ("entitlement", "only delayed data")
        await at(305)
        assert len(world.source.attempts) == 2
