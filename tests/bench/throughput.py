"""Quotes per CPU second of a consumer, at 1, 10 and 100 messages a frame, in clear text and over TLS.

Each consumer has a server of its own, which frames and encrypts the quotes of a turn before the turn begins. Only the
consumer's own CPU time counts. The consumers take turns, so a machine that is slower for a while slows all alike; a
ratio is the median of the ratios within a turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO

from bench.consumers import CONSUMERS, TAPE_QUOTES
from bench.rows import Row
from support.certificates import self_signed

FRAMES = (1, 10, 100)
TURNS = 9
TURN_SECONDS = 0.4
# The minimum ratio of native's speed to that of each consumer, without trades.
TARGETS = {"alpaca-py": 15.0, "limit": 0.65}
# Where each quote has a frame, and the records are large.
TARGETS_OF_SMALL_FRAMES = {**TARGETS, "alpaca-py": 35.0}
_COMPARED = ("alpaca-py", "native", "limit")
_RECORD_NAMES = {"none": "ws", "large": "wss, records of 16 KiB", "frame": "wss, a record a frame"}


@dataclass(frozen=True)
class Cell:
    """What the servers send in one comparison. `records` is an argument of bench.prepared_stream."""

    per_frame: int
    records: str
    with_trades: bool = False
    names: Sequence[str] = _COMPARED
    targets: dict[str, float] = field(default_factory=lambda: TARGETS)

    @property
    def title(self) -> str:
        """The words for the rows."""
        return f"{_RECORD_NAMES[self.records]}: quotes{' with trades' * self.with_trades}, {self.per_frame} a frame"


CELLS = [
    *(Cell(per_frame, "none") for per_frame in FRAMES),
    Cell(1, "large", targets=TARGETS_OF_SMALL_FRAMES),
    *(Cell(per_frame, "large") for per_frame in FRAMES[1:]),
    *(Cell(per_frame, "frame") for per_frame in FRAMES),
]
# Cells without targets.
OTHER_CELLS = [
    *(Cell(per_frame, "none", names=tuple(CONSUMERS), targets={}) for per_frame in FRAMES),
    *(Cell(per_frame, "none", with_trades=True, targets={}) for per_frame in FRAMES),
]


def rows(folder: Path, turns: int, cells: Sequence[Cell] = CELLS) -> Iterator[Row]:
    """Yield the medians over `turns` turns of each consumer, as soon as a cell is measured."""
    certificate, key = self_signed(folder, "localhost")
    for cell in cells:
        with ExitStack() as stack:
            consumers = {name: stack.enter_context(_consumer(name, cell, certificate, key)) for name in cell.names}
            speeds: dict[str, list[float]] = {name: [] for name in consumers}
            for _ in range(turns):
                for name, consumer in consumers.items():
                    speeds[name].append(consumer.speed())
        yield from _compared(cell, speeds)


class Consumer:
    """A consumer and its server, each a process. Both are idle except while `speed` measures."""

    def __init__(self, server: subprocess.Popen[str], consumer: subprocess.Popen[str]) -> None:
        """The first turn is a short one, after which `speed` knows how many quotes take about TURN_SECONDS."""
        self._server = server
        self._consumer = consumer
        self._passes = 1
        self._passes = max(1, round(self.speed() * TURN_SECONDS / TAPE_QUOTES))

    def speed(self) -> float:
        """Return the quotes per second of CPU time over one turn."""
        _ask(self._server, self._passes)
        before, cpu_before = json.loads(_ask(self._consumer, 0))
        assert self._server.stdin is not None
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        after, cpu_after = json.loads(_ask(self._consumer, before + self._passes * TAPE_QUOTES))
        return float((after - before) / (cpu_after - cpu_before))


def _ask(process: subprocess.Popen[str], number: int) -> str:
    assert process.stdin is not None
    process.stdin.write(f"{number}\n")
    process.stdin.flush()
    return _line(process.stdout)


def _line(output: IO[str] | None) -> str:
    assert output is not None
    if not (line := output.readline()):
        raise RuntimeError("a process of the bench has ended")
    return line


@contextmanager
def _consumer(name: str, cell: Cell, certificate: Path, key: Path) -> Iterator[Consumer]:
    channels = ("quotes", "trades") if cell.with_trades else ("quotes",)
    files = ("--tls-cert", str(certificate), "--tls-key", str(key))
    arguments = [str(cell.per_frame), cell.records, *["--trades"] * cell.with_trades, *files]
    with _process("bench.prepared_stream", *arguments) as server:
        url = _line(server.stdout).strip()
        with _process("bench.consumers", name, url, *channels, SSL_CERT_FILE=str(certificate)) as consumer:
            yield Consumer(server, consumer)


@contextmanager
def _process(module: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _compared(cell: Cell, speeds: dict[str, list[float]]) -> Iterator[Row]:
    for name in (each for each in speeds if each != "native"):
        pairs = zip(speeds["native"], speeds[name], strict=True)
        ratios = tuple(ours / other for ours, other in pairs)
        ratio = median(ratios)
        least = cell.targets.get(name)
        yield Row(
            name=f"{cell.title}, against {name}",
            unit="1/CPU s",
            ours=median(speeds["native"]),
            peer=median(speeds[name]) if name != "limit" else None,
            limit=median(speeds[name]) if name == "limit" else None,
            ratio=ratio,
            target=f">= {least:g}" if least is not None else "",
            met=ratio >= least if least is not None else None,
            turn_ratios=ratios,
            higher_is_better=True,
        )
