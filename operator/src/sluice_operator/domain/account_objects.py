"""The ServiceAccounts and RoleBindings of ingest pods, as another client may have changed them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from sluice_contract.json_nesting import JSONText, decode_without_deep_values

from . import workload
from .reduced_documents import decode_object_version

_decode_document: Final = msgspec.json.Decoder(dict[str, Any]).decode


class AccountObject(msgspec.Struct, frozen=True):
    """A stored ServiceAccount or RoleBinding. `is_as_applied` is false if it differs from what the operator applies."""

    namespace: str
    is_as_applied: bool


def decode_service_account(text: JSONText) -> AccountObject:
    """Decode a stored ServiceAccount. Raises `msgspec.DecodeError` if the text is not a JSON object."""
    return _decode(text, workload.service_account_manifest)


def decode_role_binding(text: JSONText) -> AccountObject:
    """Decode a stored RoleBinding. Raises `msgspec.DecodeError` if the text is not a JSON object."""
    return _decode(text, workload.role_binding_manifest)


def _decode(text: JSONText, manifest: Callable[[str], workload.Manifest]) -> AccountObject:
    namespace = decode_object_version(text).namespace
    applied = {name: value for name, value in manifest(namespace).items() if name not in ("apiVersion", "kind")}
    return AccountObject(namespace, _contains(decode_without_deep_values(_decode_document, text), applied))


def _contains(stored: Any, applied: Any) -> bool:
    """Return whether a stored value has everything that was applied. It may have further fields."""
    if isinstance(applied, dict):
        return isinstance(stored, dict) and all(_contains(stored.get(name), applied[name]) for name in applied)
    if isinstance(applied, list):
        return (
            isinstance(stored, list)
            and len(stored) == len(applied)
            and all(_contains(*pair) for pair in zip(stored, applied, strict=True))
        )
    return bool(stored == applied)
