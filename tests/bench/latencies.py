"""Percentiles of latencies, each beside the figure of a watch for the same events."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.rows import Row

MOST = 3.0  # times the watch's latency


def latency_rows(name: str, ours: Sequence[float], watch: Sequence[float], most: float | None = MOST) -> list[Row]:
    """Return the rows of p50 and p99 in milliseconds. `ours` and `watch` are in seconds."""
    ratios = tuple(mine / other for mine, other in zip(ours, watch, strict=True)) if len(ours) == len(watch) else ()
    found = []
    for percent in (50, 99):
        mine, other = percentile(ours, percent), percentile(watch, percent)
        ratio = mine / other
        found.append(
            Row(
                name=f"{name}, p{percent} of {len(ours)}",
                unit="ms",
                ours=mine * 1e3,
                peer=other * 1e3,
                ratio=ratio,
                target=f"<= {most:g}" if most is not None else "",
                met=ratio <= most if most is not None else None,
                turn_ratios=ratios if percent == 50 else (),
            )
        )
    return found


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least `percent` per cent of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
