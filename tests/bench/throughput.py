"""Quotes that one CPU second takes, at 1, 10 and 100 messages a frame."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.consumers import CONSUMERS, SYMBOLS, TAPE_QUOTES
from bench.rows import Row
from support.tapes import FIRST_TIME_MS, TapeQuote, generated_quotes, write_tape
from support.upstream import Upstream

FRAMES = (1, 10, 100)
# The least that native shall be in proportion to each.
TARGETS = {"alpaca-py": 15.0, "limit": 0.65}


def rows(folder: Path, repetitions: int) -> list[Row]:
    """Every consumer in turn, `repetitions` times, each alone in a fresh process; medians."""
    tape = write_tape(folder / "tape.csv", _quotes())
    found: list[Row] = []
    for per_frame in FRAMES:
        speeds: dict[str, list[float]] = {name: [] for name in CONSUMERS}
        for _ in range(repetitions):
            for name, each in speeds.items():
                each.append(_speed(name, tape, per_frame))
        found += _compared(per_frame, speeds)
    return found


def _quotes() -> list[TapeQuote]:
    # One time for all: a tape that is played again must not go back in time, or its quotes would be dropped unread.
    quotes = generated_quotes(SYMBOLS, TAPE_QUOTES, 1)
    return [
        TapeQuote(FIRST_TIME_MS, each.symbol, each.bid, each.bid_size, each.ask, each.ask_size, each.exchange)
        for each in quotes
    ]


def _speed(name: str, tape: Path, per_frame: int) -> float:
    """Quotes for each second of CPU time."""
    options = ("--tape", str(tape), "--at-end", "repeat", "--batch", str(per_frame), "--no-deflate")
    with Upstream(*options) as server:
        done = subprocess.run(
            [sys.executable, "-m", "bench.consumers", name, server.url],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
    cost = json.loads(done.stdout)
    return float(cost["quotes"] / cost["cpu"])


def _compared(per_frame: int, speeds: dict[str, list[float]]) -> list[Row]:
    """Ratios are medians of the ratios within one turn, in which the machine was about as busy for all."""
    found = []
    for name in (each for each in speeds if each != "native"):
        pairs = zip(speeds["native"], speeds[name], strict=True)
        ratio = median(ours / other for ours, other in pairs)
        least = TARGETS.get(name)
        row = Row(
            name=f"quotes, {per_frame} a frame, against {name}",
            unit="1/CPU s",
            ours=median(speeds["native"]),
            peer=median(speeds[name]) if name != "limit" else None,
            limit=median(speeds[name]) if name == "limit" else None,
            ratio=ratio,
            target=f">= {least:g}" if least is not None else "",
            met=ratio >= least if least is not None else None,
        )
        found.append(row)
    return found
