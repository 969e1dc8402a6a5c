"""Fixtures of the tests of outages."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice_devcluster.layout import StateDirectory
from support.fault_cluster import cluster, runtime
from support.fault_worlds import World
from support.locked_runtime import LockedRuntime

__all__ = ["cluster", "runtime"]


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Chance by SLUICE_FAULT_SEED, different in each test."""
    return random.Random(os.environ.get("SLUICE_FAULT_SEED", "1") + request.node.name)


@pytest.fixture
async def world(
    cluster: StateDirectory, runtime: LockedRuntime, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """A world for one test. At the end, its jobs are deleted."""
    name = f"world-{abs(hash(request.node.nodeid)) % 10**8}"
    async with World(cluster, runtime, tmp_path, name).running() as found:
        yield found
        await found.delete_jobs()
