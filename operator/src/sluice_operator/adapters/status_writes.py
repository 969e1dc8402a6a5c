"""Writes of the status of an object, of whatever kind."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Final

from sluice_contract import identity
from sluice_contract.merging import create_merge_patch

from ..domain.reduced_documents import ObjectParts, decode_object_parts
from ..ports import Conflict, InternalServerError, RequestRefused
from .api import RequestSender
from .decoding import decoded_or_raise

_MERGE: Final = {"fieldManager": identity.OPERATOR_FIELD_MANAGER}
_APPLY: Final = {**_MERGE, "force": "true"}


async def write_status(
    api: RequestSender, path: str, document: Mapping[str, Any], fields_of_others: Set[str] = frozenset()
) -> ObjectParts:
    """Write the status in `document` with a server-side apply. Return the object after the write.

    If the apply is refused or answered with HTTP 500, or fields of another writer remain, write the difference with a
    JSON merge patch. `path` is that of the object. `fields_of_others` names the fields of the status that other writers
    own, which stay as they are. If the metadata in `document` has a resourceVersion, only that version of the object is
    changed. Raises `ClusterError`, among them `Conflict` if the object has another version.
    """
    wanted: dict[str, Any] = document["status"]
    version = document["metadata"].get("resourceVersion")
    try:
        stored = await _send(api, "PATCH", f"{path}/status", _APPLY, document)
    except (InternalServerError, RequestRefused):
        stored = await _send(api, "GET", path)
        if version not in (None, stored.metadata.resource_version):
            raise Conflict(f"{path} has changed since it was read") from None
    if patch := create_merge_patch(_fields_except(stored.status, fields_of_others), wanted):
        # The UID is a precondition, because an object of the same name that was created since is a different one.
        merged = {"metadata": {"uid": stored.metadata.uid}, "status": patch}
        stored = await _send(api, "MERGE", f"{path}/status", _MERGE, merged)
    return stored


def _fields_except(status: Any, names: Set[str]) -> dict[str, Any]:
    """Return the fields of a stored status without these; none if the status is not an object."""
    return {name: value for name, value in status.items() if name not in names} if isinstance(status, dict) else {}


async def _send(
    api: RequestSender, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
) -> ObjectParts:
    return decoded_or_raise(f"{method} {path}", await api.send_request(method, path, query, body), decode_object_parts)
