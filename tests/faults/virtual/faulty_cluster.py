"""A fake cluster that answers chosen requests with a fault, and counts the requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import msgspec

from sluice_contract.status import IngestJobStatus
from sluice_operator.domain.objects import Job, Key, Pod
from sluice_operator.ports import (
    ClusterError,
    Conflict,
    InternalServerError,
    NotFound,
    RequestRefused,
    Unavailable,
)
from support import virtual_time
from unit.operator.fakes import Document, FakeCluster

from .forwarding_cluster import ForwardingCluster

T = TypeVar("T")
Request = tuple[str, str]  # verb and resource
FaultName = Literal["403", "404", "409", "429", "500", "webhook", "garbage", "lost"]

FAULTS: tuple[FaultName, ...] = ("403", "404", "409", "429", "500", "webhook", "garbage", "lost")
RETRY_AFTER_SECONDS = 7.0
WEBHOOK = 'Internal error occurred: failed calling webhook "pods.example.com": connection refused'
REQUESTS: tuple[Request, ...] = (
    ("POST", "pods"),
    ("DELETE", "pods"),
    ("GET", "pods"),
    ("GET", "ingestjobs"),
    ("GET", "namespaces"),
    ("PATCH", "ingestjobs/status"),
    ("PATCH", "serviceaccounts"),
)
# The request is committed, and its response does not arrive or is not understood.
_LATE: dict[str, str] = {"garbage": "the response is not understood", "lost": "no response"}


def error_of_fault(fault: FaultName) -> ClusterError:
    """Return the error that the client raises for a response."""
    errors: dict[str, ClusterError] = {
        "403": RequestRefused("is forbidden: policy"),
        "404": NotFound("'us-equities' not found"),
        "409": Conflict("the object has been modified"),
        "429": Unavailable("too many requests", retry_after=RETRY_AFTER_SECONDS),
        "500": InternalServerError("Internal error occurred: etcd"),
        "webhook": InternalServerError(WEBHOOK),
    }
    return errors[fault] if fault in errors else Unavailable(_LATE[fault])


class SentRequest(msgspec.Struct, frozen=True):
    """A request that the operator sent, at a virtual time."""

    at: float
    verb: str
    resource: str
    key: Key


class FaultyCluster(ForwardingCluster):
    """Implements `ports.Cluster` by a fake cluster, with faults."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__(cluster)
        self.faults: dict[Request, FaultName] = {}
        self.sent: list[SentRequest] = []

    def most_in_a_minute(self, since: float = 0.0, verb: str = "", resource: str = "") -> int:
        """Return the largest number of requests for one key in any minute that begins at a full second."""
        most = 0
        chosen = [
            each
            for each in self.sent
            if each.at >= since and each.verb.startswith(verb) and each.resource.startswith(resource)
        ]
        for second in {int(each.at) for each in chosen}:
            window = Counter(each.key for each in chosen if second <= each.at < second + 60)
            most = max(most, *window.values())
        return most

    async def read_tenant_label(self, namespace: str) -> str | None:
        key = (namespace, "")
        return await self._request(("GET", "namespaces"), key, lambda: self._cluster.read_tenant_label(namespace))

    async def read_job(self, key: Key) -> Job:
        return await self._request(("GET", "ingestjobs"), key, lambda: self._cluster.read_job(key))

    async def read_pod(self, key: Key) -> Pod:
        return await self._request(("GET", "pods"), key, lambda: self._cluster.read_pod(key))

    async def write_operator_status(self, job: Job, status: IngestJobStatus) -> Job:
        request = ("PATCH", "ingestjobs/status")
        return await self._request(request, job.key, lambda: self._cluster.write_operator_status(job, status))

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        request, key = ("PATCH", "serviceaccounts"), (namespace, "")
        return await self._request(request, key, lambda: self._cluster.apply_account_and_role_binding(namespace))

    async def create_pod(self, manifest: Document) -> Document:
        meta: dict[str, Any] = manifest["metadata"]
        key = (meta["namespace"], meta["name"].removesuffix("-ingest"))
        return await self._request(("POST", "pods"), key, lambda: self._cluster.create_pod(manifest))

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        request = ("DELETE", "pods")
        return await self._request(request, key, lambda: self._cluster.delete_pod(key, uid, resource_version))

    async def _request(self, request: Request, key: Key, send: Callable[[], Awaitable[T]]) -> T:
        self.sent.append(SentRequest(virtual_time.seconds(), *request, key))
        fault = self.faults.get(request)
        if fault is not None and fault not in _LATE:
            raise error_of_fault(fault)
        answer = await send()
        if fault is not None:
            raise error_of_fault(fault)
        return answer
