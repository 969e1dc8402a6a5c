"""The interfaces through which the operator reads and writes the cluster, and their errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from sluice_contract.pauses import PauseStatus
from sluice_contract.policies import IngestPolicyStatus
from sluice_contract.status import IngestJobStatus

from .domain.actions import ConditionTransition
from .domain.election import LeaseRecord
from .domain.objects import Job, Key, Pod
from .domain.pause_objects import PauseKey, PauseObject
from .domain.policy_objects import PolicyObject

T_co = TypeVar("T_co", covariant=True)


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

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """`retry_after` is the number of seconds before which the API server wants no retry; None if it named none."""
        super().__init__(message)
        self.retry_after = retry_after


class ListExpired(Unavailable):
    """The API server can no longer continue a LIST, because its first page is too old (HTTP 410)."""


class InternalServerError(Unavailable):
    """The API server answered HTTP 500 (not 503), for example to an apply on an object that breaks its schema."""


class NotLeading(ClusterError):  # noqa: N818
    """A write was not sent, because this replica does not lead or cannot prove that it leads."""


# The errors that a reconciliation may end with, for the metrics.
CLUSTER_ERRORS: Final = (NotFound, Conflict, RequestRefused, Unavailable, InternalServerError, NotLeading)


def seconds_until_retry(error: ClusterError, seconds: float) -> float:
    """Return the seconds to wait before a retry: `seconds`, or more if the API server has asked for more."""
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return max(seconds, asked or 0.0)


class Cluster(Protocol):
    """The requests of the operator to the API server. Each has a time limit and raises `ClusterError` if it fails."""

    async def list_jobs(self) -> list[Job]:
        """Return all jobs in the watched namespaces, with a consistent (quorum) read.

        The memory that this takes at one time depends on the number of jobs, not on the size of their documents.
        """

    async def list_pods(self) -> list[Pod]:
        """Return all pods with the operator's label in the watched namespaces, in the same way."""

    async def read_cluster_uid(self) -> str:
        """Return the UID of the namespace kube-system, which identifies the cluster."""

    async def read_tenant_label(self, namespace: str) -> str | None:
        """Return the tenant that the namespace serves, by its label; None if it has no label.

        Raises `RequestRefused` if the operator may not read the Namespace, and `NotFound`.
        """

    async def read_job(self, key: Key) -> Job:
        """Read the job from the API server, not from a cache. Raises `NotFound`."""

    async def read_pod(self, key: Key) -> Pod:
        """Read the pod that has the name of the job's pod, even if another owner created it. Raises `NotFound`."""

    async def write_operator_status(self, job: Job, status: IngestJobStatus) -> Job:
        """Write the status fields that the operator owns. Return the job after the write.

        Raises `NotFound` if the job is gone, and `Conflict` if it is no longer this version of this job. So no write
        that is late reverts a newer one, and none reaches a job of the same name that was created since.
        """

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        """Apply the ServiceAccount and the RoleBinding of the namespace's ingest pods."""

    async def create_pod(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the pod and return it as the API server has stored it. Raises `Conflict` if its name is taken."""

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        """Delete the pod. Raises `NotFound` if it is gone, and `Conflict` if its UID or resourceVersion has changed."""


class PolicyStatuses(Protocol):
    """Writes of the status of IngestPolicies."""

    async def write_policy_status(self, stored: PolicyObject, status: IngestPolicyStatus) -> PolicyObject:
        """Write the status of a policy. Return the policy after the write. Raises `NotFound`."""


class ObjectSource(Protocol[T_co]):
    """Reads of all objects of one kind."""

    async def list_objects(self) -> tuple[Sequence[T_co], str]:
        """Return all objects and the resourceVersion at which a watch continues. Raises `ClusterError`."""

    def watch_objects(self, resource_version: str) -> AsyncIterator[tuple[str, T_co]]:
        """Yield each change (ADDED, MODIFIED or DELETED) and its object until the API server ends the watch.

        Raises `ClusterError` if the watch is refused or fails.
        """


class PauseStore(Protocol):
    """The requests about pauses. Each has a time limit and raises `ClusterError` if it fails.

    `NotFound` from a LIST means that the kind is not served, and `RequestRefused` that the operator may not read it.
    """

    async def list_pauses(self) -> list[PauseObject]:
        """Return all IngestPauses in the watched namespaces."""

    async def list_cluster_pauses(self) -> list[PauseObject]:
        """Return all ClusterIngestPauses."""

    async def read_pause(self, key: PauseKey) -> PauseObject:
        """Read the pause from the API server. Raises `NotFound`."""

    async def write_pause_status(self, key: PauseKey, status: PauseStatus) -> PauseObject:
        """Replace the status of the pause. Return the pause after the write. Raises `NotFound`."""


class AccessReviews(Protocol):
    """Questions to the API server about the rights of other accounts."""

    async def ingest_account_may_watch(self, namespace: str, plural: str) -> bool:
        """Return whether the ingest pods of the namespace may watch a kind: in it, or those of the cluster."""


class PodDryRun(Protocol):
    """Dry runs of pod creations, which store nothing."""

    async def dry_run_creation(self, manifest: dict[str, Any]) -> None:
        """Ask the API server whether it would create the pod. Raises `ClusterError` unless it would.

        The error is `RequestRefused` if authorization or admission refuses the pod, `NotFound` if its namespace does
        not exist, and `Conflict` if only a pod of the same name is in the way.
        """


class LeaseStore(Protocol):
    """The Lease that the replicas share. Each request raises `ClusterError` if it fails; the caller limits its time."""

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
