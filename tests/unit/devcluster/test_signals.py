"""Waiting for what happens."""

from __future__ import annotations

import asyncio

from sluice_devcluster.node.signals import Pulse


async def test_what_happened_since_it_was_looked_at_is_not_waited_for() -> None:
    pulse = Pulse()
    seen = pulse.count
    pulse.send()
    await asyncio.wait_for(pulse.wait(seen), 1)


async def test_everybody_who_waits_is_woken() -> None:
    pulse = Pulse()
    waiting = [asyncio.create_task(pulse.wait(pulse.count)) for _ in range(2)]
    await asyncio.sleep(0)
    pulse.send()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_a_wait_has_an_end() -> None:
    pulse = Pulse()
    await asyncio.wait_for(pulse.wait(pulse.count, 0.001), 1)
