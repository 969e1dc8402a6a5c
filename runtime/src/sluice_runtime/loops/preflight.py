"""Runs the preflight checks of the provider's account once the stream is live. They never stop the stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ..domain.preflight import Finding, preflight_status
from .journal import Journal

_log = logging.getLogger(__name__)


async def run_preflight_once_live(
    run_checks: Callable[[Sequence[str]], Awaitable[Sequence[Finding]]], journal: Journal
) -> None:
    """Wait until the stream is live, run the preflight checks once, and log and report their findings.

    Then wait to be cancelled.
    """
    while journal.state != "Live":
        await journal.transitions.wait_for_change(journal.transitions.version)
    found = await run_checks(sorted(journal.desired.value.declared))
    for each in found:
        level = logging.INFO if each.good else logging.WARNING
        _log.log(level, "preflight: %s", each, extra={"event_type": "preflight", "good": each.good})
    journal.preflight = preflight_status(found, journal.now())
    journal.signal_transition()
    await asyncio.Event().wait()
