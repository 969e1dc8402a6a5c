"""The checks of the event loop and of kopf's watchers, in virtual time."""

import asyncio

import pytest

from sluice_operator.resync import WatchBroken
from sluice_operator.watchdog import LoopLagMonitor, missing_kopf_watchers, raise_when_kopf_watcher_is_missing

JOBS, PODS = "watcher for ingestjobs.v1alpha1.sluice.dev", "watcher for pods.v1"


async def test_the_delay_of_the_loop_is_reported_once_a_second() -> None:
    loop, lags = asyncio.get_running_loop(), list[float]()
    monitor = LoopLagMonitor(loop.time, lags.append)
    running = asyncio.create_task(monitor.run())
    await asyncio.sleep(3.5)
    running.cancel()
    assert lags == pytest.approx([0, 0, 0])
    assert monitor.loop_is_on_time()


async def test_a_loop_that_hangs_is_not_on_time_after_six_seconds() -> None:
    seconds = 0.0
    monitor = LoopLagMonitor(lambda: seconds, lambda _: None)
    assert monitor.loop_is_on_time()
    seconds = 5.9
    assert monitor.loop_is_on_time()
    seconds = 6.0
    assert not monitor.loop_is_on_time()


def test_a_missing_watcher_is_named_by_its_prefix() -> None:
    assert missing_kopf_watchers([JOBS, PODS, "another task"]) == []
    assert missing_kopf_watchers([PODS]) == ["watcher for ingestjobs."]


async def test_a_watcher_that_is_missing_in_one_check_is_no_failure() -> None:
    answers = iter([[JOBS], [JOBS, PODS], [PODS], [JOBS, PODS]])
    names = [JOBS, PODS]
    checking = asyncio.create_task(raise_when_kopf_watcher_is_missing(lambda: next(answers, names)))
    await asyncio.sleep(200)
    assert not checking.done()
    checking.cancel()


async def test_a_watcher_that_is_missing_in_two_checks_is_a_failure() -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(WatchBroken, match=r"kopf no longer runs watcher for pods\."):
        await raise_when_kopf_watcher_is_missing(lambda: [JOBS])
    assert asyncio.get_running_loop().time() - began == pytest.approx(60)


async def test_a_watcher_of_pauses_is_missing_only_if_it_has_run() -> None:
    pauses = "watcher for ingestpauses.v1alpha1.sluice.dev@None"
    names = [JOBS, PODS]
    checking = asyncio.create_task(raise_when_kopf_watcher_is_missing(lambda: names))
    await asyncio.sleep(200)
    names = [JOBS, PODS, pauses]
    await asyncio.sleep(200)
    assert not checking.done()
    names = [JOBS, PODS]
    with pytest.raises(WatchBroken, match=r"kopf no longer runs watcher for ingestpauses\."):
        await checking
