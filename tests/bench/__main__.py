"""`python -m bench [NAME ...]`: run benchmarks, print a table, and write build/bench/NAME.json."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench import (
    event_to_document,
    fairness,
    first_quote,
    footprint,
    latency,
    operator_kills,
    pause_fleet,
    pause_watchers,
    pauses,
    plugin,
    readers,
    stops,
    tenants_claims,
    tenants_http,
    tenants_memory,
    tenants_turns,
    throughput,
)
from bench.rows import Row, table, write
from bench.stop_faults import FAULTS
from support.firestore import firestore_emulator

RESULTS = Path("build/bench")


def _footprint(folder: Path, chosen: argparse.Namespace) -> list[Row]:
    with firestore_emulator(folder / "emulator") as host:
        return footprint.rows(host, folder, chosen.repetitions)


def _event_to_document(folder: Path, _: argparse.Namespace) -> Iterator[Row]:
    with firestore_emulator(folder / "emulator") as host:
        yield from event_to_document.rows(host, folder)


def _latency(folder: Path, _: argparse.Namespace) -> list[Row]:
    with firestore_emulator(folder / "emulator") as host:
        return latency.rows(host, folder)


def _tenants(folder: Path, _: argparse.Namespace) -> Iterator[Row]:
    yield from tenants_claims.rows()
    yield from tenants_turns.rows(folder / "turns")
    yield from tenants_memory.rows(folder / "memory")
    yield from tenants_http.rows(folder / "http")


BENCHES: dict[str, Callable[[Path, argparse.Namespace], Iterable[Row]]] = {
    "throughput": lambda folder, chosen: throughput.rows(folder, chosen.turns),
    "throughput-others": lambda folder, chosen: throughput.rows(folder, chosen.turns, throughput.OTHER_CELLS),
    "footprint": _footprint,
    "first-quote": lambda folder, chosen: first_quote.rows(folder, chosen.rounds or first_quote.ROUNDS),
    "event-to-document": _event_to_document,
    "latency": _latency,
    "fairness": lambda _, __: fairness.rows(),
    "pauses": lambda folder, chosen: pauses.rows(folder, chosen.rounds or pauses.ROUNDS, chosen.pods),
    "watchers": lambda folder, _: pause_watchers.rows(folder),
    "operator": lambda folder, chosen: operator_kills.rows(folder, chosen.rounds or operator_kills.ROUNDS),
    "readers": lambda folder, _: readers.rows(folder),
    "plugin": lambda folder, chosen: plugin.rows(folder, chosen.rounds or plugin.ROUNDS),
    "tenants": _tenants,
    "stops": lambda folder, chosen: stops.rows(folder, chosen.rounds or stops.ROUNDS, chosen.faults),
}
# Those that only run when they are named: they have no targets, or take as long as all others together.
BY_NAME_ONLY = ("throughput-others", "latency", "watchers", "stops", "tenants")
DEFAULT = [name for name in BENCHES if name not in BY_NAME_ONLY]


def _run(name: str, chosen: argparse.Namespace, found: list[Row]) -> None:
    """Run one benchmark, append its rows to `found`, and write them to its file."""
    rows, began = [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for row in BENCHES[name](Path(folder), chosen):
            rows.append(row)
            found.append(row)
    write(rows, RESULTS / f"{name}.json")
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def main() -> int:
    """Run the benchmarks of the command line. The exit code is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*BENCHES, []],
        help=f"of {', '.join(BENCHES)}; none: all except {', '.join(BY_NAME_ONLY)}",
    )
    parser.add_argument("--turns", type=int, default=throughput.TURNS, help="turns of each consumer of throughput")
    parser.add_argument("--repetitions", type=int, default=3, help="pods of footprint")
    rounds = (
        f"pauses in each phase ({pauses.ROUNDS}), kills of operator ({operator_kills.ROUNDS}), stops in each cell "
        f"({stops.ROUNDS}), turns of plugin ({plugin.ROUNDS}), or jobs of first-quote ({first_quote.ROUNDS})"
    )
    parser.add_argument("--rounds", type=int, help=rounds)
    parser.add_argument("--pods", type=int, default=pause_fleet.PODS, help="pods of pauses that one pause closes")
    faults = f"of stops, of {', '.join(FAULTS)}; none: all"
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=[], help=faults)
    chosen = parser.parse_args()
    found: list[Row] = []
    try:
        for name in chosen.names or DEFAULT:
            _run(name, chosen, found)
    finally:  # also shows what was measured before a failure
        print(table(found))
    return int(any(row.met is False for row in found))


if __name__ == "__main__":
    sys.exit(main())
