"""The interfaces of the operator to the outside."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from sluice_contract.status import IngestJobStatus

from .domain.actions import ConditionTransition
from .domain.election import LeaseRecord
from .domain.objects import Job, Key, Pod


class ClusterError(Exception):
    """The API server did not do what was requested. The message is its own, or explains why there is none."""


class NotFound(ClusterError):  # noqa: N818  named after the answer
    """There is no such object, or no such kind."""


class Conflict(ClusterError):  # noqa: N818
    """The object already exists, or has changed since it was read."""


class RequestRefused(ClusterError):  # noqa: N818
    """The API server refuses the request: authorization, quota, admission, validation."""


class Unavailable(ClusterError):  # noqa: N818
    """There is no answer, or none to rely on; a retry may help."""


class ServerFault(Unavailable):
    """The API server failed with HTTP 500, as it does for an apply on an object that it cannot type."""


class NotLeading(ClusterError):  # noqa: N818
    """This replica may not write, because it does not lead or cannot prove that it leads."""


class Cluster(Protocol):
    """The API server, as far as the operator uses it. Each call has a time limit and raises `ClusterError`."""

    async def list_jobs(self) -> list[Job]:
        """Return all jobs in the watched namespaces, read from a quorum."""

    async def list_pods(self) -> list[Pod]:
        """Return all pods with the operator's label in those namespaces, read from a quorum."""

    async def read_job(self, key: Key) -> Job:
        """Read the job live. Raises `NotFound`."""

    async def read_pod(self, key: Key) -> Pod:
        """Read the pod with the job's pod name live, regardless of its creator. Raises `NotFound`."""

    async def write_status(self, key: Key, status: IngestJobStatus) -> Job:
        """Write the operator's fields of the status; return the job after the write."""

    async def apply_service_account(self, namespace: str) -> None:
        """Apply the ServiceAccount and the RoleBinding of the namespace's pods."""

    async def create_pod(self, manifest: dict[str, Any]) -> Pod:
        """Create the pod and return it. Raises `Conflict` if its name is taken."""

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        """Delete the pod, if it is still exactly this one. Raises `Conflict` if it is not."""


class LeaseStore(Protocol):
    """The Lease of the replicas. Each call ends before the next one is due and raises `ClusterError`."""

    async def read(self) -> LeaseRecord | None:
        """Return the Lease, or None if there is none."""

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Write the Lease and return it. Raises `Conflict` if its version is no longer `record.resource_version`."""


class EventReport(msgspec.Struct, frozen=True):
    """A transition of a condition of a job, for an Event."""

    key: Key
    uid: str
    transition: ConditionTransition


class EventQueue(Protocol):
    """The recorder of Events. It never fails and never waits: reports above its limits are dropped and counted."""

    def record(self, report: EventReport) -> None:
        """Queue a report for delivery."""
