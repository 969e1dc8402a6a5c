"""Types of the fields of a spec: names, symbols and references, with their bounds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from .base import CamelStruct
from .instants import SPEC_INSTANT_SCHEMA

_SYMBOL = r"^[A-Z][A-Z0-9]*([./][A-Z0-9]+)?$"
# One malformed symbol makes a provider refuse a whole subscription, so the schema refuses it. A rule with the same
# expression would be evaluated for each symbol at each write of a status.
Symbol = Annotated[
    str,
    Meta(
        pattern=_SYMBOL,
        max_length=21,
        description="A symbol in canonical form: upper case, with a dot before a share class (BRK.B) and a "
        "slash in a pair (BTC/USD).",
    ),
]
ObjectName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        max_length=253,
        description="The name of the object, in the namespace of the job.",
    ),
]
# Firestore forbids `/` in an id, and reserves `__…__`, `.` and `..`.
DocumentID = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=100)]
REASON_CHARACTERS: Final = 256
Reason = Annotated[
    str,
    Meta(max_length=REASON_CHARACTERS, description="The reason for the pause, as text for people. Empty by default."),
]
# Who paused. A status also accepts an empty name, so that no report of a pause is refused.
Author = Annotated[str, Meta(max_length=256)]
# Printable ASCII: beyond it, the API server's expressions and Python's differ in what they treat as a space.
StreamURL = Annotated[str, Meta(pattern=r"^wss?://[!-~]+$", max_length=512)]
RestURL = Annotated[str, Meta(pattern=r"^https?://[!-\"$->@-~]+$", max_length=512)]
# A DNS name, or an address of either family.
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9:]([-A-Za-z0-9.:]*[A-Za-z0-9])?$", max_length=253)]
ProjectID = Annotated[str, Meta(pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$", max_length=30)]
Until = Annotated[
    datetime,
    Meta(
        tz=True,
        description="The time at which the pause ends by itself (RFC 3339). Absent: the pause lasts until you "
        "remove it.",
        extra_json_schema=SPEC_INSTANT_SCHEMA,
    ),
]


class SecretReference(CamelStruct, frozen=True):
    """A reference to a Secret in the namespace of the job."""

    name: ObjectName


class ConfigMapReference(CamelStruct, frozen=True):
    """A reference to a ConfigMap in the namespace of the job."""

    name: ObjectName
