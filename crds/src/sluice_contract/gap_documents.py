"""The Firestore documents about gaps: periods for which a job has no data."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

# `expire_at` is this long after the end of a gap. Firestore deletes the document then if the user has a TTL policy.
GAP_RETENTION: Final = timedelta(days=90)


class GapRepair(msgspec.Struct, frozen=True, kw_only=True):
    """What was fetched for a gap: the numbers of trades and bars on the tape.

    `open_symbols` is the number of symbols whose trades or bars were not all fetched. Quotes are never fetched.
    """

    trades: int = 0
    bars: int = 0
    open_symbols: int


class IngestGap(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The document of a gap that has ended, from `from_` to `to`.

    `symbols` has the symbols whose data is missing; None means all symbols of the job. `session_id` is the process that
    wrote the document.
    """

    job: str
    from_: datetime
    to: datetime
    cause: str
    symbols: list[str] | None
    repair: GapRepair
    session_id: str

    @property
    def document_id(self) -> str:
        """The ID: the start in UTC, then the job. Documents in the order of their IDs are in the order of their start.

        It depends only on the gap, so a retry or a later process writes the same document.
        """
        job = self.job.replace("/", "_")  # the names of namespaces and jobs contain no underscore
        identifier = f"{self.from_:%Y%m%dT%H%M%S.%f}Z_{job}"
        if self.symbols is None:
            return identifier
        return f"{identifier}_{hashlib.sha256(' '.join(self.symbols).encode()).hexdigest()[:12]}"

    def document_fields(self) -> dict[str, Any]:
        """Return the fields to write to Firestore, by name."""
        fields: dict[str, Any] = msgspec.to_builtins(self, builtin_types=(datetime,))
        repaired = self.repair.open_symbols == 0
        return {**fields, "repaired": repaired, "expire_at": self.to + GAP_RETENTION}


def ingest_gap_path(tenant: str, document_id: str) -> str:
    """Return the path of the document of a gap."""
    return f"tenants/{tenant}/ingest_gaps/{document_id}"
