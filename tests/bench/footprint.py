"""The cost of a whole pod at 30 symbols and 1,000 quotes a second, compared with a typical program without Sluice."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import pod as pods
from bench.documents import quote_documents
from bench.rows import Row
from support.upstream import Upstream

WARM_UP_SECONDS = 8.0
WINDOW_SECONDS = 15.0
MOST_MEMORY = 61.0  # MiB
MOST_SECONDS = 0.36  # from exec to the first write
MOST_CPU = 0.6  # of the peer's CPU time


@dataclass(frozen=True)
class Cost:
    """Memory in MiB, times in seconds, CPU seconds per second, and documents written per second.

    `start_cpu` are the CPU seconds of the start: the time that it would take on an idle machine.
    """

    memory: float
    most_memory: float
    first_write: float
    start_cpu: float
    cpu: float
    writes: float


def rows(host: str, folder: Path, repetitions: int) -> list[Row]:
    """Measure the pod and the peer in turn, `repetitions` times, each on its own upstream; the figures are medians."""
    # A JVM's first commits take seconds: a warm-up keeps them out of the first measurement.
    asyncio.run(_ours(host, folder / "first", -1))
    ours, peers = [], []
    for turn in range(repetitions):
        ours.append(asyncio.run(_ours(host, folder / f"pod-{turn}", turn)))
        peers.append(asyncio.run(_peer(host, folder / f"peer-{turn}.log", turn)))
    return _compared(ours, peers)


async def _ours(host: str, folder: Path, turn: int) -> Cost:
    tenant = f"pod-{turn}"
    with _upstream() as server:
        async with pods.pod(pods.spec(tenant, server.url), host, folder) as (process, _):
            return await _cost(process, host, tenant)


async def _peer(host: str, log: Path, turn: int) -> Cost:
    tenant = f"peer-{turn}"
    with _upstream() as server:
        command = [sys.executable, "-m", "bench.peer", server.url, tenant, ",".join(pods.SYMBOLS)]
        environment = {
            "FIRESTORE_EMULATOR_HOST": host,
            "GOOGLE_CLOUD_PROJECT": pods.PROJECT,
            "PYTHONPATH": ":".join(sys.path),
        }
        async with pods.program(command, environment, log) as process:
            return await _cost(process, host, tenant)


def _upstream() -> Upstream:
    return Upstream("--quotes-per-second", str(pods.QUOTES_PER_SECOND), "--no-deflate")


async def _cost(process: pods.Process, host: str, tenant: str) -> Cost:
    began = await process.began_at()
    # There is no request before this one: the emulator itself records when the first document was created.
    await asyncio.sleep(WARM_UP_SECONDS)
    warm, before = process.cpu_seconds, await asyncio.to_thread(quote_documents, host, pods.PROJECT, tenant)
    await asyncio.sleep(WINDOW_SECONDS)
    rate = (process.cpu_seconds - warm) / WINDOW_SECONDS
    after = await asyncio.to_thread(quote_documents, host, pods.PROJECT, tenant)
    return Cost(
        memory=process.memory("VmRSS"),
        most_memory=process.memory("VmHWM"),
        first_write=min(datetime.fromisoformat(each["createTime"]).timestamp() for each in after) - began,
        start_cpu=warm - rate * WARM_UP_SECONDS,
        cpu=rate,
        writes=(_sequence(after) - _sequence(before)) / WINDOW_SECONDS,
    )


def _sequence(documents: Sequence[dict[str, Any]]) -> int:
    """Return the number of documents written."""
    return max(
        int(each["fields"]["seq"]["integerValue"]) for each in documents or [{"fields": {"seq": {"integerValue": 0}}}]
    )


def _compared(ours: Sequence[Cost], peers: Sequence[Cost]) -> list[Row]:
    found = []
    for name, unit, field, most in (
        ("pod: memory (VmRSS)", "MiB", "memory", MOST_MEMORY),
        ("pod: most memory (VmHWM)", "MiB", "most_memory", None),
        ("pod: exec to first write", "s", "first_write", MOST_SECONDS),
        ("pod: CPU time of the start", "s", "start_cpu", None),
        ("pod: writes", "1/s", "writes", None),
    ):
        mine, other = (median(getattr(each, field) for each in costs) for costs in (ours, peers))
        target, met = (f"<= {most:g} {unit}", mine <= most) if most is not None else ("", None)
        ratios = tuple(getattr(one, field) / getattr(two, field) for one, two in zip(ours, peers, strict=True))
        row = Row(
            name=name, unit=unit, ours=mine, peer=other, ratio=mine / other, target=target, met=met, turn_ratios=ratios
        )
        found.append(row)
    ratios = tuple(mine.cpu / other.cpu for mine, other in zip(ours, peers, strict=True))
    mine, other = (100 * median(each.cpu for each in costs) for costs in (ours, peers))
    cpu = Row(
        name="pod: CPU",
        unit="%",
        ours=mine,
        peer=other,
        ratio=median(ratios),
        target=f"<= {MOST_CPU:g}",
        met=median(ratios) <= MOST_CPU,
        turn_ratios=ratios,
    )
    return [*found, cpu]
