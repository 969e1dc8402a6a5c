"""All that one decision is made from, as one value. Time is in it: no decision looks at a clock."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .document_claims import DocumentConflict
from .objects import Job, Pod


class Refusal(msgspec.Struct, frozen=True):
    """The API server's last refusal to create the job's pod or its account.

    `epoch` is the one that the refused pod would have had: no pod bears it, so the next attempt may.
    """

    message: str
    generation: int
    epoch: int | None
    age_seconds: float


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one job.

    Ages are by the operator's own monotonic clock and start anew when the operator does: a clock that is wrong
    somewhere else must not make a stream look dead.
    """

    now: datetime
    job: Job | None
    pod: Pod | None
    cold_hash: str = ""  # of the pod as it would be built now
    account_is_ensured: bool = True
    heartbeat_age_seconds: float = 0.0  # since the heartbeat last changed, or the pod was first seen running
    heartbeat_was_looked_up: bool = False  # a live read confirmed that this is still the newest heartbeat
    pausing_seconds: float = 0.0  # since a stop that is not confirmed was first seen, while the API server answered
    confirmed_symbol_pauses: frozenset[str] = frozenset()  # the symbols whose pause the pod has confirmed
    refusal: Refusal | None = None
    conflict: DocumentConflict | None = None  # with an earlier job, over documents
