"""Reduction of the API server's JSON texts to what the operator uses of each object.

A tenant may write hundreds of kilobytes into one object: annotations, reasons, managed fields. Each object is reduced
on its own while its response is read, so the memory of the operator does not depend on what tenants write.

kopf passes objects on as JSON documents. It gets a document with the metadata that kopf itself needs. The reduced
object is one text in this document, in the field `reduced`: a text takes less memory than the values that it decodes
to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec

from sluice_contract import identity
from sluice_contract.base import CamelStruct
from sluice_contract.json_nesting import JSONText, decode_without_deep_values
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.pauses import ClusterIngestPauseSpec, IngestPauseSpec, PauseStatus
from sluice_contract.resource import ObjectMeta
from sluice_contract.status import IngestJobStatus

from . import objects
from .objects import Job, Pod
from .pause_objects import PauseObject, cluster_pause_from_parts, pause_from_parts

Document = dict[str, Any]
V = TypeVar("V", Job, Pod, PauseObject)

_FIELD: Final = "reduced"
OBJECT_CHANGES: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})  # the types of watch events with an object


class ObjectParts(msgspec.Struct, frozen=True):
    """A stored job, pause or policy without most of its metadata. `spec` and `status` are decoded JSON."""

    metadata: ObjectMeta
    spec: Any = None
    status: Any = None

    def to_job(self) -> Job:
        """Return the job that has these parts. Never raises."""
        return objects.job_from_parts(self.metadata, self.spec, self.status)


class ListPage(msgspec.Struct, frozen=True):
    """A page of a LIST whose items are not decoded yet. `metadata` has the token of the next page, if there is one."""

    items: list[msgspec.Raw] | None = None
    metadata: Document = {}
    kind: str = ""
    api_version: str = msgspec.field(name="apiVersion", default="")

    @property
    def continue_token(self) -> str:
        """The token with which the next page is requested; empty on the last page."""
        return str(self.metadata.get("continue") or "")

    @property
    def resource_version(self) -> str:
        """The resourceVersion of the LIST, at which a watch continues; empty if the page does not state it."""
        return str(self.metadata.get("resourceVersion") or "")


class WatchEvent(msgspec.Struct, frozen=True):
    """A line of a watch whose object is not decoded yet: a change, a bookmark or an error."""

    type: str
    object: msgspec.Raw


class _Reference(CamelStruct, frozen=True):
    """The metadata that kopf needs of an object."""

    name: str
    uid: str
    resource_version: str
    namespace: str = ""  # omitted for an object of the cluster
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class _JobText(msgspec.Struct, frozen=True):
    """A job as it is encoded in the field `reduced`: its status on its own, because it is decoded leniently."""

    job: Job
    status: Any


class _PauseText(msgspec.Struct, frozen=True):
    """An IngestPause as it is encoded in the field `reduced`: its status on its own, as with a job."""

    metadata: ObjectMeta
    spec: IngestPauseSpec
    problem: str
    status: Any


class _ClusterPauseText(msgspec.Struct, frozen=True):
    """A ClusterIngestPause as it is encoded in the field `reduced`."""

    metadata: ObjectMeta
    spec: ClusterIngestPauseSpec
    problem: str
    status: Any


_object_parts: Final = partial(decode_without_deep_values, msgspec.json.Decoder(ObjectParts).decode)
_pod: Final = partial(decode_without_deep_values, msgspec.json.Decoder(Pod).decode)
_any: Final = partial(decode_without_deep_values, msgspec.json.decode)
_job_text: Final = msgspec.json.Decoder(_JobText).decode
_pause_text: Final = msgspec.json.Decoder(_PauseText).decode
_cluster_pause_text: Final = msgspec.json.Decoder(_ClusterPauseText).decode
_list_page: Final = partial(decode_without_deep_values, msgspec.json.Decoder(ListPage).decode)
_any_document: Final = partial(decode_without_deep_values, msgspec.json.Decoder(dict[str, Any]).decode)
_watch_event: Final = partial(decode_without_deep_values, msgspec.json.Decoder(WatchEvent).decode)


_GONE: Final = 410
_GONE_LINE: Final = b'{"type":"ERROR","object":{"kind":"Status","code":410}}'


class ReducedKind(msgspec.Struct, Generic[V], frozen=True):
    """A kind of objects that are reduced: its names, and how one object is decoded, encoded and decoded again."""

    plural: str
    kind: str
    api_version: str
    decode: Callable[[JSONText], V]
    encode: Callable[[V], str]
    decode_reduced: Callable[[str], V]

    def to_kopf_document(self, text: JSONText) -> Document:
        """Return the document that kopf gets instead of the object with this text."""
        value = self.decode(text)
        reference = msgspec.convert(value.metadata, _Reference, from_attributes=True)
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": msgspec.to_builtins(reference),
            _FIELD: self.encode(value),
        }

    def from_kopf_document(self, document: Document) -> V:
        """Return the object of a document that kopf passed on, also if it has not been reduced."""
        if isinstance(text := document.get(_FIELD), str):
            return self.decode_reduced(text)
        return self.decode(msgspec.json.encode(document))

    def reduce_page(self, text: JSONText) -> Document:
        """Return a page of a LIST with the documents that kopf gets. Raises `msgspec.DecodeError` if it is not one."""
        page = decode_list_page(text)
        items = [self.to_kopf_document(item) for item in page.items or ()]
        return {"apiVersion": page.api_version, "kind": page.kind, "metadata": page.metadata, "items": items}

    def reduce_watch_line(self, line: JSONText) -> bytes:
        """Return a line of a watch with the document that kopf gets. Raises `msgspec.DecodeError` if it is not one.

        A line that contains no object, such as a bookmark, is returned unchanged. An error becomes one with code 410,
        after which kopf starts again with a LIST: another code would end the process.
        """
        event = decode_watch_event(line)
        if event.type == "ERROR" and _error_code(event.object) != _GONE:
            return _GONE_LINE
        if event.type not in OBJECT_CHANGES:
            _any_document(event.object)
            return bytes(line)
        return msgspec.json.encode({"type": event.type, "object": self.to_kopf_document(event.object)})


def _error_code(text: JSONText) -> object:
    """Return the code of the Status object in an error of a watch; None if it has none."""
    document = _any(text)
    return document.get("code") if isinstance(document, dict) else None


def decode_list_page(text: JSONText) -> ListPage:
    """Return a page of a LIST, with its items not decoded. Raises `msgspec.DecodeError` if the text is not a page."""
    return _list_page(text)


def decode_watch_event(line: JSONText) -> WatchEvent:
    """Return a line of a watch, with its object not decoded. Raises `msgspec.DecodeError` if the text is not one."""
    return _watch_event(line)


def decode_object_parts(text: JSONText) -> ObjectParts:
    """Decode a stored object without its annotations and managed fields.

    Raises `msgspec.DecodeError` if the text is not JSON, and only then.
    """
    try:
        return _object_parts(text)
    except msgspec.ValidationError:
        document = _any(text)
        known = document if isinstance(document, dict) else {}
        metadata = decode_readable_fields(known.get("metadata"), ObjectMeta)
        return ObjectParts(metadata, known.get("spec"), known.get("status"))


def decode_job_text(text: JSONText) -> Job:
    """Decode a stored job. Raises `msgspec.DecodeError` if the text is not JSON, and only then."""
    return decode_object_parts(text).to_job()


def decode_pod_text(text: JSONText) -> Pod:
    """Decode a stored pod. Raises `msgspec.DecodeError` if the text is not JSON, and only then."""
    try:
        return objects.without_foreign_metadata(_pod(text))
    except msgspec.ValidationError:
        return objects.decode_pod(_any(text))


def decode_pause_text(text: JSONText) -> PauseObject:
    """Decode a stored IngestPause. Raises `msgspec.DecodeError` if the text is not JSON, and only then."""
    parts = decode_object_parts(text)
    return pause_from_parts(parts.metadata, parts.spec, parts.status)


def decode_cluster_pause_text(text: JSONText) -> PauseObject:
    """Decode a stored ClusterIngestPause. Raises `msgspec.DecodeError` if the text is not JSON, and only then."""
    parts = decode_object_parts(text)
    return cluster_pause_from_parts(parts.metadata, parts.spec, parts.status)


def _encode_job(job: Job) -> str:
    without_status = msgspec.structs.replace(job, status=IngestJobStatus())
    return msgspec.json.encode(_JobText(without_status, msgspec.to_builtins(job.status))).decode()


def _decode_reduced_job(text: str) -> Job:
    found = _job_text(text)
    return msgspec.structs.replace(found.job, status=decode_readable_fields(found.status, IngestJobStatus))


def _encode_pod(pod: Pod) -> str:
    return msgspec.json.encode(pod).decode()


def _encode_pause(pause: PauseObject) -> str:
    status = msgspec.to_builtins(pause.status)
    text = {"metadata": pause.metadata, "spec": pause.spec, "problem": pause.problem, "status": status}
    return msgspec.json.encode(text).decode()


def _decode_reduced_pause(text: str) -> PauseObject:
    return _pause_of_text(_pause_text(text))


def _decode_reduced_cluster_pause(text: str) -> PauseObject:
    return _pause_of_text(_cluster_pause_text(text))


def _pause_of_text(found: _PauseText | _ClusterPauseText) -> PauseObject:
    status = decode_readable_fields(found.status, PauseStatus)
    return PauseObject(metadata=found.metadata, spec=found.spec, problem=found.problem, status=status)


JOBS: Final = ReducedKind(
    identity.PLURAL, identity.KIND, identity.API_VERSION, decode_job_text, _encode_job, _decode_reduced_job
)
PODS: Final = ReducedKind("pods", "Pod", "v1", decode_pod_text, _encode_pod, _pod)


PAUSES: Final = ReducedKind(
    identity.PAUSES,
    identity.PAUSE_KIND,
    identity.API_VERSION,
    decode_pause_text,
    _encode_pause,
    _decode_reduced_pause,
)
CLUSTER_PAUSES: Final = ReducedKind(
    identity.CLUSTER_PAUSES,
    identity.CLUSTER_PAUSE_KIND,
    identity.API_VERSION,
    decode_cluster_pause_text,
    _encode_pause,
    _decode_reduced_cluster_pause,
)
AnyReducedKind = ReducedKind[Job] | ReducedKind[Pod] | ReducedKind[PauseObject]
_KINDS: Final[dict[str, AnyReducedKind]] = {
    JOBS.plural: JOBS,
    PODS.plural: PODS,
    PAUSES.plural: PAUSES,
    CLUSTER_PAUSES.plural: CLUSTER_PAUSES,
}


def reduced_kind_of_path(path: str) -> AnyReducedKind | None:
    """Return the kind whose LISTs and watches have this URL path; None if the path is that of another request."""
    return _KINDS.get(path.rsplit("/", 1)[-1])
