"""Whole documents in Firestore's wire messages, past the wrappers that Google's client puts around each value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import Write

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Message = type(Write.pb(Write()))


def replacement(path: str, fields: Mapping[str, Any]) -> Write:
    """The write that makes the document at `path` (its full resource name) be `fields`, and nothing else."""
    message = _Message()
    message.update.name = path
    values = message.update.fields
    for name, value in fields.items():
        _put(values[name], value)
    write: Write = Write.wrap(message)
    return write


def _put(target: Any, value: Any) -> None:
    """By the exact type: a bool is not to be taken for an int."""
    kind = type(value)
    if kind is str:
        target.string_value = value
    elif kind is float:
        target.double_value = value
    elif kind is datetime:
        since = value - _EPOCH
        target.timestamp_value.seconds = since.days * 86_400 + since.seconds
        target.timestamp_value.nanos = since.microseconds * 1_000
    elif kind is int:
        target.integer_value = value
    elif value is None:
        target.null_value = 0
    else:
        target.CopyFrom(_helpers.encode_value(value)._pb)
