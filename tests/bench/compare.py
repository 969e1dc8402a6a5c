"""`python -m bench.compare [--record]`: compare the last `make bench` with the recorded runs, or record it too.

The exit code is 1 if a figure is worse by more than chance.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.comparison import Change, compare
from bench.recorded_runs import (
    RecordedRun,
    add_run,
    ratios_of_rows,
    read_runs,
    recorded_ratios,
)
from bench.rows import Row, read

RESULTS = Path("build/bench")


def changes(rows: Sequence[Row], runs: Sequence[RecordedRun]) -> Iterator[tuple[str, int, Change]]:
    """Yield each figure that has been recorded, with the number of its recorded runs and its change."""
    for row in rows:
        recorded = recorded_ratios(runs, row.name)
        if row.turn_ratios and recorded:
            yield row.name, len(recorded), compare(row.turn_ratios, recorded, higher_is_better=row.higher_is_better)


def report(found: Sequence[tuple[str, int, Change]]) -> str:
    """Return a line for each figure."""
    width = max((len(name) for name, _, _ in found), default=0)
    lines = [f"{name:<{width}}  {change.to_text()}, {count} recorded" for name, count, change in found]
    return "\n".join(lines)


def _rows_of_commit(committed_at: float) -> Iterator[Row]:
    """Yield the rows of all benchmarks that have run since the last commit, and name those that have not."""
    for file in sorted(RESULTS.glob("*.json")):
        if file.stat().st_mtime < committed_at:
            print(f"{file}: older than the last commit; run `make bench BENCH={file.stem}`", file=sys.stderr)
            continue
        yield from read(file)


def _last_commit(form: str) -> str:
    done = subprocess.run(["git", "log", "-1", f"--format={form}"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> int:
    """Compare, print, and record if asked to."""
    parser = argparse.ArgumentParser(prog="bench.compare", description=__doc__)
    parser.add_argument("--record", action="store_true", help="add this run to tests/bench/recorded.json")
    chosen = parser.parse_args()
    rows = list(_rows_of_commit(float(_last_commit("%ct"))))
    if not rows:
        print("build/bench has no result of this commit; run `make bench` first", file=sys.stderr)
        return 2
    found = list(changes(rows, read_runs()))
    print(report(found) or "no figure of this run has been recorded; add it with `make bench-record`")
    if chosen.record:
        add_run(RecordedRun(_last_commit("%h"), f"{datetime.now(UTC):%Y-%m-%d}", ratios_of_rows(rows)))
    return int(any(change.is_worse for _, _, change in found))


if __name__ == "__main__":
    sys.exit(main())
