"""The time until a stop takes effect, by the provider's record, Firestore's documents and the user's confirmation."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bench.stop_faults import StopFault
from bench.stop_jobs import StopJob
from bench.stop_requests import PAUSED_SYMBOL, Confirmation, PlannedStop, SentRequest
from bench.watch_events import WatchEvent
from support.site import instant

WITHIN_SECONDS = 60.0
_POLL_SECONDS = 0.1
_QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class StopTiming:
    """Seconds since the request, or None if more than 60 s. `closed` includes the last write, if that is later."""

    closed: float | None
    confirmed: float | None


async def stop_timing(stop: PlannedStop, fault: StopFault) -> StopTiming:
    """Request the stop, and measure until it is closed and confirmed, or until 60 s are over.

    A stop counts as closed only if it is still closed one second after both events.
    """
    request = await stop.way.request(stop.job)
    deadline = request.sent_at + WITHIN_SECONDS
    confirmed_at: float | None = None
    while True:
        closed_at = await _closed_at(stop)
        confirmed_at = confirmed_at or await _confirmed_at(stop, fault, request)
        if closed_at is not None and confirmed_at is not None:
            await asyncio.sleep(_QUIET_SECONDS)
            closed_at = await _closed_at(stop)
            if closed_at is not None:
                break
        if time.time() > deadline:
            break
        await asyncio.sleep(_POLL_SECONDS)
    if closed_at is not None:
        closed_at = max(closed_at, await _last_write_at(stop), request.sent_at)
    return StopTiming(
        closed=_seconds(closed_at, request.sent_at),
        confirmed=_seconds(confirmed_at, request.sent_at),
    )


def _seconds(at: float | None, since: float) -> float | None:
    if at is None or at - since > WITHIN_SECONDS:
        return None
    return at - since


async def _closed_at(stop: PlannedStop) -> float | None:
    """Return when the last connection closed or unsubscribed the paused symbol; None while one has not."""
    connections = await stop.job.connections()
    if stop.way.stops_one_symbol:
        ends = [symbol_ended_at(each, stop.job.symbols[PAUSED_SYMBOL]) for each in connections]
    else:
        ends = [each["closed"] for each in connections]
    known = [each for each in ends if each is not None]
    return max(known) if len(known) == len(ends) else None


def symbol_ended_at(connection: dict[str, Any], symbol: str) -> float | None:
    """Return the Unix seconds since which a connection has not had the symbol: 0 if it never had, None if it has."""
    history: list[dict[str, Any]] = connection["history"]
    subscribed = [symbol in each["channels"].get("quotes", ()) for each in history]
    if True not in subscribed:
        return 0.0
    last = len(subscribed) - 1 - subscribed[::-1].index(True)
    if last + 1 < len(history):
        return float(history[last + 1]["at"])
    closed: float | None = connection["closed"]
    return closed


async def _last_write_at(stop: PlannedStop) -> float:
    """Return when a quote was last written: the newest `updateTime` of the documents.

    The document of a paused symbol is also updated to say so; what counts there is the quote's own `written_at`.
    """
    documents = await stop.job.documents()
    if stop.way.stops_one_symbol:
        symbol = stop.job.symbols[PAUSED_SYMBOL]
        [paused] = [each for each in documents if each["name"].endswith(f"/{symbol}")]
        return instant(paused["fields"]["written_at"]["timestampValue"]).timestamp()
    return max(instant(each["updateTime"]).timestamp() for each in documents)


async def _confirmed_at(stop: PlannedStop, fault: StopFault, request: SentRequest) -> float | None:
    """Return when the user got the confirmation; None while it is missing."""
    if stop.way.confirmation is Confirmation.RESPONSE:
        return request.answered_at
    if stop.way.confirmation is Confirmation.END_OF_POD:
        return time.time() if await _is_over(stop.job) else None
    generation = request.generation if fault.spec_is_understood else 0

    def is_confirmed(seen: WatchEvent) -> bool:
        if stop.way.confirmation is Confirmation.PAUSED_SYMBOL:
            return _counts_paused_symbol(seen, generation)
        return _has_paused_condition(seen, generation) if fault.operator_runs else _is_acknowledged(seen, generation)

    return stop.job.watch.first_time(is_confirmed, request.sent_at)


async def _is_over(job: StopJob) -> bool:
    return await job.heartbeat_status() == "stopped" or await job.pod_is_gone()


def _has_paused_condition(seen: WatchEvent, generation: int) -> bool:
    return any(
        each["type"] == "Paused" and each["status"] == "True" and each["observedGeneration"] >= generation
        for each in seen.document.get("status", {}).get("conditions", ())
    )


def _is_acknowledged(seen: WatchEvent, generation: int) -> bool:
    acknowledged = seen.stream.get("pause", {}).get("acknowledgedAt")
    return bool(acknowledged) and int(seen.stream["observedGeneration"]) >= generation


def _counts_paused_symbol(seen: WatchEvent, generation: int) -> bool:
    counted = seen.stream.get("symbols", {}).get("paused", 0) >= 1
    return counted and int(seen.stream["observedGeneration"]) >= generation
