"""Quotes per CPU second, at 1, 10 and 100 messages a frame, without trades and with a trade for each fourth quote.

All consumers are connected, each to its own server, and take turns: one runs while the others are stopped. The ratios
therefore compare moments next to each other, so a machine that is slower for a while slows all consumers alike.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from statistics import median

from bench.consumers import CONSUMERS, SYMBOLS, TAPE_QUOTES
from bench.rows import Row
from sluice_simulators.tapes import FIRST_TIME_MS, TapeQuote, generate_quotes, write_tape
from support.upstream import Upstream

FRAMES = (1, 10, 100)
TURNS = 15
TURN_SECONDS = 0.5
# The minimum ratio of native's speed to that of each consumer, without trades.
TARGETS = {"alpaca-py": 15.0, "limit": 0.65}


def rows(folder: Path, turns: int) -> list[Row]:
    """Return the medians over `turns` turns of each consumer."""
    tape = write_tape(folder / "tape.csv", _quotes())
    found: list[Row] = []
    for with_trades, per_frame in product((False, True), FRAMES):
        with ExitStack() as stack:
            consumers = {
                name: stack.enter_context(_consumer(name, tape, per_frame, with_trades=with_trades))
                for name in CONSUMERS
            }
            speeds: dict[str, list[float]] = {name: [] for name in CONSUMERS}
            for _ in range(turns):
                for name, consumer in consumers.items():
                    speeds[name].append(consumer.speed())
        feed = f"quotes{' with trades' * with_trades}, {per_frame} a frame"
        found += _compared(feed, speeds, {} if with_trades else TARGETS)
    return found


class Consumer:
    """A process that runs only while it is measured."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wrap a process, which answers once it has finished the first pass of its tape."""
        self._process = process
        self._asked()
        self._process.send_signal(signal.SIGSTOP)

    def speed(self) -> float:
        """Return the quotes per second of CPU time over one turn."""
        self._process.send_signal(signal.SIGCONT)
        quotes, cpu = self._asked()
        time.sleep(TURN_SECONDS)
        quotes_after, cpu_after = self._asked()
        self._process.send_signal(signal.SIGSTOP)
        return (quotes_after - quotes) / (cpu_after - cpu)

    def _asked(self) -> tuple[int, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        quotes, cpu = json.loads(self._process.stdout.readline())
        return quotes, cpu


@contextmanager
def _consumer(name: str, tape: Path, per_frame: int, *, with_trades: bool) -> Iterator[Consumer]:
    channels = ("quotes", "trades") if with_trades else ("quotes",)
    with (
        _server(tape, per_frame, with_trades=with_trades) as server,
        subprocess.Popen(
            [sys.executable, "-m", "bench.consumers", name, server.url, *channels],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            yield Consumer(process)
        finally:
            process.kill()


def _server(tape: Path, per_frame: int, *, with_trades: bool) -> Upstream:
    if with_trades:
        return Upstream(str(tape), str(per_frame), module="bench.trade_tape")
    return Upstream("--tape", str(tape), "--at-end", "repeat", "--batch", str(per_frame), "--no-deflate")


def _quotes() -> list[TapeQuote]:
    # All quotes have one time: a repeated tape must not go back in time, or its quotes would be dropped unread.
    quotes = generate_quotes(SYMBOLS, TAPE_QUOTES, 1)
    return [
        TapeQuote(FIRST_TIME_MS, each.symbol, each.bid, each.bid_size, each.ask, each.ask_size, each.exchange)
        for each in quotes
    ]


def _compared(feed: str, speeds: dict[str, list[float]], targets: dict[str, float]) -> list[Row]:
    """Return the rows. Ratios are medians of the ratios within one turn."""
    found = []
    for name in (each for each in speeds if each != "native"):
        pairs = zip(speeds["native"], speeds[name], strict=True)
        ratio = median(ours / other for ours, other in pairs)
        least = targets.get(name)
        row = Row(
            name=f"{feed}, against {name}",
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
