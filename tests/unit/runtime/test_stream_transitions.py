"""Each cause in the table of the stream's transitions, in each state that it is listed for."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from sluice_contract.status import StreamState
from sluice_contract.stream_states import STREAM_STATES, STREAM_TRANSITIONS, TRANSITION_CAUSES
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.app import RuntimeParts, run_loops_and_shut_down
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.failure import DocumentConflictError, Impairment, StreamError
from sluice_runtime.state.runtime_state import RuntimeState
from support.fake_sink import FakeSink
from support.runtime_fakes import FakeJob, desired, identity, job, runtime_state
from support.runtime_worlds import PHASES, SupervisedWorld
from support.virtual_time import at, now, settle

NETWORK = StreamError("network", "the peer is away")
FATAL = StreamError("configuration", "a field is wrong")
INTERRUPTION = Impairment("the provider is cut off", interrupts_quotes=True)
CONFLICT = DocumentConflictError("another job writes", "job acme/fx", 30.0)
CASES = [(each.cause, before, each.after) for each in STREAM_TRANSITIONS for before in each.before]
# The middle of each phase of PHASES, whose durations are 1 s.
MOMENTS: dict[StreamState, float] = {"Connecting": 0.5, "Authenticating": 1.5, "Subscribing": 2.5}
FAKE_PHASES: dict[StreamState, str] = {
    "Connecting": "Connecting",
    "Authenticating": "Authenticating",
    "Subscribing": "Acknowledging",
}


class World(SupervisedWorld):
    """A supervisor whose provider needs 1 s for each step."""

    def __init__(self, runtime: RuntimeState) -> None:
        super().__init__(runtime)
        self.source.phase_seconds = PHASES

    async def reach(self, state: StreamState) -> None:
        """Bring the running stream into a state: `BackingOff` with an open connection, `Blocked` without one."""
        if state in MOMENTS:
            await at(MOMENTS[state])
        elif state == "Paused":
            await at(0.1)
            self.pause()
        elif state != "Stopped":
            await at(10)
            await self.leave_live(state)
        await settle()
        assert self.runtime.stream.state == state

    async def leave_live(self, state: StreamState) -> None:
        """Change the state of a live stream."""
        if state == "BackingOff":
            self.runtime.stream.on_impairment(INTERRUPTION)
        elif state == "Blocked":
            self.source.connection.lose(FATAL)
        elif state == "Finished":
            self.source.connection.finish()

    async def fail(self, error: StreamError) -> None:
        """Let the open connection fail, or the phase that lasts."""
        phase = FAKE_PHASES.get(self.runtime.stream.state)
        if phase is None:
            self.source.connection.lose(error)
        else:
            self.source.failures.append((phase, error))
        await asyncio.sleep(1.1)

    def make_random_event(self, chance: random.Random, *, has_end: bool) -> None:
        """Make one event. It changes nothing if the connection has ended. A stream with an end has no impairments."""
        stream, ownership = self.runtime.stream, self.runtime.ownership
        events: list[Callable[[], None]] = [
            *(self.pause, self.resume, self.resume, self.source.remedy.set, self.source.renewal.set),
            lambda: ownership.record_conflict(CONFLICT),
            *[ownership.record_heartbeat_accepted] * 3,
            lambda: self.source.failures.append((chance.choice(list(PHASES)), chance.choice((NETWORK, FATAL)))),
        ]
        if self.source.open and stream.state in ("Subscribing", "Live", "BackingOff"):
            events.append(lambda: self.source.connection.lose(chance.choice((NETWORK, FATAL))))
            if not has_end:
                events += [lambda: stream.on_impairment(INTERRUPTION), lambda: stream.on_impairment(None)]
            elif stream.state == "Live":
                events.append(self.source.connection.finish)
        with suppress(asyncio.InvalidStateError):
            chance.choice(events)()


async def begin(world: World) -> None:
    world.resume()


async def wait_one_phase(world: World) -> None:
    world.source.steps = frozenset({"Authenticating", "Subscribing"})
    await asyncio.sleep(1)


async def log_in(world: World) -> None:
    if world.runtime.stream.state == "Connecting":
        world.source.steps = frozenset({"Subscribing"})
    await asyncio.sleep(1)


async def acknowledge(world: World) -> None:
    if world.runtime.stream.state == "Connecting":
        world.source.steps = frozenset()
    await asyncio.sleep(2)


async def finish(world: World) -> None:
    world.source.connection.finish()


async def fail(world: World) -> None:
    await world.fail(NETWORK)


async def fail_fatally(world: World) -> None:
    await world.fail(FATAL)


async def interrupt(world: World) -> None:
    world.runtime.stream.on_impairment(INTERRUPTION)
    await asyncio.sleep(1)


async def recover(world: World) -> None:
    world.runtime.stream.on_impairment(None)


async def retry(world: World) -> None:
    if world.runtime.stream.state == "BackingOff":
        await world.fail(NETWORK)
    else:
        world.source.remedy.set()


async def replace_credentials(world: World) -> None:
    world.source.renewal.set()


async def conflict(world: World) -> None:
    world.runtime.ownership.record_conflict(CONFLICT)


async def deny(world: World) -> None:
    """Let a policy deny the job; a pause ends at the same time."""
    world.runtime.desired.set(msgspec.structs.replace(world.runtime.desired.value, pause=None, denied="not allowed"))


async def pause(world: World) -> None:
    world.pause()


async def pause_and_resume_while_closing(world: World) -> None:
    world.source.closing_seconds = 1.0
    world.pause()
    if world.source.open:
        await asyncio.sleep(0.5)
    else:  # nothing to close: resume as soon as the supervisor has noticed the pause
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    world.resume()
    await asyncio.sleep(1)


CAUSES: dict[str, Callable[[World], Awaitable[None]]] = {
    "start": begin,
    "open connection": wait_one_phase,
    "login": log_in,
    "acknowledgement": acknowledge,
    "end of stream": finish,
    "failure": fail,
    "interruption": interrupt,
    "recovery": recover,
    "retry": retry,
    "new credentials": replace_credentials,
    "fatal failure": fail_fatally,
    "document conflict": conflict,
    "denial": deny,
    "pause": pause,
    "short pause": pause_and_resume_while_closing,
}


def initial_state(cause: str, before: StreamState) -> RuntimeState:
    """Return the state of a process that connects at once, or first waits for the outcome of a heartbeat."""
    if (cause, before) == ("document conflict", "Connecting"):
        return RuntimeState(identity(), LatestValue(desired()), Coalescer(), now)
    return runtime_state()


@pytest.mark.parametrize(("cause", "before", "after"), [case for case in CASES if case[0] != "shutdown"])
async def test_each_cause_leads_to_its_state(
    cause: str, before: StreamState, after: StreamState, stream_transitions: list[tuple[StreamState, StreamState]]
) -> None:
    world = World(initial_state(cause, before))
    if before == "Stopped":
        await CAUSES[cause](world)
    async with world.running():
        if before != "Stopped":
            await world.reach(before)
            stream_transitions.clear()
            await CAUSES[cause](world)
        await settle()
        assert stream_transitions[0] == (before, after)


@asynccontextmanager
async def running_pod(world: World) -> AsyncIterator[None]:
    """Run all loops of a pod with the source of the world, and shut the pod down at the end."""
    stop = asyncio.Event()
    parts = RuntimeParts(source=world.source, sink=FakeSink(), job=FakeJob(job(1)), runtime=world.runtime)
    pod = asyncio.create_task(run_loops_and_shut_down(parts, stop, Backoff(1.0, 60.0, lambda _, high: high)))
    yield
    stop.set()
    await pod


@pytest.mark.parametrize(("cause", "before", "after"), [case for case in CASES if case[0] == "shutdown"])
async def test_a_shutdown_stops_a_stream_that_is_active(
    cause: str, before: StreamState, after: StreamState, stream_transitions: list[tuple[StreamState, StreamState]]
) -> None:
    world = World(runtime_state())
    async with running_pod(world):
        await world.reach(before)
        stream_transitions.clear()
    assert (cause, stream_transitions) == ("shutdown", [(before, after)])


@pytest.mark.parametrize("state", ["Paused", "Blocked", "Finished"])
async def test_a_shutdown_keeps_the_state_of_a_stream_without_a_connection(state: StreamState) -> None:
    world = World(runtime_state())
    async with running_pod(world):
        await world.reach(state)
    assert world.runtime.stream.state == state


@pytest.mark.parametrize("state", [state for state in STREAM_STATES if state != "Stopped"])
@pytest.mark.parametrize("cause", ["pause", "short pause", "new credentials", "document conflict", "denial"])
async def test_what_can_happen_at_any_time_makes_only_transitions_of_the_table(
    cause: str, state: StreamState, stream_transitions: list[tuple[StreamState, StreamState]]
) -> None:
    world = World(runtime_state())
    async with world.running():
        await world.reach(state)
        await CAUSES[cause](world)
        await asyncio.sleep(100)
    assert set(stream_transitions) <= set(TRANSITION_CAUSES)


@pytest.mark.parametrize("seed", range(8))
async def test_random_events_make_only_transitions_of_the_table(
    seed: int, stream_transitions: list[tuple[StreamState, StreamState]]
) -> None:
    chance, world = random.Random(seed), World(runtime_state())
    world.source.closing_seconds = 0.3
    async with world.running():
        for _ in range(300):
            world.make_random_event(chance, has_end=seed % 2 == 1)
            await asyncio.sleep(chance.choice((0.0, 0.0, 0.2, 0.7, 1.0, 5.0)))
    assert len(set(stream_transitions)) >= 15
    assert set(stream_transitions) <= set(TRANSITION_CAUSES)


def test_each_cause_of_the_table_has_a_test() -> None:
    assert {*CAUSES, "shutdown"} == {each.cause for each in STREAM_TRANSITIONS}
