"""The figures of the bench `stops`: rows with targets, and a matrix of ways and faults in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.rows import Row
from bench.stop_timing import WITHIN_SECONDS, StopTiming


@dataclass(frozen=True)
class StopCell:
    """One way to stop a feed under one fault. A timing is None if it could not be measured."""

    way: str
    fault: str
    limit_seconds: float
    timings: tuple[StopTiming | None, ...]
    confirmation_extra_seconds: float = 0.0  # beyond the limit, until the confirmation is due

    @property
    def measured(self) -> list[StopTiming]:
        """The timings that could be measured."""
        return [each for each in self.timings if each is not None]

    def __str__(self) -> str:
        """Return the line that the bench prints while it runs."""
        return f"{self.way}, {self.fault}: {_text(self)}"


def rows_of(cells: Sequence[StopCell]) -> list[Row]:
    """Return two rows for each cell, and one with the number of stops that could not be measured."""
    found = [row for cell in cells if cell.measured for row in (_row(cell, "closed"), _row(cell, "confirmed"))]
    missing = sum(each is None for cell in cells for each in cell.timings)
    return [*found, Row(name="stop: could not be measured", unit="", ours=missing, target="0", met=missing == 0)]


def matrix(cells: Sequence[StopCell], faults: Sequence[str], rounds: int) -> str:
    """Return the matrix in Markdown: a row for each way, a column for each fault."""
    by_place = {(cell.way, cell.fault): cell for cell in cells}
    ways = list(dict.fromkeys(cell.way for cell in cells))
    lines = [
        f"Seconds from the request to closed / confirmed: the longest of {rounds}. -: cannot be asked for.",
        "",
        f"| way to stop | {' | '.join(faults)} |",
        f"| --- |{' ---: |' * len(faults)}",
    ]
    for way in ways:
        texts = [_text(by_place[way, fault]) if (way, fault) in by_place else "-" for fault in faults]
        lines.append(f"| {way} | {' | '.join(texts)} |")
    return "\n".join(lines)


def _row(cell: StopCell, moment: str) -> Row:
    seconds = [_seconds(each, moment) for each in cell.measured]
    longest = max(seconds)
    limit = cell.limit_seconds + (cell.confirmation_extra_seconds if moment == "confirmed" else 0.0)
    return Row(
        name=f"stop: {cell.way}; {cell.fault}: {moment}, longest of {len(seconds)}",
        unit="s",
        ours=longest,
        median=statistics.median(seconds),
        limit=limit,
        ratio=longest / limit,
        target="<= 1",
        met=longest <= limit,
    )


def _text(cell: StopCell) -> str:
    if not cell.measured:
        return "not measured"
    closed = max(_seconds(each, "closed") for each in cell.measured)
    confirmed = max(_seconds(each, "confirmed") for each in cell.measured)
    return f"{_figure(closed)} / {_figure(confirmed)}"


def _seconds(timing: StopTiming, moment: str) -> float:
    """Return a time of a timing, or the 60 s of waiting if it was not reached."""
    taken: Callable[[StopTiming], float | None] = {
        "closed": lambda each: each.closed,
        "confirmed": lambda each: each.confirmed,
    }[moment]
    found = taken(timing)
    return WITHIN_SECONDS if found is None else found


def _figure(seconds: float) -> str:
    if seconds >= WITHIN_SECONDS:
        return f"> {WITHIN_SECONDS:.0f}"
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"
