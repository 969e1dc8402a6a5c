"""The status in the HTTP interface: the pod's part of the IngestJob's status, and more details."""

from __future__ import annotations

import msgspec

from ...domain.health import RuntimeSnapshot, stream_status


def status_body(snapshot: RuntimeSnapshot) -> bytes:
    """Return the status as JSON: the fields of `status.stream`, all switches that pause, and all paused symbols."""
    desired = snapshot.desired
    document = msgspec.to_builtins(stream_status(snapshot), builtin_types=())
    return msgspec.json.encode(
        {**document, "pausedBy": list(desired.switches), "pausedSymbols": sorted(desired.paused)}
    )
