"""The IngestJob object, as the API server serves it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from .base import CamelStruct
from .spec import IngestJobSpec
from .status import IngestJobStatus
from .status_values import Count

_VERSION_DIGITS: Final = 19  # of the largest revision of etcd


class ObjectMeta(CamelStruct, frozen=True):
    """The part of metav1.ObjectMeta that Sluice reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: Count = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: list[str] = []  # noqa: RUF012  msgspec copies an empty default
    labels: dict[str, str] = {}  # noqa: RUF012


def resource_version_number(resource_version: str) -> int:
    """Return a resourceVersion as a number, which grows with each write to etcd; 0 if it is not a revision of etcd."""
    is_revision = (
        resource_version.isascii() and resource_version.isdecimal() and len(resource_version) <= _VERSION_DIGITS
    )
    return int(resource_version) if is_revision else 0


class IngestJob(CamelStruct, frozen=True):
    """A market-data stream from a provider to Firestore. The operator keeps one ingest pod running for it."""

    metadata: ObjectMeta
    spec: IngestJobSpec
    status: IngestJobStatus = IngestJobStatus()


def decode_ingest_job(document: dict[str, Any]) -> IngestJob:
    """Convert a decoded document to an `IngestJob`.

    Raises:
        msgspec.ValidationError: a value has the wrong type or is out of bounds. The message names the field, such as
            `$.spec.symbols[0]`.
    """
    return msgspec.convert(document, IngestJob)
