"""The documents of a job whose reader is tested: complete ones, at a time of the test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from support.verdict_cases import complete_documents


def heartbeat_fields(ts: datetime, **changes: object) -> dict[str, Any]:
    """Return a heartbeat of a running job that was written at `ts`."""
    _, found = complete_documents()
    return {**found, "ts": ts, "updated_at": ts, "last_heartbeat_at": ts, **changes}


def quote_fields(symbol: str, ts: datetime, **changes: object) -> dict[str, Any]:
    """Return a sound quote of the session of `heartbeat_fields`, whose event was at `ts`."""
    found, _ = complete_documents()
    return {**found, "symbol": symbol, "ts": ts, "written_at": ts, **changes}
