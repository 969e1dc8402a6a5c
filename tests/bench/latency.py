"""The time from a quote's event to its document: the real pod, the emulator, and the provider's quotes as they arrive.

The event time is that of the provider, which runs on the same machine; the end is the document's `updateTime`, which
the emulator sets. With few quotes, each of them is written; with many, the newest of each symbol.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import pod as pods
from bench.documents import quote_documents
from bench.rows import Row
from support.site import instant
from support.upstream import Upstream

QUOTES_PER_SECOND = (10, pods.QUOTES_PER_SECOND)  # a quote of each symbol in 3 s, and 33 quotes of each in a second
WARM_UP_SECONDS = 10.0
SECONDS = 60.0
_POLL_SECONDS = 0.2  # a symbol is written once a second at most, so no version of a document is missed


def rows(host: str, folder: Path, seconds: float = SECONDS) -> list[Row]:
    """Measure each rate of quotes for this many seconds, each with its own pod."""
    found: list[Row] = []
    for rate in QUOTES_PER_SECOND:
        delays = asyncio.run(_measured(host, folder / f"pod-{rate}", rate, seconds))
        name = f"event to document, {rate:,} quotes/s"
        for percent in (50, 99):
            value = 1000 * _percentile(delays, percent)
            found.append(Row(name=f"{name}, p{percent} of {len(delays)}", unit="ms", ours=value))
    return found


async def _measured(host: str, folder: Path, rate: int, seconds: float) -> list[float]:
    """Return the seconds from event to document of each version of a document that was written in the time."""
    tenant = f"latency-{rate}"
    with Upstream("--quotes-per-second", str(rate), "--batch", "1", "--no-deflate") as server:
        async with pods.pod(pods.spec(tenant, server.url), host, folder):
            await asyncio.sleep(WARM_UP_SECONDS)
            before = await _versions(host, tenant)
            found = dict(before)
            for _ in range(int(seconds / _POLL_SECONDS)):
                await asyncio.sleep(_POLL_SECONDS)
                found |= await _versions(host, tenant)
    if not (delays := [delay for version, delay in found.items() if version not in before]):
        raise RuntimeError("the pod wrote no quote: see its log")
    return delays


async def _versions(host: str, tenant: str) -> dict[tuple[str, str], float]:
    """Return the current version of each document, as (name, updateTime), with its seconds since the event."""
    documents = await asyncio.to_thread(quote_documents, host, pods.PROJECT, tenant)
    return {(each["name"], each["updateTime"]): _seconds_since_event(each) for each in documents}


def _seconds_since_event(document: dict[str, Any]) -> float:
    event = instant(document["fields"]["ts"]["timestampValue"])
    return (instant(document["updateTime"]) - event).total_seconds()


def _percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least `percent` per cent of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
