"""Reads the heartbeat document of any writer: this runtime, another version of it, or an older service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...domain.heartbeat_owner import StoredHeartbeat
from .connection import StoredDocument

# The fields to read.
HEARTBEAT_FIELDS: Final = ("job", "job_uid", "cluster", "epoch", "status", "heartbeat_interval_ms")


def stored_heartbeat(document: StoredDocument) -> StoredHeartbeat:
    """Return the fields of a heartbeat document. A value of an unexpected type counts as missing."""
    fields = document.fields
    interval = fields.get("heartbeat_interval_ms")
    epoch = fields.get("epoch")
    return StoredHeartbeat(
        job=_text_or_none(fields, "job"),
        job_uid=_text_or_none(fields, "job_uid"),
        cluster=_text_or_none(fields, "cluster"),
        epoch=epoch if isinstance(epoch, int) else None,
        status=_text_or_none(fields, "status"),
        interval_seconds=interval / 1000 if isinstance(interval, int | float) and interval > 0 else None,
        age_seconds=document.age_seconds,
    )


def _text_or_none(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
