"""The time from the provider's send of a quote to the return of the commit that contains it.

The real pod writes 20 documents a second of 30 symbols, and flushes every 20 ms. The event time of a quote is the time
of its sending; the end is in the pod's own log, which has a line for each quote that Firestore has acknowledged. Beside
it, another process commits as many documents of the same size, and nothing else. The peer runs after it, in the same
way and under the same limits.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench import pod as pods
from bench.latencies import percentile
from bench.rows import Row
from support.upstream import Upstream

QUOTES_PER_SECOND = (1000, 5000)
FLUSH_SECONDS = 0.02
SECONDS = 60.0
PEER_SECONDS = 30.0
WARM_UP_SECONDS = 6.0
COMMITS_PER_SECOND = 20  # the pod's default limit
_SLICE_SECONDS = 10.0


class Delay(NamedTuple):
    """How many seconds one write took, and its end in Unix seconds."""

    at: float
    seconds: float


@dataclass(frozen=True)
class Delays:
    """The delays of one program, those of the bare commits at the same time, and the program's share of a core."""

    events: Sequence[Delay]
    commits: Sequence[Delay]
    cpu: float


def rows(host: str, folder: Path, seconds: float = SECONDS, peer_seconds: float = PEER_SECONDS) -> Iterator[Row]:
    """Measure each rate of quotes: the pod for `seconds`, then the peer for `peer_seconds`."""
    for rate in QUOTES_PER_SECOND:
        here = folder / str(rate)
        here.mkdir()
        ours = asyncio.run(_measure_pod(host, here, rate, seconds))
        peer = asyncio.run(_measure_peer(host, here, rate, peer_seconds))
        yield from compared(rate, ours, peer)


def compared(rate: int, ours: Delays, peer: Delays) -> Iterator[Row]:
    """Yield the rows of one rate. p99 has a target, which depends on the p99 of the bare commits beside the pod."""
    name = f"event to document, {rate:,} quotes/s"
    # Not even the newest quote is newer than this: at low rates the gap between two quotes, otherwise the flush.
    oldest = FLUSH_SECONDS if rate == max(QUOTES_PER_SECOND) else len(pods.SYMBOLS) / rate
    for percent in (50, 99):
        mine, other, bare = (
            1e3 * percentile([each.seconds for each in delays], percent)
            for delays in (ours.events, peer.events, ours.commits)
        )
        most = 1e3 * oldest + 2 * bare if percent == 99 else None
        yield Row(
            name=f"{name}, p{percent}",
            unit="ms",
            ours=mine,
            peer=other,
            limit=bare,
            ratio=mine / other,
            target=f"<= {most:.1f} ms" if most is not None else "",
            met=mine <= most if most is not None else None,
            turn_ratios=tuple(_slice_ratios(ours, percent)),
        )
    yield Row(name=f"{name}, CPU", unit="%", ours=100 * ours.cpu, peer=100 * peer.cpu, ratio=ours.cpu / peer.cpu)


def _slice_ratios(delays: Delays, percent: int) -> Iterator[float]:
    """Yield the ratio of events to bare commits for each 10 s."""
    began = delays.events[0].at
    for number in range(int((delays.events[-1].at - began + 1) / _SLICE_SECONDS)):
        first = began + number * _SLICE_SECONDS
        events, commits = (
            [each.seconds for each in some if first <= each.at < first + _SLICE_SECONDS]
            for some in (delays.events, delays.commits)
        )
        yield percentile(events, percent) / percentile(commits, percent)


async def _measure_pod(host: str, folder: Path, rate: int, seconds: float) -> Delays:
    with _upstream(rate) as server:
        spec = pods.spec(f"pod-{rate}", server.url)
        spec["limits"] = {"flushIntervalMilliseconds": round(1e3 * FLUSH_SECONDS)}
        async with pods.pod(spec, host, folder / "pod") as (process, _):
            return await _measure(process, host, folder, folder / "pod" / "pod.log", seconds)


async def _measure_peer(host: str, folder: Path, rate: int, seconds: float) -> Delays:
    log = folder / "peer.log"
    with _upstream(rate) as server:
        arguments = [server.url, f"peer-{rate}", ",".join(pods.SYMBOLS), str(FLUSH_SECONDS)]
        async with pods.program([sys.executable, "-m", "bench.peer", *arguments], _environment(host), log) as process:
            return await _measure(process, host, folder, log, seconds)


async def _measure(process: pods.Process, host: str, folder: Path, log: Path, seconds: float) -> Delays:
    """Measure a program whose log has its writes, and bare commits beside it."""
    bare_log = folder / f"{log.stem}-bare.log"
    command = [sys.executable, "-m", "bench.bare_commit", log.stem, str(COMMITS_PER_SECOND)]
    async with pods.program(command, _environment(host), bare_log):
        await asyncio.sleep(WARM_UP_SECONDS)
        began, cpu = time.time(), process.cpu_seconds
        await asyncio.sleep(seconds)
        cpu = (process.cpu_seconds - cpu) / seconds
        end = time.time()
    events = [each for each in read_writes(log) if began <= each.at <= end]
    commits = [each for each in _read_commits(bare_log) if began <= each.at <= end]
    if not events or not commits:
        raise RuntimeError(f"no quote or no bare commit was written; see {log} and {bare_log}")
    return Delays(events, commits, cpu)


def read_writes(log: Path) -> list[Delay]:
    """Return the time from event to acknowledgement of each quote in the log of a pod or of the peer."""
    return [
        Delay(_instant(line["ts"]), _instant(line["ts"]) - _instant(line["at"]))
        for line in _json_lines(log)
        if line.get("message") == "wrote a quote"
    ]


def _read_commits(log: Path) -> list[Delay]:
    return [Delay(line["at"], line["seconds"]) for line in _json_lines(log)]


def _json_lines(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text().splitlines():
        if line.startswith("{") and line.endswith("}"):
            yield json.loads(line)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _upstream(rate: int) -> Upstream:
    return Upstream("--quotes-per-second", str(rate), "--batch", "1", "--no-deflate")


def _environment(host: str) -> dict[str, str]:
    return {
        "FIRESTORE_EMULATOR_HOST": host,
        "GOOGLE_CLOUD_PROJECT": pods.PROJECT,
        "PYTHONPATH": ":".join(sys.path),
    }
