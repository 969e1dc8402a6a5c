"""Runs the preflight checks of the provider's account once the stream is live. They never stop the stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ..domain.preflight import Finding, preflight_status
from ..state.process_state import ProcessState
from .stream_parts import StreamParts

_log = logging.getLogger(__name__)


async def run_preflight_once_live(
    run_checks: Callable[[Sequence[str]], Awaitable[Sequence[Finding]]], parts: StreamParts, process: ProcessState
) -> None:
    """Wait until the stream is live, run the preflight checks once, and log and report their findings.

    Then wait to be cancelled.
    """
    while parts.stream.state != "Live":
        await parts.instruments.transitions.wait_for_change(parts.instruments.transitions.version)
    found = await run_checks(sorted(parts.desired.value.declared))
    for each in found:
        level = logging.INFO if each.good else logging.WARNING
        _log.log(level, "preflight: %s", each, extra={"event_type": "preflight", "good": each.good})
    process.record_preflight(preflight_status(found, parts.instruments.now()))
    await asyncio.Event().wait()
