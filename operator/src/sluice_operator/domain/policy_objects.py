"""IngestPolicies and Namespaces as the operator reads them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from sluice_contract.base import CamelStruct
from sluice_contract.decoding_errors import problem_sentence
from sluice_contract.json_nesting import JSONText, decode_without_deep_values
from sluice_contract.lenient import UNREADABLE, decode_readable_fields
from sluice_contract.policies import IngestPolicy, IngestPolicySpec, IngestPolicyStatus
from sluice_contract.resource import ObjectMeta

from .reduced_documents import ObjectParts, decode_object_parts


class PolicyObject(msgspec.Struct, frozen=True, kw_only=True):
    """A stored IngestPolicy. `policy` is None if its spec is not understood; `problem` then names the field."""

    metadata: ObjectMeta
    policy: IngestPolicy | None
    problem: str = ""
    status: IngestPolicyStatus = IngestPolicyStatus()


class TenantNamespace(msgspec.Struct, frozen=True):
    """The name and the labels of a Namespace."""

    name: str
    labels: Mapping[str, str]


class _LabelledMetadata(CamelStruct, frozen=True):
    name: str
    labels: dict[str, str] = {}  # noqa: RUF012  msgspec copies an empty default


class _Namespace(msgspec.Struct, frozen=True):
    metadata: _LabelledMetadata


_namespace = partial(decode_without_deep_values, msgspec.json.Decoder(_Namespace).decode)


def decode_policy_text(text: JSONText) -> PolicyObject:
    """Decode a stored IngestPolicy. Raises `msgspec.DecodeError` if the text is not JSON, and only then."""
    return policy_from_parts(decode_object_parts(text))


def policy_from_parts(parts: ObjectParts) -> PolicyObject:
    """Return the IngestPolicy that has these parts. Never raises."""
    status = decode_readable_fields(parts.status or {}, IngestPolicyStatus)
    try:
        spec = msgspec.convert(parts.spec, IngestPolicySpec)
    except UNREADABLE as error:
        problem = problem_sentence("spec", error)
        return PolicyObject(metadata=parts.metadata, policy=None, problem=problem, status=status)
    return PolicyObject(metadata=parts.metadata, policy=IngestPolicy(metadata=parts.metadata, spec=spec), status=status)


def decode_namespace_text(text: JSONText) -> TenantNamespace:
    """Decode a stored Namespace. Raises `msgspec.DecodeError` if the text is not that of a Namespace."""
    metadata = _namespace(text).metadata
    return TenantNamespace(metadata.name, metadata.labels)
