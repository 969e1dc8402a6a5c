import asyncio
from collections.abc import Sequence

from sluice_runtime.domain.preflight import Finding
from sluice_runtime.loops.preflight import run_preflight_once_live
from sluice_runtime.loops.waiting import cancel_and_wait
from support.runtime_fakes import journal
from support.virtual_time import settle


async def test_the_preflight_runs_once_when_the_stream_is_live_and_sets_the_status() -> None:
    book, looks = journal(), []

    async def find(symbols: Sequence[str]) -> Sequence[Finding]:
        assert symbols == ["AAPL", "MSFT"]
        looks.append(book.state)
        return [Finding("account", True, "ACTIVE")]

    task = asyncio.create_task(run_preflight_once_live(find, book))
    try:
        book.on_state("BackingOff")
        await settle()
        assert (looks, book.snapshot().preflight) == ([], None)
        book.on_state("Live")
        before = book.transitions.value
        await settle()
        found = book.snapshot().preflight
        assert found is not None
        assert (found.passed, found.findings) == (True, ["account: ACTIVE"])
        assert book.transitions.value > before
        book.on_state("BackingOff")
        book.on_state("Live")
        await settle()
        assert looks == ["Live"]
    finally:
        await cancel_and_wait(task)
