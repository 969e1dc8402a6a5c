"""What the HTTP interface says of the job: its half of the status, and what has no place in an IngestJob."""

from __future__ import annotations

import msgspec

from ...domain.health import RuntimeSnapshot, stream_status


def status_body(snapshot: RuntimeSnapshot) -> bytes:
    """The snapshot as JSON: `status.stream`, with all switches that pause and all symbols that are paused."""
    desired = snapshot.desired
    document = msgspec.to_builtins(stream_status(snapshot), builtin_types=())
    return msgspec.json.encode(
        {**document, "pausedBy": list(desired.switches), "pausedSymbols": sorted(desired.paused)}
    )
