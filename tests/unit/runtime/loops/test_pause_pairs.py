"""All ordered pairs of switches in a running pod: the second one changes neither the acknowledgement nor any count."""

import asyncio
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from sluice_contract.identity import CLUSTER_PAUSES, PAUSES
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.pause import Switch
from sluice_runtime.domain.pause_objects import PausesOfKind, pause_of_feed, pause_of_job
from support.runtime_fakes import job, runtime_state
from support.runtime_worlds import SupervisedWorld, update_desired
from support.virtual_time import at, seconds


class World(SupervisedWorld):
    """A supervised stream whose desired state follows the job, the switches and the pause objects."""

    def __init__(self) -> None:
        super().__init__(runtime_state())
        self.live: LatestValue[DeclaredJob | None] = LatestValue(job())
        self.spec: dict[str, Any] = {}
        self.generation = 1

    def declare(self, **spec: Any) -> None:
        self.spec |= spec
        self.generation += 1
        self.live.set(job(self.generation, **self.spec))

    def set_switch(self, source: str, pauses: bool) -> None:
        self.runtime.switches.set_switch(Switch(source=source, pauses=pauses))

    def set_pause(self, pauses: bool) -> None:
        found = pause_of_job("n", {"reason": "vendor", "jobs": ["us"]}, "us")
        self.runtime.pauses.set_pauses(PAUSES, PausesOfKind(pauses=(found,) if pauses and found else ()))

    def set_cluster_pause(self, pauses: bool) -> None:
        found = pause_of_feed("c", {"reason": "vendor"}, "synthetic", None)
        self.runtime.pauses.set_pauses(CLUSTER_PAUSES, PausesOfKind(pauses=(found,) if pauses and found else ()))


# Whether the switch pauses, by its source. `autoStop` ends when the job's own switch pauses, so it is not in the table.
SWITCHES: dict[str, Callable[[World, bool], None]] = {
    "clusterpause:c": lambda world, pauses: world.set_cluster_pause(pauses),
    "pause:n": lambda world, pauses: world.set_pause(pauses),
    "spec.enabled": lambda world, pauses: world.declare(enabled=not pauses),
    "spec.pause": lambda world, pauses: world.declare(pause={"reason": "vendor"} if pauses else None),
    **{
        source: lambda world, pauses, source=source: world.set_switch(source, pauses)  # type: ignore[misc]
        for source in ("quota", "api", "file:/enabled", "env:INGEST_ENABLED")
    },
}


@pytest.mark.parametrize("source", SWITCHES)
async def test_each_switch_begins_to_close_the_socket_within_its_change(source: str) -> None:
    world = World()
    updating = asyncio.create_task(update_desired(world.live, world.runtime))
    async with world.running():
        await at(5)
        SWITCHES[source](world, True)
        assert len(world.source.closing) == 1
    await cancel_and_wait(updating)


@pytest.mark.parametrize(("first", "second"), list(permutations(SWITCHES, 2)))
async def test_a_second_switch_on_a_paused_job_changes_nothing_but_the_list_of_sources(
    first: str, second: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world = World()
    stream, counters = world.runtime.stream, world.runtime.counters

    def transitions() -> int:
        return sum(getattr(each, "event_type", "") == "ingest_switch" for each in caplog.records)

    following = asyncio.create_task(update_desired(world.live, world.runtime))
    async with world.running():
        await at(seconds() + 10)
        assert stream.state == "Live"
        SWITCHES[first](world, True)
        await at(seconds() + 10)
        seen = stream.acknowledgement, dict(counters.stops), transitions()
        assert seen[0] is not None
        SWITCHES[second](world, True)
        await at(seconds() + 10)
        assert set(world.runtime.desired.value.switches) == {first, second}
        assert (stream.acknowledgement, dict(counters.stops), transitions()) == seen
        SWITCHES[first](world, False)
        await at(seconds() + 10)
        assert world.runtime.desired.value.switches == (second,)
        assert (stream.acknowledgement, dict(counters.stops), transitions()) == seen
        SWITCHES[second](world, False)
        await at(seconds() + 10)
        assert (stream.state, transitions()) == ("Live", seen[2] + 1)
    await cancel_and_wait(following)
