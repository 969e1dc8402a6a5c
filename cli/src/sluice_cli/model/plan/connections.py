"""The one connection that a provider allows for a key or a client ID: which job has it, and which one would wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...contract import contract
from ..fields import child, flag, text
from .document_claims import PlannedJob


def connection_key(spec: dict[str, Any]) -> tuple[str, ...] | None:
    """Return what identifies the connection of a job in its namespace; None if its provider does not limit them."""
    provider = text(spec, "provider")
    groups = child(contract(), "providers", provider).get("connection") or ()
    values = [_first_value(child(spec, provider), group) for group in groups]
    return (provider, *values) if values and all(values) else None


def _first_value(block: dict[str, Any], paths: Iterable[str]) -> str:
    for path in paths:
        *above, name = path.split(".")
        value = child(block, *above).get(name)
        if value is not None and value != "":
            return str(value).lower() if name == "host" else str(value)
    return ""


def slot_holder(job: PlannedJob, others: Iterable[PlannedJob]) -> tuple[str, str]:
    """Return a job of the namespace that uses the same connection, and how: `holds` or `uses`; two empty texts if none.

    The pods report which job holds the connection. A disabled job does not ask for it, but may at any moment.
    """
    key = connection_key(job.spec)
    if key is None:
        return "", ""
    found = ("", "")
    for other in others:
        is_other = other.namespace == job.namespace and other.name != job.name
        if is_other and connection_key(other.spec) == key:
            if flag(other.document, "status", "stream", "slot", "acquired"):
                return other.full_name, "holds"
            found = (other.full_name, "uses")
    return found
