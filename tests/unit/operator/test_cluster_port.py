"""The fake passes the suite of the API server's behaviour, as the adapter does in tests/integration."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_operator.ports import LeaseStore

from .behaviour import ClusterBehaviour, LeaseBehaviour
from .fakes import FakeCluster, FakeLeases


class FakeBench:
    """A cluster in memory."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.namespace = "acme"

    async def declare(self, name: str, spec: dict[str, Any]) -> None:
        self.cluster.declare((self.namespace, name), spec)

    async def report(self, name: str, stream: dict[str, Any]) -> None:
        self.cluster.pod_says((self.namespace, name), stream)


@pytest.fixture
def bench() -> FakeBench:
    """A fake cluster for each test."""
    return FakeBench()


class TestFakeCluster(ClusterBehaviour):
    """Runs the whole suite for clusters."""


class TestFakeLeases(LeaseBehaviour):
    """Runs the whole suite for leases."""

    @pytest.fixture
    def leases(self) -> LeaseStore:
        """The Lease as one replica reaches it."""
        return FakeLeases().seen_by("first")
