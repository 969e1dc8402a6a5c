"""`python -m bench.operator_cost`: what the operator costs on a real API server, compared with two other operators."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench import operator_restarts, operator_scenarios
from bench.operator_contenders import GO, NAIVE, OURS
from bench.rows import Row, table, write

RESULTS = Path("build/bench/operator_cost.json")
T = TypeVar("T")


class Measurement:
    """The options of the command line, and a new folder for each measurement."""

    def __init__(self, folder: Path, chosen: argparse.Namespace) -> None:
        self._folder = folder
        self._count = 0
        self.chosen = chosen

    def of_each(self, measure: Callable[[str, Path], Coroutine[Any, Any, T]]) -> dict[str, T]:
        """Measure each chosen operator, one after the other."""
        return {operator: asyncio.run(measure(operator, self.folder())) for operator in self.chosen.operators}

    def folder(self) -> Path:
        """Create a new folder."""
        self._count += 1
        found = self._folder / f"measurement-{self._count}"
        found.mkdir()
        return found


def burst(measurement: Measurement) -> list[Row]:
    """Measure bursts to pods and settled statuses."""
    found = []
    for jobs in measurement.chosen.jobs:
        costs = measurement.of_each(partial(operator_scenarios.burst, jobs=jobs))
        name = f"burst of {jobs:,} jobs"
        found += _compared(f"{name}: settled", "jobs/s", {each: cost.jobs_per_second for each, cost in costs.items()})
        found += _compared(f"{name}: pods", "jobs/s", {each: cost.pods_per_second for each, cost in costs.items()})
        used = {each: cost.operator_milliseconds for each, cost in costs.items()}
        found += _compared(f"{name}: operator's CPU for each", "ms", used, most=2.0)
        served = {each: cost.api_server_milliseconds for each, cost in costs.items()}
        found += _compared(f"{name}: API server's CPU for each", "ms", served, most_ratio=1.2)
        found += _compared(f"{name}: status writes for each", "", {each: cost.writes for each, cost in costs.items()})
        memory = {each: cost.memory for each, cost in costs.items()}
        found += _compared(f"{name}: memory", "MiB", memory, most=90.0)
    return found


def stream(measurement: Measurement) -> list[Row]:
    """Measure the status writes from the creation of a job until it streams."""
    jobs = measurement.chosen.stream_jobs
    costs = measurement.of_each(partial(operator_scenarios.burst, jobs=jobs, stream=True))
    writes = {each: cost.writes for each, cost in costs.items()}
    memory = {each: cost.memory for each, cost in costs.items()}
    return [
        *_compared("create to Streaming: status writes", "", writes, most=4.0),
        *_compared(f"memory with {jobs:,} jobs that stream", "MiB", memory, most=90.0),
    ]


def heartbeat(measurement: Measurement) -> list[Row]:
    """Measure the cost of one heartbeat with few and with many symbols."""
    found = []
    for symbols in (2, 1000):
        count = measurement.chosen.heartbeats
        costs = measurement.of_each(partial(operator_scenarios.heartbeat, symbols=symbols, count=count))
        name = f"heartbeat, {symbols:,} symbols"
        used = {each: cost.operator_milliseconds for each, cost in costs.items()}
        found += _compared(f"{name}: operator's CPU", "ms", used, most=0.5)
        served = {each: cost.api_server_milliseconds for each, cost in costs.items()}
        found += _compared(f"{name}: API server's CPU", "ms", served, most=8.0)
    return found


def paced(measurement: Measurement) -> list[Row]:
    """Measure the time from the creation of a job until its pod exists, at 20 jobs a second."""
    costs = measurement.of_each(partial(operator_scenarios.paced, jobs=measurement.chosen.paced_jobs))
    return [
        *_compared("job to pod at 20/s: p50", "s", {each: cost.p50 for each, cost in costs.items()}),
        *_compared("job to pod at 20/s: p99", "s", {each: cost.p99 for each, cost in costs.items()}, most=1.0),
    ]


def start(measurement: Measurement) -> list[Row]:
    """Measure a start with many jobs and pods."""
    jobs = measurement.chosen.start_jobs
    found = asyncio.run(operator_restarts.start(measurement.folder(), jobs))
    name = f"start with {jobs:,} jobs and pods"
    return [
        _at_most(f"{name}: ready", "s", found.ready_seconds, 30.0),
        _at_most(f"{name}: most memory", "MiB", found.memory, 400.0),
        _at_most(f"{name}: writes", "", found.writes, 0.0),
    ]


def restart(measurement: Measurement) -> list[Row]:
    """Measure a restart in the same pod and a failover."""
    again = asyncio.run(operator_restarts.restart(measurement.folder()))
    other = asyncio.run(operator_restarts.failover(measurement.folder()))
    return [
        _at_most("restart in the same pod, until a new job has a pod", "s", again.seconds, 5.0),
        _at_most("failover by kill, until a new job has a pod", "s", other.seconds, 20.0),
        _at_most("restart and failover: pods touched", "", again.touched + other.touched, 0.0),
    ]


def outage(measurement: Measurement) -> list[Row]:
    """Measure an outage of the API server."""
    seconds = measurement.chosen.outage_seconds
    found = asyncio.run(operator_restarts.outage(measurement.folder(), seconds))
    name = f"{seconds:g} s without an API server"
    return [
        _at_most(f"{name}: exits of the leader", "", found.exits, 1.0),
        _at_most(f"{name}: pods touched", "", found.touched, 0.0),
        _at_most(f"{name}: until a new job has a pod", "s", found.converged_seconds, 60.0),
    ]


SCENARIOS: dict[str, Callable[[Measurement], list[Row]]] = {
    "burst": burst,
    "stream": stream,
    "heartbeat": heartbeat,
    "paced": paced,
    "restart": restart,
    "start": start,
    "outage": outage,
}
_LEAST_RATIO = {GO: 0.9, NAIVE: 1.4}  # of settled jobs a second


def _compared(
    name: str, unit: str, figures: dict[str, float], most: float | None = None, most_ratio: float | None = None
) -> list[Row]:
    """Return a row for each peer. The targets limit our figure, or its ratio to the peer on controller-runtime."""
    ours = figures.get(OURS)
    if ours is None:
        return [Row(name=f"{name}, {peer}", unit=unit, ours=figure) for peer, figure in figures.items()]
    target, met = "", None
    if most is not None:
        target, met = f"<= {most:g} {unit}".rstrip(), ours <= most
    rows = []
    for peer, figure in figures.items():
        if peer == OURS:
            continue
        ratio, row_target, row_met = ours / figure if figure else None, target, met
        if ratio is not None and name.endswith("settled"):
            row_target, row_met = f">= {_LEAST_RATIO[peer]:g} x", ratio >= _LEAST_RATIO[peer]
        if ratio is not None and most_ratio is not None and peer == GO:
            row_target, row_met = f"<= {most_ratio:g} x", ratio <= most_ratio
        compared = Row(name=f"{name} ({peer})", unit=unit, ours=ours, peer=figure, ratio=ratio)
        rows.append(_with_target(compared, row_target, row_met))
        target, met = "", None  # once
    return rows or [Row(name=name, unit=unit, ours=ours, target=target, met=met)]


def _with_target(row: Row, target: str, met: bool | None) -> Row:
    return Row(name=row.name, unit=row.unit, ours=row.ours, peer=row.peer, ratio=row.ratio, target=target, met=met)


def _at_most(name: str, unit: str, figure: float, most: float) -> Row:
    return Row(name=name, unit=unit, ours=figure, target=f"<= {most:g} {unit}".rstrip(), met=figure <= most)


def main() -> int:
    """Run the scenarios of the command line. The exit code is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="bench.operator_cost", description=__doc__)
    names = ", ".join(SCENARIOS)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help=f"of {names}; none: all")
    every = [OURS, NAIVE, GO]
    parser.add_argument("--operators", nargs="+", choices=every, default=every, help="to measure; all by default")
    parser.add_argument("--jobs", nargs="+", type=int, default=[600, 1000], help="jobs of each burst")
    parser.add_argument("--stream-jobs", type=int, default=1000, help="jobs of stream")
    parser.add_argument("--heartbeats", type=int, default=800, help="heartbeats of each cluster of heartbeat")
    parser.add_argument("--paced-jobs", type=int, default=600, help="jobs of paced")
    parser.add_argument("--start-jobs", type=int, default=10_000, help="jobs and pods of start")
    parser.add_argument("--outage-seconds", type=float, default=600.0, help="length of the outage")
    chosen = parser.parse_args()
    found: list[Row] = []
    for name in chosen.scenarios or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            found += SCENARIOS[name](Measurement(Path(folder), chosen))
    write(found, RESULTS)
    print(table(found))
    return int(any(row.met is False for row in found))


if __name__ == "__main__":
    sys.exit(main())
