"""All ordered pairs of switches of a standalone runtime: each pauses alone, and each ends by its own means alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from sluice_contract.resource import IngestJob
from sluice_runtime.adapters.pause_file import ManualPause, ManualPauses, PauseFile
from sluice_runtime.adapters.standalone_job import StandaloneJob
from sluice_runtime.adapters.switches import EnabledFilePoller
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.pause import Switch
from support.runtime_fakes import runtime_state, stored_job
from support.runtime_worlds import update_desired, watch_job
from support.virtual_time import START, at, seconds


class World:
    """A standalone runtime without a connection: its document, its files and its other switches."""

    def __init__(self, directory: Path) -> None:
        self.spec: dict[str, Any] = {}
        self.runtime = runtime_state()
        self.pauses = PauseFile(directory)
        self.switch = directory / "switch"
        self.poller = EnabledFilePoller(self.switch, 1.0, self.runtime.switches)
        self._job = StandaloneJob(self._read, self.pauses, self.runtime.switches, Path("job.yaml"))

    def _read(self) -> IngestJob:
        return stored_job(**self.spec)

    def source(self, switch: str) -> str:
        """Return the source of a switch of the table, which does not have the folder of the test."""
        return {"pauses.json": f"file:{self.pauses.path}", "switch": f"file:{self.switch}"}.get(switch, switch)

    def set_switch(self, source: str, pauses: bool) -> None:
        self.runtime.switches.set_switch(Switch(source=source, pauses=pauses))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        live: LatestValue[DeclaredJob | None] = LatestValue(None)
        loops = (watch_job(self._job, live, self.runtime), update_desired(live, self.runtime), self.poller.run())
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            await cancel_and_wait(*tasks)


def _set_manual_pause(world: World, pauses: bool) -> None:
    world.pauses.write(ManualPauses(job=ManualPause(since=START, reason="by hand") if pauses else None))


SWITCHES: dict[str, Callable[[World, bool], object]] = {
    "spec.enabled": lambda world, pauses: world.spec.update(enabled=not pauses),
    "spec.pause": lambda world, pauses: world.spec.update(pause={"reason": "vendor"} if pauses else None),
    "quota": lambda world, pauses: world.set_switch("quota", pauses),
    "autoStop": lambda world, pauses: world.set_switch("autoStop", pauses),
    "api": lambda world, pauses: world.set_switch("api", pauses),
    "pauses.json": _set_manual_pause,
    "switch": lambda world, pauses: world.switch.write_text("off" if pauses else "on"),
    "env:INGEST_ENABLED": lambda world, pauses: world.set_switch("env:INGEST_ENABLED", pauses),
}


@pytest.mark.parametrize(("first", "second"), list(permutations(SWITCHES, 2)))
async def test_two_switches_pause_together_until_both_have_ended(first: str, second: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    desired = world.runtime.desired

    async def switch(name: str, pauses: bool) -> set[str]:
        """Change a switch, and return the sources that pause the job once it is applied."""
        SWITCHES[name](world, pauses)
        await at(seconds() + 3)
        return set(desired.value.switches)

    async with world.running():
        assert await switch(first, True) == {world.source(first)}
        assert await switch(second, True) == {world.source(first), world.source(second)}
        assert await switch(first, False) == {world.source(second)}
        assert await switch(second, False) == set()
        assert desired.value.pause is None
