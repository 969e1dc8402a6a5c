"""The objects of the cluster as the operator reads them: the job and its pod, decoded once and immutable."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from sluice_contract import identity
from sluice_contract.base import CamelStruct
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.resource import ObjectMeta
from sluice_contract.spec import IngestJobSpec
from sluice_contract.spec_reading import StopFields, decode_spec_or_stop_fields
from sluice_contract.status import IngestJobStatus

Key = tuple[str, str]  # namespace and name of a job


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An IngestJob as the operator understands it. `stops` are the fields of the spec that pause or stop the job.

    `spec` is None if another field is not understood; `problem` is then a sentence that names the field.
    `ignored_variables` are the variables in `spec.pod.env` that only the operator's settings may set.
    """

    metadata: ObjectMeta
    spec: IngestJobSpec | None
    stops: StopFields
    problem: str = ""
    ignored_variables: tuple[str, ...] = ()
    status: IngestJobStatus = IngestJobStatus()

    @property
    def key(self) -> Key:
        """The namespace and the name of the job."""
        return self.metadata.namespace, self.metadata.name


class OwnerReference(CamelStruct, frozen=True):
    """An entry of metadata.ownerReferences."""

    kind: str
    name: str
    uid: str
    controller: bool = False


class PodMetadata(CamelStruct, frozen=True):
    """The part of a pod's metadata that the operator reads."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    labels: dict[str, str] = {}  # noqa: RUF012  msgspec copies an empty default
    annotations: dict[str, str] = {}  # noqa: RUF012
    owner_references: list[OwnerReference] = []  # noqa: RUF012
    deletion_timestamp: datetime | None = None


class ContainerStateWaiting(CamelStruct, frozen=True):
    """The state of a container that waits for its start or restart."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(CamelStruct, frozen=True):
    """The state of a container that runs. `started_at` is by the node's clock."""

    started_at: datetime | None = None


class ContainerStateTerminated(CamelStruct, frozen=True):
    """The state of a container that has exited."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class ContainerState(CamelStruct, frozen=True):
    """The state of a container: waiting, running or terminated. At most one of the fields is set."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(CamelStruct, frozen=True):
    """The current and the last state of one container."""

    name: str
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodCondition(CamelStruct, frozen=True):
    """A condition of a pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class PodStatus(CamelStruct, frozen=True):
    """The part of a pod's status that the operator reads."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: list[PodCondition] = []  # noqa: RUF012
    init_container_statuses: list[ContainerStatus] = []  # noqa: RUF012
    container_statuses: list[ContainerStatus] = []  # noqa: RUF012


class PodSpec(CamelStruct, frozen=True):
    """The part of a pod's spec that the operator reads."""

    service_account_name: str = ""
    restart_policy: str = "OnFailure"


class Pod(CamelStruct, frozen=True):
    """The part of a pod that the operator reads."""

    metadata: PodMetadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


NO_CONTAINER: Final = ContainerStatus(name=identity.CONTAINER)


def decode_job(document: dict[str, Any]) -> Job:
    """Convert a decoded IngestJob to a `Job`. Never raises: an unreadable field does not affect the other fields."""
    reading = decode_spec_or_stop_fields(document.get("spec"))
    return Job(
        metadata=decode_readable_fields(document.get("metadata"), ObjectMeta),
        spec=reading.spec,
        stops=reading.stops,
        problem=reading.problem,
        ignored_variables=reading.ignored_variables,
        status=decode_readable_fields(document.get("status") or {}, IngestJobStatus),
    )


def decode_pod(document: dict[str, Any]) -> Pod:
    """Convert a decoded Pod to a `Pod`. Never raises: an unreadable field does not affect the other fields."""
    return decode_readable_fields(document, Pod)


def job_key_of_pod_name(namespace: str, name: str) -> Key | None:
    """Return the key of the job whose pod has this name; None if the name is not that of an ingest pod."""
    job_name = name.removesuffix(identity.POD_SUFFIX)
    return (namespace, job_name) if job_name and job_name != name else None
