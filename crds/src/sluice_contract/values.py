"""What fields of a spec are made of: names, symbols, references, with their bounds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .instants import SPEC_INSTANT_SCHEMA

_SYMBOL = r"^[A-Z][A-Z0-9]*([./][A-Z0-9]+)?$"
_SYMBOL_RULE = {
    "rule": f"self.matches(r'{_SYMBOL}')",
    "message": "a symbol is in upper case, a share class after a dot, a pair with a slash: write SPY, BRK.B or BTC/USD",
}

# Canonical: Alpaca's dot form. One badly formed symbol makes Alpaca refuse a whole subscription, so it stops here: by
# the pattern for tools that know nothing of rules, by the rule for people who do not read patterns.
Symbol = Annotated[
    str,
    Meta(
        pattern=_SYMBOL,
        max_length=21,
        description="A symbol in canonical form: upper case, a share class after a dot (BRK.B).",
        extra_json_schema={"x-kubernetes-validations": [_SYMBOL_RULE]},
    ),
]
ObjectName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        max_length=253,
        description="The name of an object in the job's own namespace.",
    ),
]
# Firestore forbids `/` in an id, and reserves `__…__`, `.` and `..`.
DocumentID = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=100)]
Reason = Annotated[str, Meta(max_length=256, description="Why, for the people who will read the status.")]
# Printable ASCII: what counts as a space beyond it differs between the API server's expressions and Python's.
StreamURL = Annotated[str, Meta(pattern=r"^wss?://[!-~]+$", max_length=512)]
RestURL = Annotated[str, Meta(pattern=r"^https?://[!-\"$->@-~]+$", max_length=512)]
# A DNS name, or an address of either family.
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9:]([-A-Za-z0-9.:]*[A-Za-z0-9])?$", max_length=253)]
ProjectID = Annotated[str, Meta(pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$", max_length=30)]
Until = Annotated[
    datetime,
    Meta(
        tz=True,
        description="When the pause ends by itself (RFC 3339). Absent: it stays until removed.",
        extra_json_schema=SPEC_INSTANT_SCHEMA,
    ),
]


class SecretReference(CamelStruct, frozen=True):
    """A Secret in the job's own namespace."""

    name: ObjectName


class ConfigMapReference(CamelStruct, frozen=True):
    """A ConfigMap in the job's own namespace."""

    name: ObjectName


class ConfigMapKeyReference(CamelStruct, frozen=True):
    """One key of a ConfigMap in the job's own namespace."""

    name: ObjectName
    key: Annotated[
        str,
        Meta(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253, description="The key that holds the tape."),
    ] = "tape.csv.gz"


class SyntheticFault(CamelStruct, frozen=True):
    """Something that goes wrong with synthetic quotes, at the same time in each run."""

    kind: Annotated[
        Literal["gap", "halt", "mute"],
        Meta(
            description="gap: the connection is lost and cannot be had; halt: trading in all symbols is halted and "
            "goes on again; mute: the connection stays, and no quote comes."
        ),
    ]
    after_seconds: Annotated[int, Meta(ge=0, le=1_000_000, description="When it begins, from the first connection.")]
    for_seconds: Annotated[int, Meta(ge=1, le=1_000_000, description="How long it lasts.")]
