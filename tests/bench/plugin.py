"""How much longer `kubectl sluice status -A` takes than `kubectl get ij -A`, with 100 jobs on a real API server."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bench.plugin_jobs import create_jobs
from bench.rows import Row
from sluice_devcluster.api import ApiClient
from sluice_devcluster.layout import StateDirectory
from support.cluster import cluster_without_operator
from support.plugin import Plugin

JOBS = 100
ROUNDS = 40
WARM_UP_ROUNDS = 3  # not counted: they fill kubectl's cache of the server's resources
MOST_MILLISECONDS = 100.0
_TABLE = ("kubectl", "get", "ij", "-A")
_STATUS = ("kubectl", "sluice", "status", "-A")
_NAME = f"plugin: status of {JOBS} jobs"


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """Run both commands in each round, in alternating order, and compare their times."""
    with cluster_without_operator(folder / "devcluster") as state:
        asyncio.run(_create_jobs(state))
        plugin = Plugin(folder / "plugin", state.kubeconfig_file)
        for _ in range(WARM_UP_ROUNDS):
            _require_all_jobs(plugin, _TABLE)
            _require_all_jobs(plugin, _STATUS)
        pairs = [_round_milliseconds(plugin, is_status_first=number % 2 == 0) for number in range(rounds)]
    return _rows(pairs)


def _rows(pairs: Sequence[tuple[float, float]]) -> list[Row]:
    ours, peer = ([pair[place] for pair in pairs] for place in (0, 1))
    more = statistics.median(status - table for status, table in pairs)
    return [
        Row(
            name=f"{_NAME}, median of {len(pairs)}",
            unit="ms",
            ours=statistics.median(ours),
            peer=statistics.median(peer),
            ratio=statistics.median(status / table for status, table in pairs),
            turn_ratios=tuple(status / table for status, table in pairs),
        ),
        Row(
            name=f"{_NAME}, more than kubectl get",
            unit="ms",
            ours=more,
            target=f"<= {MOST_MILLISECONDS:g} ms",
            met=more <= MOST_MILLISECONDS,
        ),
    ]


async def _create_jobs(state: StateDirectory) -> None:
    settings = state.load_settings()
    if settings is None:
        raise RuntimeError("the devcluster has no settings")
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as api:
        await create_jobs(api, JOBS)


def _round_milliseconds(plugin: Plugin, *, is_status_first: bool) -> tuple[float, float]:
    """Return the times of `kubectl sluice status` and of `kubectl get`."""
    if is_status_first:
        status = _milliseconds(plugin, _STATUS)
        return status, _milliseconds(plugin, _TABLE)
    table = _milliseconds(plugin, _TABLE)
    return _milliseconds(plugin, _STATUS), table


def _milliseconds(plugin: Plugin, command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=plugin.environment, stdout=subprocess.PIPE, check=True)
    return 1000 * (time.perf_counter() - began)


def _require_all_jobs(plugin: Plugin, command: Sequence[str]) -> None:
    """Run a command. Raises RuntimeError if a job is missing in its output."""
    done = subprocess.run(command, env=plugin.environment, capture_output=True, text=True, check=True)
    if (found := done.stdout.count("us-equities-")) < JOBS:
        raise RuntimeError(f"{' '.join(command)} shows {found} jobs instead of {JOBS}: {done.stderr}")
