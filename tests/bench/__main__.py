"""`python -m bench [NAME ...]`: measures, prints a table, and writes build/bench/NAME.json."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import fairness, footprint, throughput
from bench.rows import Row, table, write
from support.firestore import firestore_emulator

RESULTS = Path("build/bench")


def _footprint(folder: Path, repetitions: int) -> list[Row]:
    with firestore_emulator(folder / "emulator") as host:
        return footprint.rows(host, folder, repetitions)


BENCHES: dict[str, Callable[[Path, int], list[Row]]] = {
    "throughput": throughput.rows,
    "footprint": _footprint,
    "fairness": lambda _, __: fairness.rows(),
}


def main() -> int:
    """Exit code 1: a target is missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help=f"of {', '.join(BENCHES)}; none: all")
    parser.add_argument("--repetitions", type=int, default=3)
    chosen = parser.parse_args()
    found: list[Row] = []
    for name in chosen.names or BENCHES:
        with tempfile.TemporaryDirectory() as folder:
            rows = BENCHES[name](Path(folder), chosen.repetitions)
        write(rows, RESULTS / f"{name}.json")
        found += rows
    print(table(found))
    return int(any(row.met is False for row in found))


if __name__ == "__main__":
    sys.exit(main())
