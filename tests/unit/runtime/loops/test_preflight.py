import asyncio
from collections.abc import Sequence

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.preflight import Finding
from sluice_runtime.loop_wiring import stream_parts
from sluice_runtime.loops.preflight import run_preflight_once_live
from support.runtime_fakes import runtime_state
from support.virtual_time import settle


async def test_the_preflight_runs_once_when_the_stream_is_live_and_sets_the_status() -> None:
    runtime, looks = runtime_state(), []

    async def find(symbols: Sequence[str]) -> Sequence[Finding]:
        assert symbols == ["AAPL", "MSFT"]
        looks.append(runtime.stream.state)
        return [Finding("account", True, "ACTIVE")]

    task = asyncio.create_task(run_preflight_once_live(find, stream_parts(runtime), runtime.process))
    try:
        runtime.stream.on_state("BackingOff")
        await settle()
        assert (looks, runtime.snapshot().preflight) == ([], None)
        runtime.stream.on_state("Live")
        before = runtime.transitions.value
        await settle()
        found = runtime.snapshot().preflight
        assert found is not None
        assert (found.passed, found.findings) == (True, ["account: ACTIVE"])
        assert runtime.transitions.value > before
        runtime.stream.on_state("BackingOff")
        runtime.stream.on_state("Live")
        await settle()
        assert looks == ["Live"]
    finally:
        await cancel_and_wait(task)
