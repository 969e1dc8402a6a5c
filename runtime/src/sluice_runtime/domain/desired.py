"""The desired state of the pod: the job's hot fields, evaluated at one instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from sluice_contract.identity import UNREAD_SOURCE, UNREADABLE_SOURCE
from sluice_contract.limits import WriteLimits
from sluice_contract.spec import AutoStopLimits, Channel, HeartbeatSettings, IngestJobSpec

from .declared_job import DeclaredJob
from .effective_limits import effective_limits
from .market_hours import UNKNOWN_HOURS, MarketSchedule, regular_and_extended_hours_of_job
from .pause import (
    GONE,
    PauseInForce,
    Switch,
    SymbolPause,
    current_pauses_by_symbol,
    pause_in_force,
    switches_of_job,
)
from .pause_objects import NOTHING_OUTSIDE, OutsideSwitches, switches_of_pauses, symbol_pauses_in_force

# The injected copy of the job may be older than a pause, so the pod waits until it has read the live job.
UNREAD = PauseInForce(source=UNREAD_SOURCE, reason="the job has not been read yet")
# The job is known, but not the pause objects that may concern it. It is no switch: it is in force only without others.
UNREAD_OBJECTS = PauseInForce(source=UNREAD_SOURCE, reason="the pauses of the job have not been read yet")
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
    auto_stop: AutoStopLimits | None = None
    market_schedule: MarketSchedule = UNKNOWN_HOURS
    symbol_pauses: dict[str, SymbolPause] = {}  # what pauses each of `paused`
    pod_switches: tuple[Switch, ...] = ()  # outside the IngestJob and all pause objects, with which this was computed
    pause_check_problem: str = ""  # why pause objects cannot be read
    stops_generation: int = 0  # of the stop fields; ahead of `generation` while another field is unreadable
    spec_problem: str = ""  # names that field
    denied: str = ""  # why a policy denies the job, so that nothing is streamed; a denial is not a pause

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols to stream while the job is not paused: declared, and not paused themselves."""
        return self.declared - self.paused

    @property
    def switches(self) -> tuple[str, ...]:
        """The sources of all switches that pause the job, in the order of authority."""
        return self.pause.source_names if self.pause is not None else ()

    @property
    def effective_interval_seconds(self) -> float:
        """The number of seconds between two writes of one symbol when all symbols tick all the time."""
        round_seconds = len(self.symbols) / self.limits.writes_per_second
        return max(self.limits.min_interval_milliseconds / 1000, round_seconds)


def desired_state(
    job: DeclaredJob,
    spec: IngestJobSpec,
    now: datetime,
    outside: OutsideSwitches = NOTHING_OUTSIDE,
    market_hours: Callable[[IngestJobSpec], MarketSchedule] = regular_and_extended_hours_of_job,
) -> Desired:
    """Return the desired state at `now`.

    `outside` can pause the job as well, such as `INGEST_ENABLED` and pause objects. `market_hours` returns the hours of
    the provider's market for a spec.
    """
    labels = job.metadata.labels
    paused_by_spec = current_pauses_by_symbol(spec.paused_symbols, now)
    paused = paused_by_spec | symbol_pauses_in_force(outside.pauses, labels, now)
    declared = frozenset(spec.symbols)
    switches = (*switches_of_job(job), *switches_of_pauses(outside.pauses, labels), *outside.of_pod)
    policy = job.policy
    return Desired(
        generation=job.spec_generation,
        pause=pause_in_force(switches, now) or (None if outside.pauses.are_read else UNREAD_OBJECTS),
        declared=declared,
        paused=declared & paused.keys(),
        unknown_paused=tuple(sorted(paused_by_spec.keys() - declared)),
        channels=frozenset(spec.channels),
        dry_run=spec.dry_run or bool(policy is not None and policy.dry_run),
        limits=effective_limits(spec.limits, policy),
        heartbeat=spec.heartbeat,
        auto_stop=spec.auto_stop,
        market_schedule=market_hours(spec),
        symbol_pauses={symbol: pause for symbol, pause in paused.items() if symbol in declared},
        pod_switches=outside.of_pod,
        pause_check_problem=outside.pauses.problem,
        stops_generation=job.metadata.generation,
        spec_problem=job.problem,
        denied=(policy.denied or "") if policy is not None else "",
    )


def with_pause_for_unreadable_spec(
    desired: Desired,
    job: DeclaredJob,
    now: datetime,
    outside: OutsideSwitches = NOTHING_OUTSIDE,
) -> Desired:
    """Return `desired` with a pause, because the pod could not read any spec of its job yet.

    The other arguments are those of `desired_state`: they may pause the job as well.
    """
    unreadable = Switch(source=UNREADABLE_SOURCE, pauses=True, reason=job.problem)
    of_objects = switches_of_pauses(outside.pauses, job.metadata.labels)
    return msgspec.structs.replace(
        desired,
        pause=pause_in_force((unreadable, *switches_of_job(job), *of_objects, *outside.of_pod), now),
        stops_generation=job.metadata.generation,
        spec_problem=job.problem,
        pod_switches=outside.of_pod,
        pause_check_problem=outside.pauses.problem,
    )


def with_pause(desired: Desired, pause: PauseInForce) -> Desired:
    """Return the desired state with `pause` in force in place of all other pauses."""
    return msgspec.structs.replace(desired, pause=pause)


def is_unread(pause: PauseInForce | None) -> bool:
    """Return whether the job is paused only because the job, or its pause objects, have not been read yet."""
    return pause is not None and pause.source == UNREAD_SOURCE


def is_paused_whatever_switches_say(desired: Desired) -> bool:
    """Return True if the job is paused because it is gone, or was not read or not understood."""
    return desired.pause is not None and desired.pause.source in (UNREAD_SOURCE, UNREADABLE_SOURCE, GONE)


def has_applied_switches(desired: Desired, switches: Sequence[Switch]) -> bool:
    """Return True if `desired` was computed with exactly these switches outside the IngestJob."""
    return desired.pod_switches == tuple(switches)
