"""Decoding of the API server's JSON texts to what the operator uses of each object.

A tenant may write hundreds of kilobytes into one object: annotations, reasons, managed fields. Each object is decoded
on its own from its part of a response, so the memory of the operator does not depend on what tenants write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec

from sluice_contract import identity
from sluice_contract.base import CamelStruct
from sluice_contract.json_nesting import JSONText, decode_without_deep_values
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.resource import ObjectMeta

from . import objects
from .objects import Job, Pod
from .pause_objects import PauseObject, cluster_pause_from_parts, pause_from_parts

Document = dict[str, Any]
V = TypeVar("V", Job, Pod, PauseObject)

OBJECT_CHANGES: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})  # the types of watch events with an object
EXPIRED: Final = "EXPIRED"  # in place of such a type: the watch has ended with an error, such as 410


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


class _Version(CamelStruct, frozen=True):
    uid: str
    resource_version: str
    name: str
    namespace: str = ""  # omitted for an object of the cluster


class _Versioned(msgspec.Struct, frozen=True):
    metadata: _Version


class ObjectVersion(msgspec.Struct, frozen=True):
    """Which object a text is, and which version of it."""

    namespace: str
    name: str
    uid: str
    resource_version: str


_object_parts: Final = partial(decode_without_deep_values, msgspec.json.Decoder(ObjectParts).decode)
_pod: Final = partial(decode_without_deep_values, msgspec.json.Decoder(Pod).decode)
_any: Final = partial(decode_without_deep_values, msgspec.json.decode)
_versioned: Final = partial(decode_without_deep_values, msgspec.json.Decoder(_Versioned).decode)
_list_page: Final = partial(decode_without_deep_values, msgspec.json.Decoder(ListPage).decode)
_any_document: Final = partial(decode_without_deep_values, msgspec.json.Decoder(dict[str, Any]).decode)
_watch_event: Final = partial(decode_without_deep_values, msgspec.json.Decoder(WatchEvent).decode)


_GONE: Final = 410
_GONE_LINE: Final = b'{"type":"ERROR","object":{"kind":"Status","code":410}}'


class ReducedKind(msgspec.Struct, Generic[V], frozen=True):
    """A kind of objects that are reduced: the plural of its name, and how the text of one object is decoded."""

    plural: str
    decode: Callable[[JSONText], V]


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


def watch_line_without_object(event: WatchEvent, line: JSONText) -> bytes:
    """Return the line of an event without a changed object, such as a bookmark, as kopf gets it.

    An error becomes one with code 410, after which kopf starts again with a LIST: another code would end the process.
    Raises `msgspec.DecodeError` if the object of the event is not a JSON object.
    """
    if event.type == "ERROR" and _error_code(event.object) != _GONE:
        return _GONE_LINE
    _any_document(event.object)
    return bytes(line)


def decode_object_version(text: JSONText) -> ObjectVersion:
    """Return which version of which object a text is. Unreadable fields are empty.

    Raises `msgspec.DecodeError` if the text is not JSON, and only then.
    """
    try:
        found = _versioned(text).metadata
    except msgspec.ValidationError:
        metadata = decode_object_parts(text).metadata
        return ObjectVersion(metadata.namespace, metadata.name, metadata.uid, metadata.resource_version)
    return ObjectVersion(found.namespace, found.name, found.uid, found.resource_version)


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


JOBS: Final = ReducedKind(identity.PLURAL, decode_job_text)
PODS: Final = ReducedKind("pods", decode_pod_text)
PAUSES: Final = ReducedKind(identity.PAUSES, decode_pause_text)
CLUSTER_PAUSES: Final = ReducedKind(identity.CLUSTER_PAUSES, decode_cluster_pause_text)
AnyReducedKind = ReducedKind[Job] | ReducedKind[Pod] | ReducedKind[PauseObject]
_KINDS: Final[dict[str, AnyReducedKind]] = {each.plural: each for each in (JOBS, PODS, PAUSES, CLUSTER_PAUSES)}


def reduced_kind_of_path(path: str) -> AnyReducedKind | None:
    """Return the kind whose LISTs and watches have this URL path; None if the path is that of another request."""
    return _KINDS.get(path.rsplit("/", 1)[-1])
