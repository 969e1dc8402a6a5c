"""The time from a patch of `enabled` to the closed socket, in every phase and at full load, and its aftermath."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import pause_fleet, pause_objects
from bench.documents import quote_documents
from bench.feed import TENANT, Feed, running_feed
from bench.latencies import MOST, latency_rows
from bench.rows import Row
from bench.watch_events import WatchEvent
from sluice_devcluster.emulator_documents import PROJECT
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.stream_faults import Mute, StallReading
from support.cluster import sluice_on_devcluster
from support.phases import PHASES, Phase, attempts
from support.site import instant

ROUNDS = 15  # in each phase
MOST_ON_DEAD = 2.0  # seconds
# Peers that do not respond: one is silent and ignores pings; the other sends but does not read.
DEAD: tuple[Fault, ...] = (Mute(pongs=False), StallReading(seconds=10.0))
DEAD_ROUNDS = 3
_QUIET_SECONDS = 0.4


@dataclass(frozen=True)
class PauseInForce:
    """One pause. Times are seconds since the patch was sent, or None if there was no socket.

    `after` counts the quote documents written after the acknowledgement, `reconnects` the connection attempts after it.
    """

    seen: float
    told_closed: float | None
    closed: float | None
    acknowledged: float
    after: int
    reconnects: int


def rows(folder: Path, rounds: int = ROUNDS, pods: int = pause_fleet.PODS) -> Iterator[Row]:
    """Measure `rounds` pauses in each phase and with each kind of object, and peers that do not respond.

    Then measure one pause of `pods` pods at once.
    """
    state = StateDirectory(folder / "devcluster")
    with sluice_on_devcluster(state.root) as site:
        yield from _found(*asyncio.run(_measured(site, state, rounds)))
        yield from pause_objects.rows(site, state, rounds)
    yield from pause_fleet.rows(folder / "fleet", pods)


async def _measured(
    site: Quickstart, state: StateDirectory, rounds: int
) -> tuple[list[PauseInForce], list[PauseInForce]]:
    async with running_feed(site, state) as feed:
        pauses = [await _pause_in(feed, phase) for _ in range(rounds) for phase in PHASES.values()]
        dead = [await _pause_on(feed, fault) for _ in range(DEAD_ROUNDS) for fault in DEAD]
        if not await _documents(feed):
            raise RuntimeError("no quote was ever written: that none was written after a pause proves nothing")
    return pauses, dead


async def _pause_in(feed: Feed, phase: Phase) -> PauseInForce:
    await _enter(feed, phase)
    await asyncio.sleep(random.uniform(0.1, 0.6))
    return await _pause(feed)


async def _pause_on(feed: Feed, fault: Fault) -> PauseInForce:
    """Pause while the peer has just stopped responding, before the pod has noticed."""
    await _enter(feed, PHASES["Live"])
    await asyncio.sleep(0.5)
    await asyncio.to_thread(feed.upstream.inject, fault)
    await asyncio.sleep(0.2)
    return await _pause(feed)


async def _enter(feed: Feed, phase: Phase) -> None:
    """Start the job and wait until its connection reaches `phase`."""
    before = phase.entries(await feed.record())
    await asyncio.to_thread(feed.upstream.script, *phase.faults)
    await feed.enable(True)
    await feed.until(lambda record: phase.entries(record) > before)


async def _pause(feed: Feed) -> PauseInForce:
    asked = time.time()
    generation = await feed.enable(False)
    seen = await feed.watcher.first(lambda each: each.generation >= generation)
    told = await feed.watcher.first(lambda each: _is_acknowledged(each, generation))
    then = await feed.record()
    await asyncio.sleep(_QUIET_SECONDS)
    # A peer that does not respond notices the closed connection late.
    record = await feed.until(lambda record: not record["open"])
    pause = told.stream["pause"]
    acknowledged = instant(pause["acknowledgedAt"]).timestamp()
    documents = await _documents(feed)
    has_socket = "socketClosedAt" in pause
    return PauseInForce(
        seen=seen.at - asked,
        told_closed=instant(pause["socketClosedAt"]).timestamp() - asked if has_socket else None,
        closed=record["connections"][-1]["closed"] - asked if has_socket else None,
        acknowledged=acknowledged - asked,
        after=sum(instant(each["updateTime"]).timestamp() > acknowledged for each in documents),
        reconnects=attempts(record) - attempts(then),
    )


async def _documents(feed: Feed) -> list[dict[str, Any]]:
    return await asyncio.to_thread(quote_documents, feed.site.emulator, PROJECT, TENANT)


def _is_acknowledged(seen: WatchEvent, generation: int) -> bool:
    acknowledged = seen.stream.get("pause", {}).get("acknowledgedAt")
    return bool(seen.stream.get("observedGeneration") == generation and acknowledged)


def _found(pauses: Sequence[PauseInForce], dead: Sequence[PauseInForce]) -> list[Row]:
    with_socket = [each for each in pauses if each.closed is not None]
    every = [*pauses, *dead]
    return [
        *_latencies("patch to socket closed", with_socket, lambda each: each.closed),
        *_latencies("patch to socketClosedAt", with_socket, lambda each: each.told_closed),
        *_latencies("patch to acknowledged", pauses, lambda each: each.acknowledged, has_target=False),
        _longest(dead),
        _none("quotes written after it", len(every), sum(each.after for each in every)),
        _none("connections asked for meanwhile", len(every), sum(each.reconnects for each in every)),
    ]


def _longest(dead: Sequence[PauseInForce]) -> Row:
    longest = max(max(each.closed or 0.0, each.told_closed or 0.0) for each in dead)
    ratio = longest / MOST_ON_DEAD
    return Row(
        name=f"pause: patch to socket closed, dead peer, longest of {len(dead)}",
        unit="s",
        ours=longest,
        limit=MOST_ON_DEAD,
        ratio=ratio,
        target="<= 1",
        met=ratio <= 1,
    )


def _none(what: str, pauses: int, count: int) -> Row:
    return Row(name=f"pause: {what}, of {pauses} pauses", unit="", ours=count, target="0", met=count == 0)


def _latencies(
    what: str, pauses: Sequence[PauseInForce], taken: Callable[[PauseInForce], float | None], has_target: bool = True
) -> list[Row]:
    """Return the rows of p50 and p99, each beside the watcher's figure for the same pauses."""
    ours = [value for each in pauses if (value := taken(each)) is not None]
    return latency_rows(f"pause: {what}", ours, [each.seen for each in pauses], MOST if has_target else None)
