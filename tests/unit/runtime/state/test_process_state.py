import asyncio
from datetime import timedelta

from sluice_contract.status import PreflightResult
from sluice_runtime.state.instruments import Instruments
from sluice_runtime.state.process_state import ProcessState
from support.runtime_fakes import identity
from support.virtual_time import START, at, now


async def test_the_epoch_can_be_raised_and_nothing_else_changes() -> None:
    process = ProcessState(identity(epoch=7), Instruments(now))
    process.raise_epoch(9)
    assert process.identity == identity(epoch=9)


async def test_a_tick_of_the_flush_loop_is_timed() -> None:
    process = ProcessState(identity(), Instruments(now))
    await at(3)
    assert process.loop_tick_at == START
    process.record_loop_tick()
    assert process.loop_tick_at == START + timedelta(seconds=3)


async def test_the_result_of_the_preflight_is_reported_at_once() -> None:
    instruments = Instruments(now)
    process = ProcessState(identity(), instruments)
    waiting = asyncio.create_task(instruments.transitions.wait_for_change(instruments.transitions.version))
    result = PreflightResult(at=now(), passed=True)
    process.record_preflight(result)
    await asyncio.wait_for(waiting, 1)
    assert process.preflight == result


async def test_the_source_and_the_stop_are_remembered() -> None:
    process = ProcessState(identity(), Instruments(now))
    process.set_feed("alpaca:iex")
    process.record_stop()
    assert (process.feed, process.is_stopping) == ("alpaca:iex", True)
