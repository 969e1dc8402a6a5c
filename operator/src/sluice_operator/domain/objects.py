"""The objects of the cluster as the operator reads them: the job and its pod, decoded once and immutable."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from sluice_contract import identity
from sluice_contract.base import CamelStruct
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.resource import ObjectMeta
from sluice_contract.spec import IngestJobSpec, Pause
from sluice_contract.spec_reading import StopFields, decode_spec_or_stop_fields
from sluice_contract.status import IngestJobStatus

from .paused_symbols import PackedPausedSymbols, pack_paused_symbols

Key = tuple[str, str]  # namespace and name of a job
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class RequestedStops(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a spec that pause or stop the job or some of its symbols.

    If one of these fields is not understood, `problem` is a sentence that names it. The whole job is then paused.
    """

    enabled: bool = True
    pause: Pause | None = None
    paused_symbols: PackedPausedSymbols = PackedPausedSymbols()
    problem: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An IngestJob as the operator understands it. `stops` are the fields of the spec that pause or stop the job.

    It has only what the operator uses: no annotations, and in `spec` no paused symbols.

    `spec` is None if another field is not understood; `problem` is then a sentence that names the field.
    `ignored_variables` are the variables in `spec.pod.env` that only the operator's settings may set, and
    `duplicate_symbols` the symbols that the stored spec lists more than once; `spec` has each of them once.
    """

    metadata: ObjectMeta
    spec: IngestJobSpec | None
    stops: RequestedStops
    problem: str = ""
    ignored_variables: tuple[str, ...] = ()
    duplicate_symbols: tuple[str, ...] = ()
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
    api_version: str = ""
    controller: bool = False

    @property
    def is_controlling_job(self) -> bool:
        """Whether the owner controls its object and is an IngestJob. Another group may have a kind of the same name."""
        group, _, _ = self.api_version.partition("/")
        return self.controller and self.kind == identity.KIND and group == identity.GROUP


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

    started_at: Annotated[datetime, Meta(tz=True)] | None = None


class ContainerStateTerminated(CamelStruct, frozen=True):
    """The state of a container that has exited."""

    exit_code: Int32 = 0
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
    restart_count: Int32 = 0
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

    def is_owned_by(self, job: Job) -> bool:
        """Return whether the pod is controlled by this job, and not by an earlier job of the same name."""
        uid = job.metadata.uid
        return any(owner.uid == uid and owner.is_controlling_job for owner in self.metadata.owner_references)


class _NamespaceMetadata(CamelStruct, frozen=True):
    labels: dict[str, str] = {}  # noqa: RUF012  msgspec copies an empty default


_OWN_LABELS: Final = frozenset({identity.MANAGED_BY_LABEL, identity.JOB_LABEL})
_OWN_ANNOTATIONS: Final = frozenset(
    {identity.EPOCH_ANNOTATION, identity.COLD_HASH_ANNOTATION, identity.SPEC_HASH_ANNOTATION}
)
NO_CONTAINER: Final = ContainerStatus(name=identity.CONTAINER)


def decode_job(document: dict[str, Any]) -> Job:
    """Convert a decoded IngestJob to a `Job`. Never raises: an unreadable field does not affect the other fields."""
    metadata = decode_readable_fields(document.get("metadata"), ObjectMeta)
    return job_from_parts(metadata, document.get("spec"), document.get("status"))


def job_from_parts(metadata: ObjectMeta, spec: Any, status: Any) -> Job:
    """Return the job with this metadata, and with this spec and status as decoded JSON. Never raises."""
    reading = decode_spec_or_stop_fields(spec)
    return Job(
        metadata=metadata,
        spec=msgspec.structs.replace(reading.spec, paused_symbols=[]) if reading.spec is not None else None,
        stops=_requested_stops(reading.stops),
        problem=reading.problem,
        ignored_variables=reading.ignored_variables,
        duplicate_symbols=reading.duplicate_symbols,
        status=decode_readable_fields(status or {}, IngestJobStatus),
    )


def _requested_stops(fields: StopFields) -> RequestedStops:
    return RequestedStops(
        enabled=fields.enabled,
        pause=fields.pause,
        paused_symbols=pack_paused_symbols(fields.paused_symbols),
        problem=fields.problem,
    )


def job_sharing_memory_with(known: Job | None, job: Job) -> Job:
    """Return the job, but with the spec of the known job where both are equal, so that the memory is used once.

    If nothing of the job has changed, return the known job.
    """
    if known is None:
        return job
    if job == known:
        return known
    return msgspec.structs.replace(job, spec=known.spec) if job.spec == known.spec else job


def decode_pod(document: dict[str, Any]) -> Pod:
    """Convert a decoded Pod to a `Pod`. Never raises: an unreadable field does not affect the other fields."""
    return without_foreign_metadata(decode_readable_fields(document, Pod))


def without_foreign_metadata(pod: Pod) -> Pod:
    """Return the pod without the labels and annotations of others, and with no owner but its controller."""
    metadata = msgspec.structs.replace(
        pod.metadata,
        labels={name: value for name, value in pod.metadata.labels.items() if name in _OWN_LABELS},
        annotations={name: value for name, value in pod.metadata.annotations.items() if name in _OWN_ANNOTATIONS},
        owner_references=[owner for owner in pod.metadata.owner_references if owner.controller],
    )
    return msgspec.structs.replace(pod, metadata=metadata)


def decode_tenant_label(document: dict[str, Any]) -> str | None:
    """Return the tenant that a decoded Namespace serves; None if it has no label, or none that can be read."""
    return decode_readable_fields(document.get("metadata"), _NamespaceMetadata).labels.get(identity.TENANT_LABEL)


def job_key_of_pod_name(namespace: str, name: str) -> Key | None:
    """Return the key of the job whose pod has this name; None if the name is not that of an ingest pod."""
    job_name = name.removesuffix(identity.POD_SUFFIX)
    return (namespace, job_name) if job_name and job_name != name else None
