"""The conditions in the status of a job."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract.pause_sentences import pause_clause, sources_of_pause
from sluice_contract.providers import needs_credentials
from sluice_contract.status import Condition, StreamStatus
from sluice_contract.symbol_duplicates import duplicates_sentence

from . import facts, stops
from .actions import ReadinessVerdict
from .data_warnings import warnings_about_data
from .objects import Job
from .observation import Observation
from .pause_evidence import paused_without_pod_message
from .slot_sentences import held_by_sentence, shared_key_sentence
from .write_budget import budget_finding

_CREDENTIAL_FAILURES: Final = {
    "auth": c.REFUSED,
    "entitlement": c.NOT_ENTITLED,
    "configuration": c.MISSING,
}
_STATES_WITH_ACCEPTED_CREDENTIALS: Final = ("Subscribing", "Live", "Finished")


class UndatedCondition(msgspec.Struct, frozen=True):
    """A condition without its transition time and generation."""

    type: str
    status: str
    reason: str
    message: str


_CREDENTIALS_ACCEPTED: Final = UndatedCondition(
    c.CREDENTIALS_VALID, "True", c.ACCEPTED, "The provider accepted the credentials."
)
_CREDENTIALS_UNKNOWN: Final = UndatedCondition(
    c.CREDENTIALS_VALID, "Unknown", c.NOT_CHECKED, "No connection has been tried yet."
)


def conditions_of_job(
    observation: Observation, job: Job, verdict: ReadinessVerdict, pending_replacement: UndatedCondition | None = None
) -> list[Condition]:
    """Return all conditions of the job, in a fixed order. Each has the time at which its status last changed.

    `pending_replacement` is condition ReplacementPending, if the job has it.
    """
    undated = (
        ready_condition(job, verdict),
        paused_condition(observation, job),
        streaming_condition(observation, verdict),
        credentials_condition(observation, job),
        sink_condition(observation),
        connection_slot_condition(observation),
        policy_condition(observation),
        write_budget_condition(observation),
        reconciling_condition(verdict),
        stalled_condition(verdict),
        pending_replacement,
    )
    earlier = {each.type: each for each in job.status.conditions}
    return [
        _with_transition_time_and_generation(condition, earlier.get(condition.type), observation.now, job)
        for condition in undated
        if condition is not None
    ]


def ready_condition(job: Job, verdict: ReadinessVerdict) -> UndatedCondition:
    """Return the Ready condition. Its message also names ignored variables of `spec.pod.env` and duplicate symbols."""
    message = verdict.message
    if job.ignored_variables:
        message += (
            f" spec.pod.env sets {', '.join(job.ignored_variables)}, which is ignored: the proxy comes from the "
            "operator's settings. Remove it from spec.pod.env."
        )
    if job.duplicate_symbols:
        message += f" {duplicates_sentence(job.duplicate_symbols)}"
    return UndatedCondition(c.READY, "True" if verdict.ready else "False", verdict.reason, message)


def paused_condition(o: Observation, job: Job) -> UndatedCondition | None:
    """Return the Paused condition: True once nothing is connected and nothing more is written.

    Return None while no pause is requested, and for the first 10 s of an unconfirmed pause.
    """
    requested = stops.pause_is_requested(o)
    if requested and facts.nothing_can_be_connected(o):
        return UndatedCondition(c.PAUSED, "True", c.NOTHING_CONNECTED, paused_without_pod_message(o))
    if requested and stops.pause_is_pending(o):
        if o.pausing_seconds < stops.CONFIRMATION_SECONDS:
            return None
        return UndatedCondition(c.PAUSED, "False", c.NOT_ACKNOWLEDGED, _unconfirmed_pause_message(o))
    pause = stops.pause_reported_by_pod(o)
    if pause is None or pause.acknowledged_at is None:
        return None
    clause = pause_clause(sources_of_pause(pause), o.now)
    return UndatedCondition(c.PAUSED, "True", c.PAUSED_REASON, f"Paused by {clause}.")


def _unconfirmed_pause_message(o: Observation) -> str:
    """Return the message about an unconfirmed pause: when the pod is deleted, or that the deleted pod still exists."""
    going_since = o.pod.metadata.deletion_timestamp if o.pod is not None else None
    if going_since is None:
        return (
            f"The pod has not confirmed the pause and may still be connected. The operator deletes it "
            f"{stops.ENFORCEMENT_SECONDS:.0f} s after the pause."
        )
    return (
        f"The pod has not confirmed the pause and was deleted, but its object still exists; its grace period ended or "
        f"ends at {going_since:%Y-%m-%dT%H:%M:%SZ}. It may still be connected: check whether its node is reachable."
    )


def streaming_condition(o: Observation, verdict: ReadinessVerdict) -> UndatedCondition:
    """Return the Streaming condition: the state that the pod reports; Unknown if the pod no longer reports."""
    report = o.report_of_current_pod
    if report is None or not facts.ingest_container_is_running(o.pod):
        return UndatedCondition(c.STREAMING, "False", verdict.reason, verdict.message)
    if facts.heartbeat_is_stale(o):
        return UndatedCondition(
            c.STREAMING, "Unknown", c.HEARTBEAT_STALE, f"The stream was {report.state} when the pod last reported."
        )
    if report.state == "Live" and facts.symbols_are_settled(report):
        reason = c.SYMBOLS_REJECTED if report.symbols.rejected else c.STREAMING_REASON
        message = " ".join((facts.symbol_counts_sentence(report), *warnings_about_data(report)))
        return UndatedCondition(c.STREAMING, "True", reason, message)
    reason = verdict.reason if not verdict.ready or report.state in ("Paused", "Finished") else c.CONNECTING
    return UndatedCondition(c.STREAMING, "False", reason, f"The stream is {report.state}.")


def credentials_condition(o: Observation, job: Job) -> UndatedCondition:
    """Return the CredentialsValid condition: whether the provider accepted the credentials in its last answer.

    It is True if no credentials are needed, Unknown before the first answer, and kept while the pod reconnects.
    """
    if job.spec is not None and not needs_credentials(job.spec):
        return UndatedCondition(
            c.CREDENTIALS_VALID, "True", c.NOT_NEEDED, f"Provider {job.spec.provider} needs no credentials here."
        )
    report = o.report_of_current_pod
    reported = _reported_credentials_condition(report) if report is not None else _CREDENTIALS_UNKNOWN
    if reported is not None:
        return reported
    earlier = next((each for each in job.status.conditions if each.type == c.CREDENTIALS_VALID), None)
    if earlier is not None and earlier.reason in (c.ACCEPTED, *_CREDENTIAL_FAILURES.values()):
        return UndatedCondition(c.CREDENTIALS_VALID, earlier.status, earlier.reason, earlier.message)
    return _CREDENTIALS_ACCEPTED if report is not None and report.credentials_generation else _CREDENTIALS_UNKNOWN


def _reported_credentials_condition(report: StreamStatus) -> UndatedCondition | None:
    """Return the CredentialsValid condition that the pod's report shows; None if it shows none."""
    failure = report.failure
    if failure is not None and failure.type in _CREDENTIAL_FAILURES:
        return UndatedCondition(c.CREDENTIALS_VALID, "False", _CREDENTIAL_FAILURES[failure.type], failure.message)
    if report.credentials_problem is not None:
        return UndatedCondition(c.CREDENTIALS_VALID, "False", c.NEW_REFUSED, report.credentials_problem)
    if report.state in _STATES_WITH_ACCEPTED_CREDENTIALS:
        return _CREDENTIALS_ACCEPTED
    return None


def sink_condition(o: Observation) -> UndatedCondition:
    """Return the SinkHealthy condition: whether Firestore accepts writes; Unknown before the first result."""
    report = o.report_of_current_pod
    if report is not None and not report.sink.healthy:
        message = report.sink.message or "Firestore does not accept the writes. See the log of the pod."
        return UndatedCondition(c.SINK_HEALTHY, "False", c.WRITES_FAILING, message)
    if report is None or report.sink.last_write_at is None:
        return UndatedCondition(c.SINK_HEALTHY, "Unknown", c.NO_WRITES_YET, "No quote has been written yet.")
    return UndatedCondition(c.SINK_HEALTHY, "True", c.WRITES_ACCEPTED, "Firestore accepts the writes.")


def connection_slot_condition(o: Observation) -> UndatedCondition | None:
    """Return the ConnectionSlotAcquired condition; None if the job does not need a connection slot."""
    report = o.report_of_current_pod
    if report is None or report.slot is None:
        return None
    if (message := held_by_sentence(report)) is not None:
        return UndatedCondition(c.CONNECTION_SLOT_ACQUIRED, "False", c.HELD_BY, message)
    if (message := shared_key_sentence(o)) is not None:
        return UndatedCondition(c.CONNECTION_SLOT_ACQUIRED, "False", c.KEY_SHARED, message)
    return UndatedCondition(c.CONNECTION_SLOT_ACQUIRED, "True", c.SLOT_ACQUIRED, "This job holds the connection.")


def policy_condition(o: Observation) -> UndatedCondition | None:
    """Return the PolicyCompliant condition; None if no policy selects the namespace of the job."""
    verdict = o.policy_verdict
    if verdict is None:
        return None
    return UndatedCondition(c.POLICY_COMPLIANT, verdict.status, verdict.reason, verdict.message)


def write_budget_condition(o: Observation) -> UndatedCondition | None:
    """Return the WriteBudgetAvailable condition; None if the pod reports no daily write budget."""
    found = budget_finding(o.report_of_current_pod)
    return UndatedCondition(c.WRITE_BUDGET_AVAILABLE, found.status, found.reason, found.message) if found else None


def reconciling_condition(verdict: ReadinessVerdict) -> UndatedCondition | None:
    """Return the Reconciling condition if the declared state is not reached yet and no person has to act, or None."""
    if verdict.ready or verdict.stalled:
        return None
    return UndatedCondition(c.RECONCILING, "True", verdict.reason, verdict.message)


def stalled_condition(verdict: ReadinessVerdict) -> UndatedCondition | None:
    """Return the Stalled condition if the declared state is not reached and a person has to act, or None."""
    return UndatedCondition(c.STALLED, "True", verdict.reason, verdict.message) if verdict.stalled else None


def _with_transition_time_and_generation(
    condition: UndatedCondition, earlier: Condition | None, now: datetime, job: Job
) -> Condition:
    flipped = earlier is None or earlier.status != condition.status
    return Condition(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        # Whole seconds, like metav1.Time.
        last_transition_time=now.replace(microsecond=0) if earlier is None or flipped else earlier.last_transition_time,
        observed_generation=job.metadata.generation,
    )
