"""A fake API server behind the operator's port: versions, conflicts, preconditions, graceful deletion."""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from sluice_contract import conditions, identity
from sluice_contract.base import camel_case_field_name
from sluice_contract.status import OPERATOR_FIELDS, IngestJobStatus
from sluice_operator.domain import objects
from sluice_operator.domain.election import LeaseRecord
from sluice_operator.domain.objects import Job, Key, Pod
from sluice_operator.ports import Conflict, EventReport, NotFound, RequestRefused, Unavailable

Document = dict[str, Any]
Watcher = Callable[[str, str, Document], None]

CREATED_AT = "2026-03-02T14:00:00Z"
DELETED_AT = "2026-03-02T15:00:00Z"


def undeclared_reasons(status: IngestJobStatus) -> list[tuple[str, str]]:
    """Return each type and reason of a condition that sluice_contract.conditions does not declare together."""
    pairs = {(kind, each.name) for each in conditions.REASONS.values() for kind in each.types}
    return [(each.type, each.reason) for each in status.conditions if (each.type, each.reason) not in pairs]


class Crash(BaseException):
    """Raised where the operator crashes. It is not an error of the cluster, so no code may catch it."""


class FakeCluster:
    """Implements `ports.Cluster`. It calls `watcher(plural, change, document)` at once for each change.

    Pods marked as bound are deleted gracefully: they are terminating until a test calls `finish`, as on a node.
    """

    def __init__(self) -> None:
        self.jobs: dict[Key, Document] = {}
        self.pods: dict[Key, Document] = {}  # by namespace and pod name
        self.accounts: set[str] = set()
        self.watcher: Watcher = lambda *_: None
        self.webhook: Callable[[Document], object] = lambda _: None  # changes each new pod
        self.refusal = ""  # the message with which pods are rejected
        self.tenants: dict[str, str] = {}  # the tenant labels of the namespaces
        self.namespace_refusal: Exception | None = None  # what a read of a namespace raises
        self.reads_of_namespaces: list[str] = []
        self.bound = False  # whether new pods have a node
        self.writes: list[str] = []
        self.crash_at: tuple[int, str] | None = None  # the number of the write, and `before` or `after` it
        self._versions = itertools.count(1)

    async def list_jobs(self) -> list[Job]:
        return [objects.decode_job(each) for each in self.jobs.values()]

    async def list_pods(self) -> list[Pod]:
        labels = [each["metadata"].get("labels", {}) for each in self.pods.values()]
        chosen = [label.get(identity.MANAGED_BY_LABEL) == identity.MANAGED_BY for label in labels]
        return [objects.decode_pod(each) for each, ours in zip(self.pods.values(), chosen, strict=True) if ours]

    async def read_cluster_uid(self) -> str:
        return "cluster"

    async def read_tenant_label(self, namespace: str) -> str | None:
        self.reads_of_namespaces.append(namespace)
        if self.namespace_refusal is not None:
            raise self.namespace_refusal
        return self.tenants.get(namespace)

    async def read_job(self, key: Key) -> Job:
        return objects.decode_job(_found(self.jobs, key))

    async def read_pod(self, key: Key) -> Pod:
        return objects.decode_pod(_found(self.pods, _pod_key(key)))

    async def write_operator_status(self, job: Job, status: IngestJobStatus) -> Job:
        document = _found(self.jobs, job.key)
        if document["metadata"]["resourceVersion"] != job.metadata.resource_version:
            raise Conflict("the object has been modified")
        assert undeclared_reasons(status) == []
        with self._write("status"):
            owned = {camel_case_field_name(name) for name in OPERATOR_FIELDS}
            kept = {name: value for name, value in document.get("status", {}).items() if name not in owned}
            applied = kept | msgspec.to_builtins(status)
            if applied != document.get("status"):
                self.change("ingestjobs", document, status=applied)
        return objects.decode_job(document)

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        with self._write("account"):
            self.accounts.add(namespace)

    async def create_pod(self, manifest: Document) -> Document:
        meta = manifest["metadata"]
        key = (meta["namespace"], meta["name"])
        if key in self.pods:
            raise Conflict(f"pods {key[1]!r} already exists")
        if self.refusal or key[0] not in self.accounts:
            raise RequestRefused(self.refusal or "service account sluice-ingest not found")
        with self._write("create"):
            document = copy.deepcopy(manifest) | {"status": {"phase": "Pending"}}
            document["metadata"]["uid"] = f"pod-{next(self._versions)}"
            document["spec"] |= {"nodeName": "here"} if self.bound else {}
            self.webhook(document)
            self.pods[key] = document
            self.change("pods", document, change="ADDED")
        return copy.deepcopy(document)

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        document = _found(self.pods, _pod_key(key))
        meta = document["metadata"]
        if (meta["uid"], meta["resourceVersion"]) != (uid, resource_version):
            raise Conflict("the precondition does not hold")
        with self._write("delete"):
            if "nodeName" in document["spec"]:
                meta["deletionTimestamp"] = DELETED_AT
                self.change("pods", document)
            else:
                self.finish(key)

    def declare(self, key: Key, spec: Document, uid: str = "job-1", created: str = CREATED_AT) -> None:
        """Create or change a job, as `kubectl apply` does."""
        document = self.jobs.get(key)
        if document is None:
            meta = {"namespace": key[0], "name": key[1], "uid": uid, "generation": 1, "creationTimestamp": created}
            document = self.jobs[key] = {"metadata": meta, "spec": spec}
            self.change("ingestjobs", document, change="ADDED")
        elif document["spec"] != spec:
            document["metadata"]["generation"] += 1
            self.change("ingestjobs", document, spec=spec)

    def remove(self, key: Key) -> None:
        """Delete a job, as `kubectl delete` does."""
        self.change("ingestjobs", self.jobs.pop(key), change="DELETED")

    def finish(self, key: Key) -> None:
        """Remove the pod object after its graceful deletion."""
        self.change("pods", self.pods.pop(_pod_key(key)), change="DELETED")

    def pod_is(self, key: Key, **status: Any) -> None:
        """Set the status of the job's pod, as the kubelet does."""
        self.change("pods", self.pods[_pod_key(key)], status=status)

    def pod_says(self, key: Key, stream: Document) -> None:
        """Set the pod's part of the job's status, as the pod does."""
        document = self.jobs[key]
        self.change("ingestjobs", document, status=document.get("status", {}) | {"stream": stream})

    def change(self, plural: str, document: Document, change: str = "MODIFIED", **parts: Any) -> None:
        """Change a document, as any other writer could."""
        document |= parts
        document["metadata"]["resourceVersion"] = str(next(self._versions))
        self.watcher(plural, change, copy.deepcopy(document))

    def _write(self, what: str) -> _Write:
        return _Write(self, what)


class _Write:
    """Counts a write, and crashes the operator right before or after it if the test wants it."""

    def __init__(self, cluster: FakeCluster, what: str) -> None:
        self._cluster = cluster
        self._what = what

    def __enter__(self) -> None:
        if self._cluster.crash_at == (len(self._cluster.writes), "before"):
            self._cluster.crash_at = None
            raise Crash
        self._cluster.writes.append(self._what)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._cluster.crash_at == (len(self._cluster.writes) - 1, "after"):
            self._cluster.crash_at = None
            raise Crash


class FakeLeases:
    """One `ports.LeaseStore` in memory, with a separate view for each replica."""

    def __init__(self) -> None:
        self.record: LeaseRecord | None = None
        self.writes = 0
        self.away: set[str] = set()  # the replicas that cannot reach the Lease
        self.retry_after: float | None = None  # of the error that those replicas get
        self.seconds_before = 0.0  # until a request takes effect
        self.seconds_after = 0.0  # from then until its response arrives

    def seen_by(self, replica: str) -> FakeLease:
        """Return the Lease as one replica reaches it."""
        return FakeLease(self, replica)


class FakeLease:
    """The access of one replica to the Lease. Implements `ports.Leases`."""

    def __init__(self, leases: FakeLeases, replica: str) -> None:
        self._leases = leases
        self._replica = replica

    async def read(self) -> LeaseRecord | None:
        await self._reach()
        record = self._leases.record
        await asyncio.sleep(self._leases.seconds_after)
        return record

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        await self._reach()
        known = self._leases.record.resource_version if self._leases.record is not None else ""
        if record.resource_version != known:
            raise Conflict("the object has been modified")
        self._leases.writes += 1
        stored = self._leases.record = msgspec.structs.replace(record, resource_version=str(self._leases.writes))
        await asyncio.sleep(self._leases.seconds_after)
        return stored

    async def _reach(self) -> None:
        if self._replica in self._leases.away:
            await asyncio.sleep(1.5)
            raise Unavailable("no answer", self._leases.retry_after)
        await asyncio.sleep(self._leases.seconds_before)


class FakeRecorder:
    """Implements `ports.EventQueue`."""

    def __init__(self) -> None:
        self.reports: list[EventReport] = []

    def queue_or_drop(self, report: EventReport) -> None:
        self.reports.append(report)

    @property
    def reasons(self) -> list[str]:
        """The reasons of the recorded events, in order."""
        return [report.transition.condition.reason for report in self.reports]


def _found(documents: dict[Key, Document], key: Key) -> Document:
    if key not in documents:
        raise NotFound(f"{key[1]!r} not found")
    return documents[key]


def _pod_key(key: Key) -> Key:
    return key[0], identity.pod_name(key[1])
