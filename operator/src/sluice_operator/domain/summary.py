"""The conditions: each fact on its own, then what they come to."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract.status import Condition

from . import checks, stops
from .objects import Job
from .observation import Observation
from .readiness import credentials_are_needed
from .verdict import Transition, Verdict

_TELLING: Final = (c.READY, c.PAUSED, c.CREDENTIALS_VALID, c.SINK_HEALTHY, c.CONNECTION_SLOT_ACQUIRED, c.STALLED)
_GOOD_UNLESS_TOLD: Final = (c.CREDENTIALS_VALID, c.SINK_HEALTHY, c.CONNECTION_SLOT_ACQUIRED)
_CREDENTIAL_FAILURES: Final = {
    "auth": c.REFUSED,
    "entitlement": c.NOT_ENTITLED,
    "configuration": c.MISSING,
}
_CREDENTIALS_WERE_TAKEN: Final = ("Subscribing", "Live", "Finished")


class Fact(msgspec.Struct, frozen=True):
    """A condition before it has a time."""

    type: str
    status: str
    reason: str
    message: str


def conditions(observation: Observation, job: Job, verdict: Verdict) -> list[Condition]:
    """All conditions in their fixed order, each with the time of its last flip."""
    facts = (
        Fact(c.READY, "True" if verdict.ready else "False", verdict.reason, verdict.message),
        paused(observation, job),
        streaming(observation, verdict),
        credentials_valid(observation, job),
        sink_healthy(observation),
        connection_slot(observation),
        reconciling(verdict),
        stalled(verdict),
    )
    earlier = {each.type: each for each in job.status.conditions}
    return [_dated(fact, earlier.get(fact.type), observation.now, job) for fact in facts if fact is not None]


def paused(o: Observation, job: Job) -> Fact | None:
    """The Paused condition: True once nothing is connected and nothing more is written.

    Absent while no pause is requested, and for the first 10 s of a pause that is not confirmed.
    """
    requested = stops.pause_is_requested(job, o.now)
    if requested and checks.nothing_can_be_connected(o):
        return Fact(c.PAUSED, "True", c.NOTHING_CONNECTED, "No pod runs, so nothing is connected.")
    if requested and stops.pause_is_pending(o):
        if o.pausing_seconds < stops.CONFIRMATION_SECONDS:
            return None
        return Fact(c.PAUSED, "False", c.NOT_ACKNOWLEDGED, _unconfirmed_words(o))
    pause = stops.pause_of_the_pod(o)
    if pause is None or pause.acknowledged_at is None:
        return None
    since = f"{pause.acknowledged_at:%Y-%m-%dT%H:%M:%SZ}"
    return Fact(c.PAUSED, "True", c.PAUSED_REASON, f"Paused by {pause.source} since {since}.")


def _unconfirmed_words(o: Observation) -> str:
    """Say what the operator does about it, or since when its deletion has had no effect."""
    going_since = o.pod.metadata.deletion_timestamp if o.pod is not None else None
    if going_since is None:
        return (
            f"The pod has not confirmed the pause and may still be connected. The operator deletes it "
            f"{stops.ENFORCEMENT_SECONDS:.0f} s after the pause."
        )
    return (
        f"The pod has not confirmed the pause and is deleted, but its object is still there; its grace period ended or "
        f"ends at {going_since:%Y-%m-%dT%H:%M:%SZ}. It may still be connected: see whether its node is reachable."
    )


def streaming(o: Observation, verdict: Verdict) -> Fact:
    """What the pod says of its connection; Unknown when it no longer says anything."""
    said = checks.stream(o)
    if said is None or not checks.pod_is_running(o.pod):
        return Fact(c.STREAMING, "False", verdict.reason, verdict.message)
    if checks.heartbeat_is_stale(o):
        return Fact(c.STREAMING, "Unknown", c.HEARTBEAT_STALE, f"It was {said.state} when the pod last reported.")
    if said.state == "Live" and checks.symbols_are_settled(said):
        reason = c.SYMBOLS_REJECTED if said.symbols.rejected else c.STREAMING_REASON
        return Fact(c.STREAMING, "True", reason, checks.symbols_words(said))
    reason = verdict.reason if not verdict.ready or said.state in ("Paused", "Finished") else c.CONNECTING
    return Fact(c.STREAMING, "False", reason, f"The stream is {said.state}.")


def credentials_valid(o: Observation, job: Job) -> Fact:
    """What the provider last said of them. Kept while the same pod reconnects."""
    if job.spec is not None and not credentials_are_needed(job):
        return Fact(c.CREDENTIALS_VALID, "True", c.NOT_NEEDED, f"Provider {job.spec.provider} needs none here.")
    said = checks.stream(o)
    if said is None:
        return Fact(c.CREDENTIALS_VALID, "Unknown", c.NOT_CHECKED, "No connection was tried yet.")
    if said.failure is not None and said.failure.type in _CREDENTIAL_FAILURES:
        return Fact(c.CREDENTIALS_VALID, "False", _CREDENTIAL_FAILURES[said.failure.type], said.failure.message)
    if said.state in _CREDENTIALS_WERE_TAKEN:
        return Fact(c.CREDENTIALS_VALID, "True", c.ACCEPTED, "The provider accepted them.")
    earlier = next((each for each in job.status.conditions if each.type == c.CREDENTIALS_VALID), None)
    if earlier is not None and earlier.reason in (c.ACCEPTED, *_CREDENTIAL_FAILURES.values()):
        return Fact(c.CREDENTIALS_VALID, earlier.status, earlier.reason, earlier.message)
    return Fact(c.CREDENTIALS_VALID, "Unknown", c.NOT_CHECKED, "No connection was tried yet.")


def sink_healthy(o: Observation) -> Fact:
    """How the last write to Firestore went."""
    said = checks.stream(o)
    if said is not None and not said.sink.healthy:
        message = said.sink.message or "Firestore does not take the writes."
        return Fact(c.SINK_HEALTHY, "False", c.WRITES_FAILING, message)
    if said is None or said.sink.last_write_at is None:
        return Fact(c.SINK_HEALTHY, "Unknown", c.NO_WRITES_YET, "No quote has been written yet.")
    return Fact(c.SINK_HEALTHY, "True", c.WRITES_ACCEPTED, "Firestore takes the writes.")


def connection_slot(o: Observation) -> Fact | None:
    """Who has the one connection that these credentials or this client id allow. Absent where nobody asked for it."""
    said = checks.stream(o)
    if said is None or said.slot is None:
        return None
    if said.slot.acquired:
        return Fact(c.CONNECTION_SLOT_ACQUIRED, "True", c.SLOT_ACQUIRED, "The connection is this job's.")
    message = (
        f"Job {said.slot.holder} of this namespace has the one connection that these credentials and this feed (or "
        f"this client id) allow: pause it, or give this job its own."
    )
    return Fact(c.CONNECTION_SLOT_ACQUIRED, "False", c.HELD_BY, message)


def reconciling(verdict: Verdict) -> Fact | None:
    """Not there yet, and nobody needs to act."""
    if verdict.ready or verdict.stalled:
        return None
    return Fact(c.RECONCILING, "True", verdict.reason, verdict.message)


def stalled(verdict: Verdict) -> Fact | None:
    """Not there, and somebody has to act."""
    return Fact(c.STALLED, "True", verdict.reason, verdict.message) if verdict.stalled else None


def transitions(before: list[Condition], after: list[Condition]) -> tuple[Transition, ...]:
    """The telling conditions whose status changed, one a reason: Ready and Stalled say the same thing once.

    A tape that was streamed to its end leaves Ready True, and is told all the same.
    """
    earlier = {each.type: each for each in before}
    found: dict[str, Transition] = {}
    for condition in after:
        was = earlier.get(condition.type)
        known = was.status if was is not None else None
        is_other = condition.status != known or (condition.reason == c.REPLAY_FINISHED != (was and was.reason))
        # Of what is good unless told otherwise, only the bad is told, and its end; to know nothing is no news, nor is
        # what each change of a spec brings: the few events that a job may have are for what it leads to.
        expected = condition.type in _GOOD_UNLESS_TOLD and condition.status == "True" and known != "False"
        silent = expected or condition.status == "Unknown" or condition.reason == c.APPLYING_SPEC
        if condition.type in _TELLING and is_other and not silent:
            warning = condition.type == c.STALLED or (condition.status == "False" and condition.type != c.READY)
            if condition.reason not in found or warning:
                found[condition.reason] = Transition(condition, warning)
    return tuple(found.values())


def _dated(fact: Fact, earlier: Condition | None, now: datetime, job: Job) -> Condition:
    flipped = earlier is None or earlier.status != fact.status
    return Condition(
        type=fact.type,
        status=fact.status,
        reason=fact.reason,
        message=fact.message[:32768],
        # Whole seconds, as metav1.Time has them.
        last_transition_time=now.replace(microsecond=0) if earlier is None or flipped else earlier.last_transition_time,
        observed_generation=job.metadata.generation,
    )
