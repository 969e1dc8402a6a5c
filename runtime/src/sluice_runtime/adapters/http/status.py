"""The status in the HTTP interface: the pod's part of the IngestJob's status, and more details."""

from __future__ import annotations

from typing import Any

import msgspec

from ...domain.health import RuntimeSnapshot, stream_status
from ...domain.market_hours import MarketState


def status_body(snapshot: RuntimeSnapshot, **more: object) -> bytes:
    """Return the status as JSON: the fields of `status.stream`, all switches, all paused symbols, and the market.

    `more` are additional fields.
    """
    desired, freshness = snapshot.desired, snapshot.freshness
    document = msgspec.to_builtins(stream_status(snapshot), builtin_types=())
    return msgspec.json.encode(
        {
            **document,
            "pausedBy": list(desired.switches),
            "pausedSymbols": sorted(desired.paused),
            **({"market": _market_object(freshness.session)} if freshness else {}),
            **more,
        }
    )


def _market_object(state: MarketState) -> dict[str, Any]:
    """Return the state of the market. Unknown values are absent."""
    fields = {
        "phase": state.phase,
        "session": state.session,
        "since": state.since,
        "changesAt": state.changes_at,
        "presumedClosed": state.is_presumed_closed,
        "calendarEndsOn": state.calendar_ends_on,
    }
    return {name: value for name, value in fields.items() if value is not None}
