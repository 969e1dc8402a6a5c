"""The time until a stop takes effect: every way to stop a feed under every fault, on a devcluster.

Under one fault, all ways are measured at once, each on its own job.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.rows import Row
from bench.stop_faults import BENCH_ADDRESS, FAULTS, StopFault
from bench.stop_jobs import BenchCluster, StopJob, bench_cluster, watched_jobs
from bench.stop_requests import WAYS, PlannedStop, StopWay
from bench.stop_table import StopCell, matrix, rows_of
from bench.stop_timing import StopTiming, stop_timing
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.cluster import sluice_on_devcluster

ROUNDS = 2
SDK_FAULTS = ("none", "half-open-watch")


@dataclass(frozen=True)
class Column:
    """One fault, with one engine."""

    fault: StopFault
    engine: str

    @property
    def title(self) -> str:
        """The name in tables."""
        return self.fault.name if self.engine == "native" else f"{self.fault.name}, engine {self.engine}"


def rows(folder: Path, rounds: int = ROUNDS, faults: Sequence[str] = ()) -> list[Row]:
    """Measure `rounds` stops in each cell, print the matrix, and return the rows. Without `faults`, use all of them."""
    chosen = faults or tuple(FAULTS)
    columns = [Column(FAULTS[each], "native") for each in chosen]
    columns += [Column(FAULTS[each], "sdk") for each in SDK_FAULTS if each in chosen]
    state = StateDirectory(folder / "devcluster")
    with sluice_on_devcluster(state.root) as site:
        cells = asyncio.run(_measured(site, state, columns, rounds))
    print(matrix(cells, [each.title for each in columns], rounds))
    return rows_of(cells)


async def _measured(site: Quickstart, state: StateDirectory, columns: Sequence[Column], rounds: int) -> list[StopCell]:
    task = asyncio.current_task()
    assert task is not None
    # A bench that is interrupted must still repair what it broke.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    cells = []
    numbers = count(1)
    async with bench_cluster(site, state, BENCH_ADDRESS) as cluster:
        for column in columns:
            ways = [each for each in WAYS if column.fault.applies_to(each)]
            found: dict[str, list[StopTiming | None]] = {each.name: [] for each in ways}
            for _ in range(rounds):
                timings = await _round(cluster, column, ways, [f"s{next(numbers)}" for _ in ways])
                for way, timing in zip(ways, timings, strict=True):
                    found[way.name].append(timing)
            limit, extra = column.fault.limit_seconds, column.fault.confirmation_extra_seconds
            new = [StopCell(way, column.title, limit, tuple(timings), extra) for way, timings in found.items()]
            print("\n".join(map(str, new)), file=sys.stderr, flush=True)
            cells += new
    return cells


async def _round(
    cluster: BenchCluster, column: Column, ways: Sequence[StopWay], names: Sequence[str]
) -> list[StopTiming | None]:
    """Stop one job in each way. A timing is None if it could not be measured; the reason is on stderr."""
    fault = column.fault
    try:
        jobs = [StopJob(cluster, name, column.engine, list(fault.finalizers)) for name in names]
        stops = [PlannedStop(job, way) for job, way in zip(jobs, ways, strict=True)]
        async with fault.prepared(cluster), watched_jobs(jobs):
            await asyncio.gather(*(each.job.start(*each.way.apply_arguments) for each in stops))
            async with fault.injected(cluster, stops):
                measuring = (stop_timing(each, fault) for each in stops)
                found = await asyncio.gather(*measuring, return_exceptions=True)
    except Exception:
        traceback.print_exc()
        return [None] * len(ways)
    return [_timing(each) for each in found]


def _timing(found: StopTiming | BaseException) -> StopTiming | None:
    if isinstance(found, BaseException):
        traceback.print_exception(found)
        return None
    return found
