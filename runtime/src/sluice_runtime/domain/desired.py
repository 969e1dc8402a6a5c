"""The desired state of the pod: the job's hot fields, evaluated at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sluice_contract.identity import UNREAD_SOURCE, UNREADABLE_SOURCE
from sluice_contract.limits import WriteLimits
from sluice_contract.spec import AutoStopLimits, Channel, HeartbeatSettings, IngestJobSpec

from .declared_job import DeclaredJob
from .market_hours import UNKNOWN_HOURS, MarketSchedule, market_schedule_of_job
from .pause import (
    GONE,
    JOB_SOURCE_PREFIX,
    PauseInForce,
    Switch,
    current_pauses_by_symbol,
    pause_in_force,
    pausing_sources,
    switches_of_job,
)

# The injected copy of the job may be older than a pause, so the pod waits until it has read the live job.
UNREAD = PauseInForce(source=UNREAD_SOURCE, reason="the job has not been read yet")
DELETED = PauseInForce(source=GONE, reason="the IngestJob is gone")


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """The desired state of the pod: what to stream and write, and whether a pause is in force."""

    generation: int
    pause: PauseInForce | None
    declared: frozenset[str]
    paused: frozenset[str]
    unknown_paused: tuple[str, ...]
    channels: frozenset[Channel]
    dry_run: bool
    limits: WriteLimits
    heartbeat: HeartbeatSettings
    switches: tuple[str, ...] = ()  # the sources of all pauses in force; `pause` is the first of them
    auto_stop: AutoStopLimits | None = None
    market_schedule: MarketSchedule = UNKNOWN_HOURS
    pause_reasons: dict[str, str] = {}
    stops_generation: int = 0  # of the stop fields; ahead of `generation` while another field is unreadable
    spec_problem: str = ""  # names that field

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols to stream while the job is not paused: declared, and not paused themselves."""
        return self.declared - self.paused

    @property
    def effective_interval_seconds(self) -> float:
        """The number of seconds between two writes of one symbol when all symbols tick all the time."""
        round_seconds = len(self.symbols) / self.limits.writes_per_second
        return max(self.limits.min_interval_milliseconds / 1000, round_seconds)


def desired_state(
    job: DeclaredJob, spec: IngestJobSpec, now: datetime, other_switches: Sequence[Switch] = ()
) -> Desired:
    """Return the desired state at `now`.

    `other_switches` are the pause switches outside the IngestJob, such as `INGEST_ENABLED`.
    """
    paused = current_pauses_by_symbol(spec.paused_symbols, now)
    declared = frozenset(spec.symbols)
    switches = (*switches_of_job(job), *other_switches)
    return Desired(
        generation=job.spec_generation,
        pause=pause_in_force(switches, now),
        declared=declared,
        paused=declared & paused.keys(),
        unknown_paused=tuple(sorted(paused.keys() - declared)),
        channels=frozenset(spec.channels),
        dry_run=spec.dry_run,
        limits=spec.limits,
        heartbeat=spec.heartbeat,
        switches=pausing_sources(switches, now),
        auto_stop=spec.auto_stop,
        market_schedule=market_schedule_of_job(spec),
        pause_reasons={symbol: entry.reason for symbol, entry in paused.items()},
        stops_generation=job.metadata.generation,
        spec_problem=job.problem,
    )


def with_pause_for_unreadable_spec(desired: Desired, job: DeclaredJob) -> Desired:
    """Return `desired` with a pause, because the pod could not read any spec of its job yet."""
    paused = with_pause(desired, PauseInForce(source=UNREADABLE_SOURCE, reason=job.problem))
    return msgspec.structs.replace(paused, stops_generation=job.metadata.generation, spec_problem=job.problem)


def with_pause(desired: Desired, pause: PauseInForce) -> Desired:
    """Return the desired state with `pause` in force in place of all other pauses."""
    return msgspec.structs.replace(desired, pause=pause, switches=(pause.source,))


def is_paused_whatever_switches_say(desired: Desired) -> bool:
    """Return True if the job is paused because it is gone, or was not read or not understood."""
    return desired.pause is not None and desired.pause.source in (UNREAD_SOURCE, UNREADABLE_SOURCE, GONE)


def has_applied_switches(desired: Desired, switches: Sequence[Switch]) -> bool:
    """Return True if the pauses in `desired` are those of the IngestJob and of all `switches` outside it."""
    outside = {source for source in desired.switches if not source.startswith(JOB_SOURCE_PREFIX)}
    return outside == {each.source for each in switches if each.pauses}
