"""Dry runs of a fake API server, and the suite that the fake and the adapter must both pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sluice_operator.domain import workload
from sluice_operator.ports import Conflict, NotFound, PodDryRun, RequestRefused, Unavailable

from .behaviour import PODS, Bench, declared
from .fakes import FakeCluster

Manifest = dict[str, Any]


class FakeDryRuns:
    """Implements `ports.PodDryRun` for the pods of a fake cluster. `refusal` returns a message for a refused pod."""

    def __init__(self, cluster: FakeCluster, namespaces: tuple[str, ...]) -> None:
        self.refusal: Callable[[Manifest], str] = lambda _: ""
        self.is_away = False
        self.count = 0
        self._cluster = cluster
        self._namespaces = namespaces

    async def dry_run_creation(self, manifest: Manifest) -> None:
        self.count += 1
        meta, account = manifest["metadata"], manifest["spec"].get("serviceAccountName")
        if self.is_away:
            raise Unavailable("no answer")
        if meta["namespace"] not in self._namespaces:
            raise NotFound(f'namespaces "{meta["namespace"]}" not found')
        if refusal := self.refusal(manifest):
            raise RequestRefused(refusal)
        if account != "default" and meta["namespace"] not in self._cluster.accounts:
            raise RequestRefused(f'error looking up service account: serviceaccount "{account}" not found')
        if (meta["namespace"], meta["name"]) in self._cluster.pods:
            raise Conflict(f'pods "{meta["name"]}" already exists')


class DryRunBehaviour:
    """Each test module subclasses it and provides the fixtures `bench` and `dry_runs`."""

    async def test_a_pod_that_would_be_created_is_not_created(self, bench: Bench, dry_runs: PodDryRun) -> None:
        job = await declared(bench)
        await bench.cluster.apply_account_and_role_binding(bench.namespace)
        await dry_runs.dry_run_creation(workload.pod_manifest(job, 7, "cold", PODS))
        with pytest.raises(NotFound):
            await bench.cluster.read_pod(job.key)

    async def test_a_pod_that_admission_refuses_is_refused(self, bench: Bench, dry_runs: PodDryRun) -> None:
        job = await declared(bench)
        with pytest.raises(RequestRefused, match="error looking up service account"):
            await dry_runs.dry_run_creation(workload.pod_manifest(job, 7, "cold", PODS))

    async def test_a_pod_whose_name_is_taken_is_a_conflict(self, bench: Bench, dry_runs: PodDryRun) -> None:
        job = await declared(bench)
        await bench.cluster.apply_account_and_role_binding(bench.namespace)
        await bench.cluster.create_pod(workload.pod_manifest(job, 7, "cold", PODS))
        with pytest.raises(Conflict):
            await dry_runs.dry_run_creation(workload.pod_manifest(job, 8, "cold", PODS))

    async def test_a_pod_in_an_absent_namespace_is_not_found(self, bench: Bench, dry_runs: PodDryRun) -> None:
        manifest = workload.pod_manifest(await declared(bench), 7, "cold", PODS)
        manifest["metadata"]["namespace"] = "absent"
        with pytest.raises(NotFound):
            await dry_runs.dry_run_creation(manifest)
