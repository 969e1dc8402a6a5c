"""What the operator reads of the cluster's objects: the job and its pod, decoded once, immutable."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from sluice_contract import identity
from sluice_contract.base import CamelStruct
from sluice_contract.lenient import readable_part
from sluice_contract.resource import ObjectMeta
from sluice_contract.spec import IngestJobSpec
from sluice_contract.spec_reading import StopFields, read_spec
from sluice_contract.status import IngestJobStatus

Key = tuple[str, str]  # namespace and name of a job


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One IngestJob. `spec` is None where a field other than the stop fields is not understood.

    `problem` then is a sentence that names the field.
    """

    metadata: ObjectMeta
    spec: IngestJobSpec | None
    stops: StopFields
    problem: str = ""
    status: IngestJobStatus = IngestJobStatus()

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.metadata.namespace, self.metadata.name


class Owner(CamelStruct, frozen=True):
    """One entry of metadata.ownerReferences."""

    kind: str
    name: str
    uid: str
    controller: bool = False


class PodMeta(CamelStruct, frozen=True):
    """The part of a pod's metadata that is read."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    labels: dict[str, str] = {}  # noqa: RUF012  msgspec copies an empty default
    annotations: dict[str, str] = {}  # noqa: RUF012
    owner_references: list[Owner] = []  # noqa: RUF012
    deletion_timestamp: datetime | None = None


class Waiting(CamelStruct, frozen=True):
    """Why a container does not run yet, or not again yet."""

    reason: str = ""
    message: str = ""


class Running(CamelStruct, frozen=True):
    """Since when a container runs, by the node's clock."""

    started_at: datetime | None = None


class Terminated(CamelStruct, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class ContainerState(CamelStruct, frozen=True):
    """Exactly one of the three is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(CamelStruct, frozen=True):
    """The state of one container."""

    name: str
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodCondition(CamelStruct, frozen=True):
    """One condition of a pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class PodStatus(CamelStruct, frozen=True):
    """The part of a pod's status that is read."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: list[PodCondition] = []  # noqa: RUF012
    container_statuses: list[ContainerStatus] = []  # noqa: RUF012


class Pod(CamelStruct, frozen=True):
    """One pod."""

    metadata: PodMeta
    status: PodStatus = PodStatus()


NO_CONTAINER: Final = ContainerStatus(name=identity.CONTAINER)


def job(document: dict[str, Any]) -> Job:
    """Return the job in a decoded IngestJob. Never raises: whatever is stored in it, the rest is read."""
    reading = read_spec(document.get("spec"))
    return Job(
        metadata=readable_part(document.get("metadata"), ObjectMeta),
        spec=reading.spec,
        stops=reading.stops,
        problem=reading.problem,
        status=readable_part(document.get("status") or {}, IngestJobStatus),
    )


def pod(document: dict[str, Any]) -> Pod:
    """Return the pod in a decoded Pod. Never raises: one odd field must not hide the others, nor end a LIST."""
    return readable_part(document, Pod)


def key_of_pod(namespace: str, name: str) -> Key | None:
    """The job that a pod of this name would belong to. None: no job's pod is named so."""
    job_name = name.removesuffix(identity.POD_SUFFIX)
    return (namespace, job_name) if job_name and job_name != name else None
