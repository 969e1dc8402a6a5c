"""The state of each symbol in the HTTP interface."""

from __future__ import annotations

import asyncio

import msgspec

from ...domain.symbol_reports import ReportTime, symbol_reports
from ...view_ports import RuntimeView


def symbols_body(view: RuntimeView) -> bytes:
    """Return a JSON list with one object per declared symbol. A value that is not known is null."""
    snapshot = view.snapshot()
    at = ReportTime(snapshot.at, asyncio.get_running_loop().time())
    return msgspec.json.encode(
        symbol_reports(snapshot.desired, snapshot.ledger, view.freshness_by_symbol(), view.quotes, at)
    )
