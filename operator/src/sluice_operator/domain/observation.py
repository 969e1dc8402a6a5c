"""The input of one decision, as one value. It contains the current time, so a decision reads no clock."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .document_claims import DocumentConflict
from .objects import Job, Pod


class PodRefusal(msgspec.Struct, frozen=True):
    """The last request to create the pod or its ServiceAccount that the API server refused.

    `epoch` is the epoch of the refused pod. No pod has it, so the next attempt may use it.
    """

    message: str
    generation: int
    epoch: int | None
    age_seconds: float


class PodMutation(msgspec.Struct, frozen=True):
    """A field in which the last created pod differs from the requested pod, as a sentence.

    `pods_in_a_row` is the number of pods that were changed one after another.
    """

    difference: str
    pod_uid: str
    pods_in_a_row: int
    age_seconds: float  # since the creation of the last of them


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the operator knows about one job when it decides.

    Ages are measured by the operator's monotonic clock and start from zero when the operator starts, so that a wrong
    clock on another machine cannot make a heartbeat look old.
    """

    now: datetime
    job: Job | None
    pod: Pod | None
    cold_hash: str = ""  # the hash of the pod as it would be built now
    account_is_applied: bool = True
    heartbeat_age_seconds: float = 0.0  # since the heartbeat last changed, or the pod was first seen running
    heartbeat_was_looked_up: bool = False  # a live read confirmed that this is still the newest heartbeat
    pausing_seconds: float = 0.0  # since an unconfirmed stop was first seen, while the API server answered
    confirmed_symbol_pauses: frozenset[str] = frozenset()  # the symbols whose pause the pod has confirmed
    refusal: PodRefusal | None = None
    mutation: PodMutation | None = None
    conflict: DocumentConflict | None = None  # with an older job, over documents
