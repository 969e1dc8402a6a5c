"""Waiting for what happens."""

from __future__ import annotations

import asyncio

from sluice_devcluster.node.signals import ChangeCounter


async def test_what_happened_since_it_was_looked_at_is_not_waited_for() -> None:
    pulse = ChangeCounter()
    seen = pulse.count
    pulse.increment()
    await asyncio.wait_for(pulse.wait_for_change(seen), 1)


async def test_everybody_who_waits_is_woken() -> None:
    pulse = ChangeCounter()
    waiting = [asyncio.create_task(pulse.wait_for_change(pulse.count)) for _ in range(2)]
    await asyncio.sleep(0)
    pulse.increment()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_a_wait_has_an_end() -> None:
    pulse = ChangeCounter()
    await asyncio.wait_for(pulse.wait_for_change(pulse.count, 0.001), 1)
