"""The interfaces through which the operator reads and writes the cluster, and their errors."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from sluice_contract.status import IngestJobStatus

from .domain.actions import ConditionTransition
from .domain.election import LeaseRecord
from .domain.objects import Job, Key, Pod


class ClusterError(Exception):
    """A request to the API server failed. The message is that of the API server, or explains why there is none."""


class NotFound(ClusterError):  # noqa: N818  named after the response
    """The object, or its kind, does not exist."""


class Conflict(ClusterError):  # noqa: N818
    """The object to create already exists, or the object to change has changed since it was read."""


class RequestRefused(ClusterError):  # noqa: N818
    """The API server refused the request because of authorization, quota, admission or validation."""


class Unavailable(ClusterError):  # noqa: N818
    """The API server did not answer, or answered with a temporary error. A retry may succeed."""


class InternalServerError(Unavailable):
    """The API server answered HTTP 500 (not 503), for example to an apply on an object that breaks its schema."""


class NotLeading(ClusterError):  # noqa: N818
    """A write was not sent, because this replica does not lead or cannot prove that it leads."""


class Cluster(Protocol):
    """The requests of the operator to the API server. Each has a time limit and raises `ClusterError` if it fails."""

    async def list_jobs(self) -> list[Job]:
        """Return all jobs in the watched namespaces, with a consistent (quorum) read."""

    async def list_pods(self) -> list[Pod]:
        """Return all pods with the operator's label in the watched namespaces, with a consistent (quorum) read."""

    async def read_cluster_uid(self) -> str:
        """Return the UID of the namespace kube-system, which identifies the cluster."""

    async def read_job(self, key: Key) -> Job:
        """Read the job from the API server, not from a cache. Raises `NotFound`."""

    async def read_pod(self, key: Key) -> Pod:
        """Read the pod that has the name of the job's pod, even if another owner created it. Raises `NotFound`."""

    async def write_operator_status(self, key: Key, status: IngestJobStatus) -> Job:
        """Write the status fields that the operator owns. Return the job after the write. Raises `NotFound`."""

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        """Apply the ServiceAccount and the RoleBinding of the namespace's ingest pods."""

    async def create_pod(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the pod and return it as the API server has stored it. Raises `Conflict` if its name is taken."""

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        """Delete the pod. Raises `NotFound` if it is gone, and `Conflict` if its UID or resourceVersion has changed."""


class LeaseStore(Protocol):
    """The Lease that the replicas share. Each request ends before the next is due, and raises `ClusterError`."""

    async def read(self) -> LeaseRecord | None:
        """Return the contents of the Lease, or None if it does not exist."""

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Create the Lease, or replace it if it still has the resourceVersion of the record. Return it as stored.

        Raises `Conflict` if another replica has created or changed it.
        """


class EventReport(msgspec.Struct, frozen=True):
    """The changed condition of a job that an Event reports."""

    key: Key
    uid: str
    transition: ConditionTransition


class EventQueue(Protocol):
    """A queue of Events to post. Queueing never fails or waits: reports above a limit are dropped and counted."""

    def queue_or_drop(self, report: EventReport) -> None:
        """Queue the report, or drop and count it if the queue or the job is at its limit."""
