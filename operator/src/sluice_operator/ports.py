"""What the operator needs from outside."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from sluice_contract.status import IngestJobStatus

from .domain.actions import Transition
from .domain.election import Record
from .domain.objects import Job, Key, Pod


class ClusterError(Exception):
    """The API server did not do what was asked. The message is its own, or says why there is none."""


class NotFound(ClusterError):  # noqa: N818  named after the answer
    """There is no such object, or no such kind."""


class Conflict(ClusterError):  # noqa: N818
    """The object exists already, or is no longer as it was seen."""


class Refused(ClusterError):  # noqa: N818
    """The API server understood and will not: authorization, quota, admission, validation."""


class Unavailable(ClusterError):  # noqa: N818
    """No answer, or none to rely on: asking again later may help."""


class ServerFault(Unavailable):
    """The API server failed over the request: HTTP 500. It answers an apply so on an object that it cannot type."""


class NotLeading(ClusterError):  # noqa: N818
    """This replica may not write: it does not lead, or cannot prove that it does."""


class Cluster(Protocol):
    """The API server, as far as it is used. Every call ends within its own time limit and raises `ClusterError`."""

    async def list_jobs(self) -> list[Job]:
        """All jobs in the watched namespaces, read from a quorum."""

    async def list_pods(self) -> list[Pod]:
        """All pods with the operator's label there, read from a quorum."""

    async def job(self, key: Key) -> Job:
        """The live job. Raises `NotFound`."""

    async def pod(self, key: Key) -> Pod:
        """The live pod with the job's pod name, whoever made it. Raises `NotFound`."""

    async def write_status(self, key: Key, status: IngestJobStatus) -> Job:
        """The job after the operator's fields of its status were applied."""

    async def ensure_account(self, namespace: str) -> None:
        """Applies the ServiceAccount and the RoleBinding of the namespace's pods."""

    async def create_pod(self, manifest: dict[str, Any]) -> Pod:
        """The created pod. Raises `Conflict`: its name is taken."""

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        """Asks the pod to go, if it is still exactly this one. Raises `Conflict`: it is not."""


class Leases(Protocol):
    """The one Lease. Every call ends before the next is due and raises `ClusterError`."""

    async def read(self) -> Record | None:
        """The Lease as it is. None: there is none."""

    async def write(self, record: Record) -> Record:
        """The Lease as it is after this. Raises `Conflict`: it is no longer the one with `record.resource_version`."""


class Report(msgspec.Struct, frozen=True):
    """A transition of one job's condition, to be told to people."""

    key: Key
    uid: str
    transition: Transition


class Recorder(Protocol):
    """Tells people. Never fails, never waits: what is too much is dropped and counted."""

    def record(self, report: Report) -> None:
        """Takes a report for delivery."""
