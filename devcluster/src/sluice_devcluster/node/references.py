"""What a pod's specification refers to: Secrets, ConfigMaps and its own fields."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple

from sluice_devcluster.api import Json


class Reference(NamedTuple):
    """A Secret or a ConfigMap (`kind`) of the pod's own namespace."""

    kind: str
    name: str


# What each referenced object is at the moment; None for one that does not exist.
Sources = Mapping[Reference, Json | None]


class UnresolvedError(Exception):
    """A reference without a target; the text is the kubelet's own."""


class PodFacts(NamedTuple):
    """A pod, and the addresses that its status may not show yet."""

    pod: Json
    pod_ip: str
    host_ip: str


def decode_data(reference: Reference, found: Json) -> dict[str, bytes]:
    """The decoded content of a Secret or a ConfigMap."""
    encoded = found.get("data") or {}
    if reference.kind == "Secret":
        return {key: base64.b64decode(value) for key, value in encoded.items()}
    binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in encoded.items()} | binary


def referenced_content(reference: Reference, sources: Sources, *, optional: bool) -> dict[str, bytes] | None:
    """The content of a referenced object; None when it is missing and may be.

    Raises UnresolvedError when it is missing and may not be.
    """
    found = sources.get(reference)
    if found is not None:
        return decode_data(reference, found)
    if optional:
        return None
    raise UnresolvedError(f'{reference.kind.lower()} "{reference.name}" not found')


def downward_field_value(path: str, facts: PodFacts) -> str:
    """The value of a downward-API field path; raises UnresolvedError for one that is not supported."""
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
