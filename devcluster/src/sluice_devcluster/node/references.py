"""The Secrets, ConfigMaps and own fields to which a pod's specification refers."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple

from sluice_devcluster.api import Json


class Reference(NamedTuple):
    """A Secret or a ConfigMap (`kind`) in the pod's own namespace."""

    kind: str
    name: str


# The current object of each reference; None for an object that does not exist.
Sources = Mapping[Reference, Json | None]


class UnresolvedError(Exception):
    """A reference that cannot be resolved; the message has the kubelet's wording."""


class PodFacts(NamedTuple):
    """A pod, and the addresses that its status may not show yet."""

    pod: Json
    pod_ip: str
    host_ip: str


def decode_data(reference: Reference, found: Json) -> dict[str, bytes]:
    """Return the decoded content of a Secret or a ConfigMap."""
    encoded = found.get("data") or {}
    if reference.kind == "Secret":
        return {key: base64.b64decode(value) for key, value in encoded.items()}
    binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in encoded.items()} | binary


def referenced_content(reference: Reference, sources: Sources, *, optional: bool) -> dict[str, bytes] | None:
    """Return the content of a referenced object; None if it is missing and optional.

    Raises UnresolvedError if it is missing and not optional.
    """
    found = sources.get(reference)
    if found is not None:
        return decode_data(reference, found)
    if optional:
        return None
    raise UnresolvedError(f'{reference.kind.lower()} "{reference.name}" not found')


def downward_field_value(path: str, facts: PodFacts) -> str:
    """Return the value of a downward-API field path; raise UnresolvedError for a path that is not supported."""
    metadata, spec = facts.pod["metadata"], facts.pod["spec"]
    subscript = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if subscript:
        return str((metadata.get(subscript[1]) or {}).get(subscript[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        return _format_labels(metadata.get(path.partition(".")[2]) or {})
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
    }
    if path not in values:
        raise UnresolvedError(f"unsupported fieldPath: {path}")
    return str(values[path])


def _format_labels(values: Mapping[str, str]) -> str:
    lines = []
    for key in sorted(values):
        escaped = values[key].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'{key}="{escaped}"')
    return "\n".join(lines)
