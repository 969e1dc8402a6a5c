"""A fake cluster behind another one, which changes some of its requests."""

from __future__ import annotations

from sluice_operator.domain.objects import Job, Pod
from unit.operator.fakes import FakeCluster


class ForwardingCluster:
    """Passes on the reads of `ports.Cluster` to which nothing happens."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def list_jobs(self) -> list[Job]:
        return await self._cluster.list_jobs()

    async def list_pods(self) -> list[Pod]:
        return await self._cluster.list_pods()

    async def read_cluster_uid(self) -> str:
        return await self._cluster.read_cluster_uid()
