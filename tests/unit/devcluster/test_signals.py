"""Waiting for a change."""

from __future__ import annotations

import asyncio

from sluice_devcluster.node.signals import ChangeCounter
from support.deadlines import wait_for


async def test_a_change_since_the_last_look_ends_the_wait_at_once() -> None:
    pulse = ChangeCounter()
    seen = pulse.count
    pulse.increment()
    await wait_for(pulse.wait_for_change(seen), 1)


async def test_all_waiters_are_woken() -> None:
    pulse = ChangeCounter()
    waiting = [asyncio.create_task(pulse.wait_for_change(pulse.count)) for _ in range(2)]
    await asyncio.sleep(0)
    pulse.increment()
    await wait_for(asyncio.gather(*waiting), 1)


async def test_a_wait_has_a_timeout() -> None:
    pulse = ChangeCounter()
    await wait_for(pulse.wait_for_change(pulse.count, 0.001), 1)
