"""The API server's behaviour that the operator relies on. The fake and the adapter must both pass this suite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import pytest

from sluice_contract import identity
from sluice_contract.status import Condition, IngestJobStatus, PodRestart
from sluice_operator.domain import objects, pod_mutation, workload
from sluice_operator.domain.election import LeaseRecord
from sluice_operator.domain.objects import Job, Key, Pod
from sluice_operator.domain.workload import PodSettings
from sluice_operator.ports import Cluster, Conflict, LeaseStore, NotFound, RequestRefused

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PODS = PodSettings(image="sluice-runtime:0.1.0", project_id="demo-sluice")
SPEC: dict[str, Any] = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"]}
STATUS = IngestJobStatus(
    observed_generation=1,
    phase="Pending",
    conditions=[
        Condition(
            type="Ready",
            status="False",
            reason="PodCreating",
            message="Soon.",
            last_transition_time=AT,
            observed_generation=1,
        )
    ],
    pod_name="one-ingest",
    epoch=7,
    restart=PodRestart(count=1, next_at=AT),
)


class Bench(Protocol):
    """A cluster with a separate namespace for each test."""

    @property
    def cluster(self) -> Cluster:
        """The cluster under test."""

    @property
    def namespace(self) -> str:
        """The namespace of the test."""

    async def declare(self, name: str, spec: dict[str, Any]) -> None:
        """Create or change a job, as `kubectl apply` does."""

    async def report(self, name: str, stream: dict[str, Any]) -> None:
        """Write the pod's part of the status, as the pod's own field manager."""


class ClusterBehaviour:
    """Each test module subclasses it and provides a fixture `bench`."""

    async def test_an_absent_object_is_not_found(self, bench: Bench) -> None:
        for call in (bench.cluster.read_job, bench.cluster.read_pod):
            with pytest.raises(NotFound):
                await call((bench.namespace, "none"))

    async def test_a_declared_job_is_listed_and_read(self, bench: Bench) -> None:
        job = await declared(bench)
        assert job.key in [each.key for each in await bench.cluster.list_jobs()]
        assert (job.spec is not None, job.metadata.generation, job.status) == (True, 1, IngestJobStatus())

    async def test_a_written_status_is_read_back_unchanged(self, bench: Bench) -> None:
        job = await declared(bench)
        written = await bench.cluster.write_operator_status(job, STATUS)
        assert written.status == STATUS == (await bench.cluster.read_job(job.key)).status

    async def test_the_same_status_again_changes_nothing(self, bench: Bench) -> None:
        job = await declared(bench)
        first = await bench.cluster.write_operator_status(job, STATUS)
        second = await bench.cluster.write_operator_status(first, STATUS)
        assert first.metadata.resource_version == second.metadata.resource_version

    async def test_fields_absent_from_a_status_are_removed_and_the_pods_block_stays(self, bench: Bench) -> None:
        job = await declared(bench)
        await bench.cluster.write_operator_status(job, STATUS)
        await bench.report(job.metadata.name, STREAM)
        job = await bench.cluster.read_job(job.key)
        written = await bench.cluster.write_operator_status(
            job, msgspec.structs.replace(STATUS, restart=None, conditions=[])
        )
        assert (written.status.restart, written.status.conditions) == (None, [])
        assert written.status.stream is not None
        assert written.status.stream.pod_uid == "pod-1"

    async def test_a_status_of_an_absent_job_is_not_found(self, bench: Bench) -> None:
        job = await declared(bench)
        absent = msgspec.structs.replace(job, metadata=msgspec.structs.replace(job.metadata, name="none"))
        with pytest.raises((NotFound, Conflict)):
            await bench.cluster.write_operator_status(absent, STATUS)

    async def test_a_status_for_an_earlier_version_of_a_job_is_not_written(self, bench: Bench) -> None:
        job = await declared(bench)
        newer = await bench.cluster.write_operator_status(job, STATUS)
        with pytest.raises(Conflict):
            await bench.cluster.write_operator_status(job, msgspec.structs.replace(STATUS, epoch=3))
        assert (await bench.cluster.read_job(job.key)).status == newer.status

    async def test_a_pod_without_its_account_is_rejected_with_a_message(self, bench: Bench) -> None:
        job = await declared(bench)
        with pytest.raises(RequestRefused, match=identity.SERVICE_ACCOUNT):
            await bench.cluster.create_pod(workload.pod_manifest(job, 7, "cold", PODS))

    async def test_an_account_can_be_ensured_repeatedly(self, bench: Bench) -> None:
        await bench.cluster.apply_account_and_role_binding(bench.namespace)
        await bench.cluster.apply_account_and_role_binding(bench.namespace)

    async def test_a_created_pod_is_listed_and_read_and_cannot_be_created_twice(self, bench: Bench) -> None:
        job, pod = await with_pod(bench)
        assert pod.metadata.owner_references[0].uid == job.metadata.uid
        assert (await bench.cluster.read_pod(job.key)).metadata.uid == pod.metadata.uid
        assert pod.metadata.uid in [each.metadata.uid for each in await bench.cluster.list_pods()]
        with pytest.raises(Conflict):
            await bench.cluster.create_pod(workload.pod_manifest(job, 8, "cold", PODS))

    async def test_a_created_pod_has_everything_that_was_requested(self, bench: Bench) -> None:
        job = await declared(bench)
        await bench.cluster.apply_account_and_role_binding(bench.namespace)
        manifest = workload.pod_manifest(job, 7, "cold", PODS)
        assert pod_mutation.first_difference(manifest, await bench.cluster.create_pod(manifest)) is None

    async def test_only_the_pod_that_was_observed_is_deleted(self, bench: Bench) -> None:
        job, pod = await with_pod(bench)
        with pytest.raises(Conflict):
            await bench.cluster.delete_pod(job.key, "another", pod.metadata.resource_version)
        with pytest.raises(Conflict):
            await bench.cluster.delete_pod(job.key, pod.metadata.uid, "1")
        assert (await bench.cluster.read_pod(job.key)).metadata.deletion_timestamp is None

    async def test_a_deleted_pod_is_gone_or_terminating(self, bench: Bench) -> None:
        job, _ = await with_pod(bench)
        for _ in range(5):  # the kubelet may write the pod's status meanwhile
            pod = await bench.cluster.read_pod(job.key)
            try:
                await bench.cluster.delete_pod(job.key, pod.metadata.uid, pod.metadata.resource_version)
                break
            except Conflict:
                continue
        assert await is_gone_or_going(bench.cluster, job.key)

    async def test_a_pod_that_is_gone_cannot_be_deleted(self, bench: Bench) -> None:
        with pytest.raises(NotFound):
            await bench.cluster.delete_pod((bench.namespace, "none"), "any", "1")


class LeaseBehaviour:
    """The behaviour that an election relies on. Subclasses have a fixture `leases`: a Lease that does not exist yet."""

    async def test_an_absent_lease_reads_as_none(self, leases: LeaseStore) -> None:
        assert await leases.read() is None

    async def test_a_written_lease_is_read_back(self, leases: LeaseStore) -> None:
        written = await leases.write(RECORD)
        assert msgspec.structs.replace(written, resource_version="") == RECORD
        assert await leases.read() == written

    async def test_a_lease_is_created_once(self, leases: LeaseStore) -> None:
        await leases.write(RECORD)
        with pytest.raises(Conflict):
            await leases.write(RECORD)

    async def test_only_one_of_two_writers_of_the_same_lease_version_succeeds(self, leases: LeaseStore) -> None:
        seen = await leases.write(RECORD)
        taken = await leases.write(msgspec.structs.replace(seen, holder="second", transitions=1))
        with pytest.raises(Conflict):
            await leases.write(msgspec.structs.replace(seen, holder="third", transitions=1))
        assert await leases.read() == taken

    async def test_a_lease_can_be_released(self, leases: LeaseStore) -> None:
        held = await leases.write(RECORD)
        assert (await leases.write(msgspec.structs.replace(held, holder="", seconds=1.0))).holder == ""


RECORD = LeaseRecord(holder="first", seconds=15.0, acquired_at=AT, renewed_at=AT, transitions=0)
STREAM: dict[str, Any] = {
    "observedGeneration": 1,
    "podUID": "pod-1",
    "state": "Connecting",
    "heartbeat": {"at": "2026-03-02T15:00:00Z", "status": "starting", "dryRun": False, "epoch": 7, "sessionID": "s"},
    "ingestEnabled": True,
    "symbols": {"live": "0/1", "desired": 1, "confirmed": 0, "pending": 1, "paused": 0, "rejected": 0},
    "sink": {"healthy": True},
    "effectiveIntervalMilliseconds": 1000,
}


async def declared(bench: Bench) -> Job:
    """Create a job that no operator has processed."""
    await bench.declare("one", SPEC)
    return await bench.cluster.read_job((bench.namespace, "one"))


async def with_pod(bench: Bench) -> tuple[Job, Pod]:
    """Create a job and its pod."""
    job = await declared(bench)
    await bench.cluster.apply_account_and_role_binding(bench.namespace)
    return job, objects.decode_pod(await bench.cluster.create_pod(workload.pod_manifest(job, 7, "cold", PODS)))


async def is_gone_or_going(cluster: Cluster, key: Key) -> bool:
    """Return whether the pod is absent or terminating."""
    try:
        return (await cluster.read_pod(key)).metadata.deletion_timestamp is not None
    except NotFound:
        return True
