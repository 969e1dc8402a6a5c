"""Fixtures: a cluster for faults, and what its pods run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice_devcluster.layout import StateDirectory
from support.cluster import fault_cluster
from support.locked_runtime import LockedRuntime


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> LockedRuntime:
    """The stand-in for the runtime in all pods."""
    return LockedRuntime(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, runtime: LockedRuntime) -> Iterator[StateDirectory]:
    """A cluster with the CRDs and a node whose pods run the stand-in."""
    with fault_cluster(tmp_path_factory.mktemp("faults"), runtime.programs) as state:
        yield state
