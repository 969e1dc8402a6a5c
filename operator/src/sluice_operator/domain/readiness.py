"""The checks of readiness, in order. Each returns a verdict if it applies; the first verdict sets condition Ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sluice_contract import conditions as c
from sluice_contract.pause_sentences import pause_clause, sources_of_pause
from sluice_contract.providers import needs_credentials
from sluice_contract.status import Phase, StreamStatus

from . import facts, stops
from .actions import PodFinding, ReadinessVerdict
from .objects import Job
from .observation import Observation
from .pause_evidence import paused_without_pod_message
from .rollout_status import verdict_if_changed_spec_waits
from .slot_sentences import held_by_sentence, shared_key_sentence
from .write_budget import budget_finding

ReadinessCheck = Callable[[Observation, Job, PodFinding | None], ReadinessVerdict | None]

_BLOCKED_REASONS: Final = {
    "auth": c.REFUSED,
    "entitlement": c.NOT_ENTITLED,
    "symbolLimit": c.SYMBOLS_REJECTED,
    "configuration": c.INVALID_SPEC,
    "certificate": c.CERTIFICATE_NOT_TRUSTED,
    "documentConflict": c.DOCUMENT_CONFLICT,
    "policyDenied": c.POLICY_DENIED,
}


def verdict_if_job_is_being_deleted(_: Observation, job: Job, finding: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the job is being deleted, even if a pause is requested."""
    return finding.verdict if finding is not None and stops.job_is_being_deleted(job) else None


def verdict_if_finding_is_stalled(_: Observation, __: Job, finding: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict of the pod checks if it is stalled, even if a pause is requested: the job could not resume."""
    return finding.verdict if finding is not None and finding.verdict.stalled else None


def verdict_if_paused_and_nothing_runs(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict ready if a pause is requested and no container runs: the declared state is reached."""
    if not stops.pause_is_requested(o) or not facts.nothing_can_be_connected(o):
        return None
    return ReadinessVerdict(ready=True, reason=c.PAUSED_REASON, message=paused_without_pod_message(o), phase="Paused")


def verdict_of_pod_finding(_: Observation, __: Job, finding: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict of the pod checks, if one of them applies."""
    return finding.verdict if finding is not None else None


def verdict_if_pod_does_not_run(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the container of the pod does not run yet, or waits for its restart."""
    pod = o.pod
    if pod is None or facts.ingest_container_is_running(pod):
        return None
    if obstacle := facts.start_obstacle(pod):
        return ReadinessVerdict(reason=c.POD_UNSTARTABLE, message=f"The pod cannot start: {obstacle}", phase="Pending")
    if facts.container_waits_for_restart(pod):
        message = f"The container keeps exiting: {facts.exit_description(pod)}"
        return ReadinessVerdict(reason=c.POD_CRASHING, message=message, phase="Degraded")
    return ReadinessVerdict(reason=c.POD_PENDING, message="The pod exists but does not run yet.", phase="Pending")


def verdict_if_heartbeat_is_stale(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the pod runs but no longer reports: its last report may be outdated."""
    if not facts.heartbeat_is_stale(o):
        return None
    message = (
        f"The pod runs, but has not reported for {facts.HEARTBEAT_LIMIT_SECONDS:.0f} s: it is cut off or frozen, or "
        f"its status writes are refused (by a webhook, a policy, or a missing RoleBinding). See the log of the pod."
    )
    return ReadinessVerdict(reason=c.HEARTBEAT_STALE, message=message, phase="Degraded")


def verdict_if_pause_is_pending(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the pod has not confirmed a requested pause: it may still be connected."""
    if not stops.pause_is_pending(o):
        return None
    return ReadinessVerdict(
        reason=c.PAUSING, message="A pause is requested, but the pod has not confirmed it yet.", phase="Pausing"
    )


def verdict_if_pod_has_not_reported(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the current pod has not reported yet. All later checks need its report."""
    if o.report_of_current_pod is not None:
        return None
    return ReadinessVerdict(reason=c.POD_STARTING, message="The pod runs but has not reported yet.", phase="Starting")


def verdict_if_pod_does_not_understand_spec(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the pod does not understand the spec.

    The pod keeps its last spec, and obeys each stop.
    """
    report = o.report_of_current_pod
    if report is None or not report.spec_problem:
        return None
    paused = report.pause is not None and report.pause.acknowledged_at is not None
    message = f"The pod reports: {report.spec_problem}. Correct the field, or upgrade the runtime."
    phase: Phase = "Paused" if paused else "Degraded"
    return ReadinessVerdict(reason=c.SPEC_NOT_UNDERSTOOD, message=message, phase=phase, stalled=True)


def verdict_if_pod_is_paused(o: Observation, job: Job, _: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict ready if the pod has confirmed a pause, not ready while it is closing for one.

    A confirmed pause means that the connections are closed and the writes are flushed.
    """
    report, pause = o.report_of_current_pod, stops.pause_reported_by_pod(o)
    if report is None or pause is None or not stops.stops_are_applied(job, report):
        return None
    clause = pause_clause(sources_of_pause(pause), o.now)
    if pause.acknowledged_at is None:
        return ReadinessVerdict(
            reason=c.PAUSING, message=f"Paused by {clause}. The stream is closing.", phase="Pausing"
        )
    message = f"Paused by {clause}. No quotes are written."
    return ReadinessVerdict(ready=True, reason=c.PAUSED_REASON, message=message, phase="Paused")


def verdict_if_generation_is_not_applied(o: Observation, job: Job, _: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the pod still streams according to an older generation of the spec."""
    report = o.report_of_current_pod
    if report is None or facts.generation_is_applied(job, report):
        return None
    message = f"The pod has applied generation {report.observed_generation} of {job.metadata.generation}."
    return ReadinessVerdict(
        reason=c.APPLYING_SPEC, message=message, phase="Running" if report.state == "Live" else "Starting"
    )


def verdict_if_tape_is_finished(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict ready if the pod still exists and reports that it has streamed its tape to the end."""
    report = o.report_of_current_pod
    if report is None or report.state != "Finished":
        return None
    return ReadinessVerdict(
        ready=True, reason=c.REPLAY_FINISHED, message="The tape was streamed to its end.", phase="Stopped"
    )


def verdict_if_stream_is_blocked(o: Observation, job: Job, _: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the pod no longer tries to connect, because a person has to act."""
    report = o.report_of_current_pod
    if report is None or report.state != "Blocked":
        return None
    failure = report.failure
    reason = _BLOCKED_REASONS.get(failure.type, c.BACKING_OFF) if failure is not None else c.BACKING_OFF
    if reason == c.INVALID_SPEC and job.spec is not None and needs_credentials(job.spec):
        reason = c.MISSING
    return ReadinessVerdict(reason=reason, message=_failure_message(report), phase="Blocked", stalled=True)


def verdict_if_another_job_holds_connection(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the pod waits for the connection slot, which another job holds."""
    report = o.report_of_current_pod
    if report is None or report.state == "Live" or (message := held_by_sentence(report)) is None:
        return None
    return ReadinessVerdict(reason=c.HELD_BY, message=message, phase="Starting")


def verdict_if_shared_key_is_refused(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the provider refuses the connection while another namespace uses the key."""
    report, message = o.report_of_current_pod, shared_key_sentence(o)
    if report is None or report.state != "BackingOff" or message is None:
        return None
    if report.failure is None or report.failure.type != "connectionLimit":
        return None
    return ReadinessVerdict(reason=c.KEY_SHARED, message=message, phase="Degraded")


def verdict_if_stream_is_backing_off(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if the connection failed and the pod is waiting to retry it."""
    report = o.report_of_current_pod
    if report is None or report.state != "BackingOff":
        return None
    return ReadinessVerdict(reason=c.BACKING_OFF, message=_failure_message(report), phase="Degraded")


def verdict_if_sink_is_unhealthy(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready if quotes arrive but Firestore does not accept the writes."""
    report = o.report_of_current_pod
    if report is None or report.state != "Live" or report.sink.healthy:
        return None
    message = report.sink.message or "Firestore does not accept the writes. See the log of the pod."
    return ReadinessVerdict(reason=c.SINK_UNHEALTHY, message=message, phase="Degraded")


def verdict_if_stream_is_live(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict ready if the stream is live and the provider has accepted or rejected every symbol."""
    report = o.report_of_current_pod
    if report is None or report.state != "Live" or not facts.symbols_are_settled(report):
        return None
    if report.symbols.rejected:
        message = f"{report.symbols.live} symbols stream; the provider rejects {report.symbols.rejected}."
        return ReadinessVerdict(ready=True, reason=c.SYMBOLS_REJECTED, message=message, phase="Degraded")
    if report.failure is not None:
        message = f"{facts.symbol_counts_sentence(report)} {_failure_message(report)}"
        return ReadinessVerdict(ready=True, reason=c.PROVIDER_DEGRADED, message=message, phase="Degraded")
    finding = budget_finding(report)
    if finding is not None and finding.reason == c.BUDGET_SLOWED:
        message = f"{facts.symbol_counts_sentence(report)} {finding.message}"
        return ReadinessVerdict(ready=True, reason=c.WRITE_BUDGET_SLOWED, message=message, phase="Running")
    return ReadinessVerdict(
        ready=True, reason=c.STREAMING_REASON, message=facts.symbol_counts_sentence(report), phase="Running"
    )


def verdict_if_no_other_applies(o: Observation, _: Job, __: PodFinding | None) -> ReadinessVerdict | None:
    """Return the verdict not ready because the stream is still connecting. This last check always applies."""
    report = o.report_of_current_pod
    state = report.state if report is not None else "unknown"
    return ReadinessVerdict(
        reason=c.CONNECTING, message=f"The stream is not live yet (state {state}).", phase="Starting"
    )


READINESS_CHECKS: Final[tuple[ReadinessCheck, ...]] = (
    verdict_if_job_is_being_deleted,
    verdict_if_finding_is_stalled,
    verdict_if_paused_and_nothing_runs,
    verdict_if_pause_is_pending,
    verdict_of_pod_finding,
    verdict_if_pod_does_not_run,
    verdict_if_heartbeat_is_stale,
    verdict_if_pod_has_not_reported,
    verdict_if_pod_does_not_understand_spec,
    verdict_if_pod_is_paused,
    verdict_if_changed_spec_waits,
    verdict_if_generation_is_not_applied,
    verdict_if_tape_is_finished,
    verdict_if_stream_is_blocked,
    verdict_if_another_job_holds_connection,
    verdict_if_shared_key_is_refused,
    verdict_if_stream_is_backing_off,
    verdict_if_sink_is_unhealthy,
    verdict_if_stream_is_live,
    verdict_if_no_other_applies,
)


def first_verdict(observation: Observation, job: Job, finding: PodFinding | None) -> ReadinessVerdict:
    """Return the verdict of the first readiness check that applies. The last check always applies."""
    return next(report for check in READINESS_CHECKS if (report := check(observation, job, finding)) is not None)


def _failure_message(report: StreamStatus) -> str:
    return report.failure.message if report.failure is not None else "The pod gives no reason. See the log of the pod."
