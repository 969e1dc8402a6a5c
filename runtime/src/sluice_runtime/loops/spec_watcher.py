"""Derives the desired state of all other loops from the IngestJob, the switches and the time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from sluice_contract.spec import Channel

from ..aio.latest_value import LatestValue, wait_for_any_change
from ..aio.waiting import run_with_timeout
from ..domain.counters import Counters
from ..domain.declared_job import DeclaredJob
from ..domain.desired import (
    DELETED,
    Desired,
    desired_state,
    is_unread,
    with_pause,
    with_pause_for_unreadable_spec,
)
from ..domain.market_hours import regular_and_extended_hours_of_job
from ..domain.pause import PauseInForce, Switch, SymbolPause, next_pause_end
from ..domain.pause_objects import NO_PAUSES, KnownPauses, OutsideSwitches, ends_of_pauses
from ..ports import JobPort
from ..provider_ports import MarketHoursOfJob
from ..state.desired_state import DesiredStateUpdater
from ..state.instruments import Instruments
from ..state.stream_state import StreamListener

_log = logging.getLogger(__name__)

# How long a change of the clock can stay unnoticed. A pause that had ended is in force again if the clock is set back.
_CLOCK_CHECK_SECONDS = 15.0


@dataclass(frozen=True)
class PauseInputs:
    """What decides about a pause, besides the time: the IngestJob, the switches of the pod, and the pause objects."""

    job: LatestValue[DeclaredJob | None]
    switches: LatestValue[tuple[Switch, ...]]
    pauses: LatestValue[KnownPauses] = field(default_factory=lambda: LatestValue(NO_PAUSES))

    @property
    def outside(self) -> OutsideSwitches:
        """What can pause the job now besides the IngestJob itself."""
        return OutsideSwitches(of_pod=self.switches.value, pauses=self.pauses.value)

    async def wait_for_change(self, seen: tuple[int, int, int]) -> None:
        """Wait until one of the three versions differs from that in `seen`."""
        await wait_for_any_change(*zip(self._values, seen, strict=True))

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Within the context, call `callback` when one of the three values changes, before any waiting task runs."""
        with ExitStack() as stack:
            for value in self._values:
                stack.enter_context(value.calling(callback))
            yield

    @property
    def versions(self) -> tuple[int, int, int]:
        """The versions of the three values."""
        return self.job.version, self.switches.version, self.pauses.version

    @property
    def _values(self) -> tuple[LatestValue[Any], ...]:
        return self.job, self.switches, self.pauses


async def watch_job_until_deleted(
    port: JobPort,
    job: LatestValue[DeclaredJob | None],
    desired: LatestValue[Desired],
    stream: StreamListener,
    session_id: str,
) -> None:
    """Set `job` to each version of the IngestJob. When the IngestJob is gone, stop the stream and return.

    `session_id` is that of this process: the gaps and the history in the status are taken over if another process has
    reported them.
    """
    has_read_status = False
    async for seen in port.watch():
        if seen is not None and seen.earlier_stream is not None and not has_read_status:
            has_read_status = True
            if seen.earlier_stream.heartbeat.session_id != session_id:
                stream.inherit_gaps_unless_live(seen.earlier_stream)
                stream.history.inherit(seen.earlier_stream.history)
        if seen is None:
            _log.warning("the IngestJob no longer exists; stopping the stream", extra={"event_type": "stream"})
            deleted = with_pause(desired.value, DELETED)
            if desired.value.pause is None:
                _log_pause_or_resumption(deleted)
            desired.set(deleted)
        job.set(seen)


async def update_desired_forever(
    inputs: PauseInputs,
    updater: DesiredStateUpdater,
    instruments: Instruments,
    market_hours: MarketHoursOfJob = regular_and_extended_hours_of_job,
) -> None:
    """Update the desired state on each change of the inputs, and whenever a pause reaches its end time.

    It is also updated every 15 s, because the clock can be set forward or back.
    While the job streams, the change of an input updates it directly, so that a stop waits for no task and no log line.
    `market_hours` returns the hours of the provider's market for a spec.
    """

    def update() -> None:
        if (job := inputs.job.value) is not None:
            now, before = instruments.now(), updater.desired.value
            updater.apply_desired(_desired_state_of_job(job, now, before, inputs.outside, market_hours))

    def update_if_not_paused() -> None:
        if updater.desired.value.pause is None:
            update()

    logged: Desired | None = None
    with inputs.calling(update_if_not_paused):
        while True:
            seen, job = inputs.versions, inputs.job.value
            update()
            desired = updater.desired.value
            if job is not None and not is_unread(desired.pause):  # otherwise it is not known yet whether it is paused
                _log_and_count_changes(logged, desired, instruments.counters)
                logged = desired
            seconds = _seconds_until_update(job, instruments.now(), inputs.outside)
            await run_with_timeout(seconds, inputs.wait_for_change(seen))


def _desired_state_of_job(
    job: DeclaredJob, now: datetime, before: Desired, outside: OutsideSwitches, market_hours: MarketHoursOfJob
) -> Desired:
    if job.spec is None:
        return with_pause_for_unreadable_spec(before, job, now, outside)
    return desired_state(job, job.spec, now, outside, market_hours)


def _seconds_until_update(job: DeclaredJob | None, now: datetime, outside: OutsideSwitches) -> float | None:
    if job is None:
        return None
    change = next_pause_end(job, now, outside.of_pod, ends_of_pauses(outside.pauses))
    seconds = (change - now).total_seconds() if change is not None else _CLOCK_CHECK_SECONDS
    return min(seconds, _CLOCK_CHECK_SECONDS)


def _log_and_count_changes(before: Desired | None, desired: Desired, counters: Counters) -> None:
    if before is None or (before.pause is None) != (desired.pause is None):
        _log_pause_or_resumption(desired)
    if desired.spec_problem and (before is None or before.spec_problem != desired.spec_problem):
        _log.warning(
            "%s; the runtime keeps the last spec that it could read, and still obeys stops", desired.spec_problem
        )
    paused_before = before.paused if before else frozenset[str]()
    counters.count_symbol_pauses(len(desired.paused - paused_before))
    _log_symbol_pauses(desired, paused_before)
    if desired.unknown_paused and (before is None or before.unknown_paused != desired.unknown_paused):
        _log.warning("pausedSymbols names symbols that are not in symbols: %s", ", ".join(desired.unknown_paused))


def _log_symbol_pauses(desired: Desired, paused_before: frozenset[str]) -> None:
    """Log each symbol that is paused or resumed, with all of its channels."""
    channels = ", ".join(each for each in get_args(Channel) if each in desired.channels)
    for symbol in sorted(desired.paused - paused_before):
        fields = {"event_type": "symbol_pause", "action": "paused", "symbol": symbol}
        text = "[PAUSED] Asset %s (%s) has pause_fetch=true, skipping API fetch"
        _log.info(text, symbol, channels, extra={**fields, **_pause_fields(desired.symbol_pauses.get(symbol))})
    for symbol in sorted(paused_before - desired.paused):
        fields = {"event_type": "symbol_pause", "action": "resumed", "symbol": symbol}
        _log.info("[RESUMED] Asset %s (%s)", symbol, channels, extra=fields)


def _log_pause_or_resumption(desired: Desired) -> None:
    if desired.pause is None:
        _log.info("ingest is resumed", extra={"event_type": "ingest_switch", "action": "resumed"})
    else:
        fields = {"event_type": "ingest_switch", "action": "halted", **_pause_fields(desired.pause)}
        _log.info("ingest is halted by %s", desired.pause.clause(), extra=fields)


def _pause_fields(pause: PauseInForce | SymbolPause | None) -> dict[str, str | None]:
    """Return the fields of a log line about a pause."""
    return {"source": pause.source, "reason": pause.reason, "by": pause.by} if pause is not None else {}
