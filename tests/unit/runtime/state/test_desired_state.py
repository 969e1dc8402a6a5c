import asyncio
from datetime import timedelta

from support.runtime_fakes import desired, quote, runtime_state
from support.virtual_time import START, at


async def test_a_new_desired_state_reaches_all_parts_that_depend_on_it() -> None:
    runtime = runtime_state(desired(symbols=["AAPL"]))
    wanted = desired(symbols=["AAPL", "MSFT"], pausedSymbols=[{"symbol": "AAPL"}])
    runtime.updater.apply_desired(wanted)
    runtime.stream.on_ticks([quote("AAPL"), quote("MSFT")])
    assert runtime.desired.value == wanted
    assert runtime.awaiting_snapshot.symbols == {"MSFT"}
    assert (runtime.market.coalescer.received, runtime.market.coalescer.unwanted) == (1, 1)


async def test_a_symbol_counts_as_paused_from_the_time_of_the_change() -> None:
    runtime = runtime_state()
    runtime.updater.apply_desired(desired())
    await at(5)
    runtime.updater.apply_desired(desired(pausedSymbols=[{"symbol": "AAPL"}]))
    assert runtime.gaps.paused_since("AAPL") == START + timedelta(seconds=5)


async def test_all_loops_are_notified_after_the_parts_have_changed() -> None:
    runtime = runtime_state(desired(symbols=["AAPL"]))
    seen = []

    async def follow() -> None:
        await runtime.desired.wait_for_change(runtime.desired.version)
        seen.append(runtime.awaiting_snapshot.symbols)

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    runtime.updater.apply_desired(desired(symbols=["AAPL", "MSFT"]))
    await task
    assert seen == [{"MSFT"}]
