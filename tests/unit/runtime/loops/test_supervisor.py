"""A supervisor with a fake provider: the times of its connections, of which there are never two at once."""

import msgspec
import pytest

from sluice_contract.status import FailureType
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.failure import DocumentConflictError, StreamError
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, identity, runtime_state
from support.runtime_worlds import PAUSE, PHASES, SupervisedWorld
from support.virtual_time import at, now, seconds, settle

CONFLICT = DocumentConflictError("another job writes", "job acme/fx", 30.0)


@pytest.fixture
async def world() -> SupervisedWorld:
    return SupervisedWorld(runtime_state())


def failure(kind: FailureType = "network", retry_after: float = 0.0) -> StreamError:
    return StreamError(kind, "it failed", retry_after)


async def test_it_connects_at_once_and_is_live_with_the_acknowledgement(world: SupervisedWorld) -> None:
    async with world.running():
        await settle()
        assert world.runtime.stream.state == "Live"
        assert seconds() == 0
        assert world.source.connection.followed == [frozenset({"AAPL", "MSFT"})]
        assert world.runtime.counters.live_transitions == 1


async def test_it_is_not_live_before_the_provider_has_acknowledged(world: SupervisedWorld) -> None:
    world.source.phase_seconds = PHASES
    async with world.running():
        states = []
        for moment in (0.5, 1.5, 2.5, 3.5):
            await at(moment)
            states.append(world.runtime.stream.state)
    assert states == ["Connecting", "Authenticating", "Subscribing", "Live"]


@pytest.mark.parametrize(
    ("moment", "state"), [(0.5, "Connecting"), (1.5, "Authenticating"), (2.5, "Subscribing"), (9.0, "Live")]
)
async def test_a_pause_closes_the_socket_in_every_phase(world: SupervisedWorld, moment: float, state: str) -> None:
    world.source.phase_seconds = PHASES
    async with world.running():
        await at(moment)
        assert world.runtime.stream.state == state
        world.pause()
        await settle()
        assert (world.runtime.stream.state, world.source.open) == ("Paused", 0)
        snapshot = world.runtime.snapshot()
        assert snapshot.acknowledgement is not None
        assert snapshot.acknowledgement.at == now()
        assert snapshot.acknowledgement.socket_closed_at == (None if state == "Connecting" else now())
        await at(moment + 1000)
        assert len(world.source.attempts) == 1
        world.resume()
        await settle()
        assert len(world.source.attempts) == 2


async def test_a_pause_ends_a_back_off(world: SupervisedWorld) -> None:
    world.source.failures.extend([("Connecting", failure())] * 5)
    async with world.running():
        await at(6.5)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("BackingOff", 3)
        world.pause()
        await settle()
        assert world.runtime.stream.state == "Paused"
        assert world.runtime.snapshot().failure is None


async def test_a_pause_ends_a_block(world: SupervisedWorld) -> None:
    world.source.failures.append(("Authenticating", failure("configuration")))
    async with world.running():
        await at(100)
        assert (world.runtime.stream.state, world.source.open) == ("Blocked", 0)
        world.pause()
        await settle()
        # As str, because mypy assumes that later calls do not change a literal that was compared once.
        assert str(world.runtime.stream.state) == "Paused"
        world.resume()
        await settle()
        assert world.runtime.stream.state == "Live"


async def test_a_pause_after_the_end_of_the_stream_is_a_pause(world: SupervisedWorld) -> None:
    async with world.running():
        await settle()
        world.source.connection.finish()
        await settle()
        assert (world.runtime.stream.state, world.source.open) == ("Finished", 0)
        world.pause()
        await settle()
        assert world.runtime.stream.state == "Paused"


async def test_a_resumed_stream_connects_at_once_whatever_failed_before(world: SupervisedWorld) -> None:
    world.source.failures.extend([("Connecting", failure())] * 7)
    async with world.running():
        await at(200)
        world.pause()
        await settle()
        world.source.failures.clear()
        world.resume()
        await settle()
        assert (world.runtime.stream.state, seconds()) == ("Live", 200)


async def test_a_quick_pause_resume_pause_ends_paused_without_two_connections(
    world: SupervisedWorld,
) -> None:
    world.source.closing_seconds = 1.5
    async with world.running():
        await at(1.0)
        for moment, change in ((1.0, world.pause), (1.05, world.resume), (1.1, world.pause)):
            await at(moment)
            change()
        await at(10.0)
        assert (world.runtime.stream.state, world.source.open, world.source.most_open) == ("Paused", 0, 1)
        assert world.runtime.snapshot().acknowledgement is not None


async def test_a_resume_while_the_socket_closes_waits_until_it_is_closed(world: SupervisedWorld) -> None:
    world.source.closing_seconds = 1.5
    async with world.running():
        await at(1.0)
        world.pause()
        await at(1.5)
        world.resume()
        await at(10.0)
        assert world.runtime.stream.state == "Live"
        assert world.source.attempts == [0.0, 2.5]
        assert world.source.most_open == 1


async def test_a_job_created_paused_never_connects() -> None:
    world = SupervisedWorld(runtime_state(with_pause(desired(), PAUSE)))
    async with world.running():
        await at(10_000)
        assert world.source.attempts == []
        acknowledged = world.runtime.snapshot().acknowledgement
        assert acknowledged is not None
        assert acknowledged.socket_closed_at is None
        assert world.runtime.counters.stops == {}


async def test_nothing_connects_before_the_job_was_read() -> None:
    world = SupervisedWorld(runtime_state(with_pause(desired(), UNREAD)))
    async with world.running():
        await at(600)
        assert world.source.attempts == []
        world.resume()
        await settle()
        assert world.runtime.stream.state == "Live"


async def test_a_resumed_job_is_connecting_while_it_waits_for_its_documents() -> None:
    # No heartbeat has been accepted yet.
    runtime = RuntimeState(identity(), LatestValue(with_pause(desired(), PAUSE)), Coalescer(), now)
    world = SupervisedWorld(runtime)
    async with world.running():
        await settle()
        assert runtime.stream.state == "Paused"
        world.resume()
        await settle()
        assert (runtime.stream.state, len(world.source.attempts)) == ("Connecting", 0)


async def test_each_pause_of_an_open_stream_counts_as_a_stop_by_request(world: SupervisedWorld) -> None:
    async with world.running():
        for _ in range(3):
            await settle()
            world.pause()
            await settle()
            world.resume()
        await settle()
        assert world.runtime.counters.stops == {"operator_request": 3}
        assert world.runtime.counters.live_transitions == 4


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("spec.enabled", "operator_request"),
        ("api", "operator_request"),
        ("autoStop", "auto_stop"),
        ("deleted", "deleted"),
    ],
)
async def test_a_stop_is_counted_by_its_source(world: SupervisedWorld, source: str, reason: str) -> None:
    async with world.running():
        await settle()
        world.runtime.desired.set(with_pause(world.runtime.desired.value, PauseInForce(source=source)))
        await settle()
        assert world.runtime.counters.stops == {reason: 1}


async def test_replaced_credentials_cause_one_new_connection_at_once_and_no_failure() -> None:
    world = SupervisedWorld(runtime_state())
    async with world.running():
        await at(10.0)
        world.source.renewal.set()
        await at(10.1)
        assert (len(world.source.attempts), world.source.most_open, world.runtime.stream.state) == (2, 1, "Live")
        assert world.runtime.snapshot().failure is None
        await at(300.0)
        assert len(world.source.attempts) == 2


async def test_nothing_is_connected_while_another_job_writes_the_documents(world: SupervisedWorld) -> None:
    world.runtime.ownership.record_conflict(CONFLICT)
    async with world.running():
        await at(100)
        assert (world.runtime.stream.state, world.source.attempts) == ("Blocked", [])
        world.runtime.ownership.record_heartbeat_accepted()
        await settle()
        assert (world.runtime.stream.state, world.source.open, seconds()) == ("Live", 1, 100)


async def test_the_connection_is_closed_when_another_job_writes_the_documents(world: SupervisedWorld) -> None:
    async with world.running():
        await at(10)
        world.runtime.ownership.record_conflict(CONFLICT)
        await settle()
        assert (world.runtime.stream.state, world.source.open) == ("Blocked", 0)
        await at(1000)
        assert len(world.source.attempts) == 1


async def test_a_pause_is_acknowledged_while_another_job_writes_the_documents(world: SupervisedWorld) -> None:
    world.runtime.ownership.record_conflict(CONFLICT)
    async with world.running():
        await at(1)
        world.pause()
        await settle()
        assert (world.runtime.stream.state, world.runtime.snapshot().acknowledgement is not None) == ("Paused", True)
        world.resume()
        await settle()
        assert (world.runtime.stream.state, world.source.attempts) == ("Blocked", [])


def deny(world: SupervisedWorld, message: str) -> None:
    """Let a policy deny the job, with this message; empty: none does."""
    world.runtime.desired.set(msgspec.structs.replace(world.runtime.desired.value, denied=message))


async def test_a_denied_job_closes_its_socket_at_once_and_reports_why(world: SupervisedWorld) -> None:
    async with world.running():
        await at(10)
        deny(world, "IngestPolicy a does not allow provider synthetic")
        await settle()
        assert (world.runtime.stream.state, world.source.open, seconds()) == ("Blocked", 0, 10)
        failure = world.runtime.snapshot().failure
        assert failure is not None
        assert (failure.type, failure.message) == ("policyDenied", "IngestPolicy a does not allow provider synthetic")
        await at(1000)
        assert len(world.source.attempts) == 1
        deny(world, "another reason")
        await settle()
        failure = world.runtime.snapshot().failure
        assert failure is not None
        assert failure.message == "another reason"
        deny(world, "")
        await settle()
        assert (world.runtime.stream.state, world.source.open) == ("Live", 1)
        assert world.runtime.snapshot().failure is None


async def test_a_denied_job_never_connects_and_acknowledges_a_pause(world: SupervisedWorld) -> None:
    deny(world, "no")
    async with world.running():
        await at(100)
        assert (world.runtime.stream.state, world.source.attempts) == ("Blocked", [])
        world.pause()
        await settle()
        assert (world.runtime.stream.state, world.runtime.snapshot().acknowledgement is not None) == ("Paused", True)
        world.resume()
        await settle()
        assert (world.runtime.stream.state, world.source.open) == ("Live", 1)
