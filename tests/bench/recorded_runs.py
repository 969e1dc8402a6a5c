"""The runs that later ones are compared with: recorded.json beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.rows import Row

FILE = Path(__file__).with_name("recorded.json")
# Runs of the same code differ by more than their turns do, so one recorded run is not enough to compare with.
MOST_RUNS = 5
_DIGITS = 4


class RecordedRun(msgspec.Struct, frozen=True):
    """The ratios of all turns of one run, by the name of the figure. `at` is a date such as 2026-12-01."""

    commit: str
    at: str
    ratios: dict[str, tuple[float, ...]]


def read_runs(file: Path = FILE) -> list[RecordedRun]:
    """Return the recorded runs, the oldest first; an empty list if there is no file."""
    return msgspec.json.decode(file.read_bytes(), type=list[RecordedRun]) if file.exists() else []


def add_run(run: RecordedRun, file: Path = FILE) -> None:
    """Append a run, and drop the oldest ones above MOST_RUNS."""
    runs = [*read_runs(file), run][-MOST_RUNS:]
    lines = ",\n".join(msgspec.json.encode(each).decode() for each in runs)
    file.write_text(f"[\n{lines}\n]\n")


def ratios_of_rows(rows: Sequence[Row]) -> dict[str, tuple[float, ...]]:
    """Return the ratios of all rows that have ratios of turns, in four digits."""
    return {
        row.name: tuple(float(f"{each:.{_DIGITS}g}") for each in row.turn_ratios) for row in rows if row.turn_ratios
    }


def recorded_ratios(runs: Sequence[RecordedRun], name: str) -> list[tuple[float, ...]]:
    """Return the ratios of one figure in each run that has it."""
    found: list[Mapping[str, tuple[float, ...]]] = [run.ratios for run in runs if name in run.ratios]
    return [ratios[name] for ratios in found]
