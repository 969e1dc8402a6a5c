"""Waiting for a change."""

from __future__ import annotations

import asyncio

from sluice_devcluster.node.signals import Pulse


async def test_a_change_since_the_last_look_ends_the_wait_at_once() -> None:
    pulse = Pulse()
    seen = pulse.count
    pulse.send()
    await asyncio.wait_for(pulse.wait(seen), 1)


async def test_all_waiters_are_woken() -> None:
    pulse = Pulse()
    waiting = [asyncio.create_task(pulse.wait(pulse.count)) for _ in range(2)]
    await asyncio.sleep(0)
    pulse.send()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_a_wait_has_a_timeout() -> None:
    pulse = Pulse()
    await asyncio.wait_for(pulse.wait(pulse.count, 0.001), 1)
