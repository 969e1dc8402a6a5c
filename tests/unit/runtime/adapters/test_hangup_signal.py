import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from sluice_runtime.adapters.hangup_signal import ignore_hangup, run_on_hangup
from support.eventually import eventually

REAL_TIME = True


@pytest.fixture(autouse=True)
def own_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


async def test_each_signal_runs_the_action_once() -> None:
    runs: list[int] = []

    async def action() -> None:
        runs.append(len(runs))

    run_on_hangup(action)
    hang_up()
    await eventually(lambda: runs == [0])
    hang_up()
    await eventually(lambda: runs == [0, 1])


async def test_a_second_signal_runs_the_action_while_the_first_run_lasts() -> None:
    runs: list[int] = []
    release = asyncio.Event()

    async def action() -> None:
        runs.append(len(runs))
        await release.wait()

    run_on_hangup(action)
    hang_up()
    await eventually(lambda: len(runs) == 1)
    hang_up()
    await eventually(lambda: len(runs) == 2)
    release.set()


def test_a_signal_after_the_end_of_the_loop_does_not_end_the_process() -> None:
    async def action() -> None:
        raise AssertionError("there is no loop any more")

    async def start() -> None:
        run_on_hangup(action)

    asyncio.run(start())
    hang_up()


def test_a_process_that_is_starting_ignores_the_signal() -> None:
    ignore_hangup()
    hang_up()
