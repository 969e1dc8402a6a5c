"""Reads the heartbeat document of any writer: this runtime, another version of it, or an older service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sluice_contract.status_values import LARGEST

from ...domain.heartbeat_owner import StoredHeartbeat
from .connection import StoredDocument

# The fields to read.
HEARTBEAT_FIELDS: Final = (
    *("job", "job_uid", "cluster", "epoch", "status", "heartbeat_interval_ms"),
    *("writes_day", "writes_used"),
)


def stored_heartbeat(document: StoredDocument) -> StoredHeartbeat:
    """Return the fields of a heartbeat document. A value that no writer of Sluice writes counts as missing."""
    fields = document.fields
    interval = _number_or_none(fields, "heartbeat_interval_ms")
    epoch, used = _number_or_none(fields, "epoch"), _number_or_none(fields, "writes_used")
    return StoredHeartbeat(
        job=_text_or_none(fields, "job"),
        job_uid=_text_or_none(fields, "job_uid"),
        cluster=_text_or_none(fields, "cluster"),
        epoch=epoch if isinstance(epoch, int) else None,
        status=_text_or_none(fields, "status"),
        interval_seconds=interval / 1000 if interval else None,
        age_seconds=document.age_seconds,
        writes_day=_text_or_none(fields, "writes_day"),
        writes_used=used if isinstance(used, int) else None,
    )


def _number_or_none(fields: Mapping[str, Any], name: str) -> int | float | None:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= LARGEST else None


def _text_or_none(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
