"""The state of a job in one word, and how urgently it needs a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from ..contract import remedy_of_failure, remedy_of_reason
from ..text.instants import age_text
from .fields import child, flag, instant, number, objects, text

# From worst to best.
LEVELS = ("needsAction", "degraded", "waiting", "warning", "paused", "running", "finished")
PROBLEMS = ("needsAction", "degraded", "waiting")
# A pod reports at least every 30 s.
SILENT_SECONDS = 45.0

_FAILED_PHASES = ("Degraded", "Blocked", "Failed")
_EXPECTED_REASONS = ("Streaming", "Paused", "ReplayFinished")
_OPERATOR_HINT = "Look whether the operator runs: kubectl get pods -n sluice-system"


class Problem(NamedTuple):
    """Something that is wrong with a job, or limits it: where, what, and what to do (may be empty)."""

    what: str
    message: str
    remedy: str


class State(NamedTuple):
    """The state of a job: one of LEVELS, a word, the reason (empty if the word says it), and sentences."""

    level: str
    word: str
    reason: str
    message: str
    remedy: str
    since: datetime | None


PAUSING = State("waiting", "Pausing", "", "The pod has not acknowledged the pause yet.", "Wait some seconds.", None)


def conditions_by_type(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the conditions of an object."""
    return {text(each, "type"): each for each in objects(document, "status", "conditions")}


def state_of_job(document: dict[str, Any], now: datetime) -> State:
    """Return the state of a job. What the pod reports counts before what the operator concluded from it."""
    conditions = conditions_by_type(document)
    phase = text(document, "status", "phase")
    ready, stalled, paused = (conditions.get(each, {}) for each in ("Ready", "Stalled", "Paused"))
    if not conditions:
        return State("waiting", "New", "", "The operator has not processed the job yet.", _OPERATOR_HINT, None)
    if text(stalled, "status") == "True":
        return _state_of_condition("needsAction", phase, stalled)
    if text(paused, "status") == "False":
        return _state_of_condition("needsAction", "Pausing", paused)
    stream = child(document, "status", "stream")
    acknowledged_at = instant(stream, "pause", "acknowledgedAt")
    if text(paused, "status") == "True" or (text(stream, "state") == "Paused" and acknowledged_at is not None):
        since = acknowledged_at or instant(paused, "lastTransitionTime")
        return State("paused", "Paused", "", text(paused or ready, "message"), "", since)
    if child(stream, "pause"):
        return PAUSING
    return _state_of_unpaused_job(document, conditions, now)


def _state_of_unpaused_job(document: dict[str, Any], conditions: dict[str, dict[str, Any]], now: datetime) -> State:
    phase, ready = text(document, "status", "phase"), conditions.get("Ready", {})
    is_ready = text(ready, "status") == "True"
    heartbeat_at = instant(document, "status", "stream", "heartbeat", "at")
    is_silent = heartbeat_at is not None and (now - heartbeat_at).total_seconds() > SILENT_SECONDS
    if is_ready and phase == "Stopped":
        return State("finished", "Finished", "", text(ready, "message"), "", instant(ready, "lastTransitionTime"))
    if is_silent and (is_ready or text(ready, "reason") == "HeartbeatStale"):
        message = f"The pod has not reported for {age_text(heartbeat_at, now)}."
        return State("degraded", "Silent", "", message, remedy_of_reason("HeartbeatStale"), heartbeat_at)
    if not is_ready:
        return _state_of_condition("degraded" if phase in _FAILED_PHASES else "waiting", phase, ready)
    problems = problems_of_job(document)
    since = live_since(document) or instant(ready, "lastTransitionTime")
    reason = text(ready, "reason")
    word_reason = "" if reason in _EXPECTED_REASONS else reason
    if problems or word_reason:
        first = problems[0] if problems else Problem("", text(ready, "message"), remedy_of_reason(reason))
        return State("warning", phase, word_reason, first.message, first.remedy, since)
    return State("running", phase, "", text(ready, "message"), "", since)


def live_since(document: dict[str, Any]) -> datetime | None:
    """Return when the stream came into its present state, as the pod reports it; None if it does not."""
    stream = child(document, "status", "stream")
    newest = next(iter(objects(stream, "history")), {})
    return instant(newest, "at") if text(newest, "state") == text(stream, "state") else None


def problems_of_job(document: dict[str, Any]) -> tuple[Problem, ...]:
    """Return what is wrong with a job, or limits it, although it streams."""
    stream = child(document, "status", "stream")
    found = [
        Problem(kind, text(each, "message"), remedy_of_reason(text(each, "reason")))
        for kind, each in conditions_by_type(document).items()
        if _is_problem(kind, each)
    ]
    failure = child(stream, "failure")
    if failure:
        found.append(Problem("Failure", text(failure, "message"), remedy_of_failure(text(failure, "type"))))
    for what, field in (("Spec", "specProblem"), ("Pauses", "pauseCheckProblem")):
        if said := text(stream, field):
            found.append(Problem(what, said, ""))
    if stale := number(stream, "freshness", "stale"):
        name, namespace = text(document, "metadata", "name"), text(document, "metadata", "namespace")
        remedy = f"kubectl sluice symbols {name} -n {namespace} --stale"
        found.append(Problem("Symbols", f"{stale} stale", remedy))
    if rejected := number(stream, "symbols", "rejected"):
        found.append(Problem("Symbols", f"{rejected} rejected", remedy_of_reason("SymbolsRejected")))
    distinct: dict[str, Problem] = {}
    for each in found:
        distinct.setdefault(each.message, each)
    return tuple(distinct.values())


def _is_problem(kind: str, condition: dict[str, Any]) -> bool:
    """Return whether a condition besides the summary Ready says that something needs a look."""
    status, reason = text(condition, "status"), text(condition, "reason")
    if kind in ("Ready", "Streaming", "Paused"):
        return False
    if kind in ("Reconciling", "Stalled", "ReplacementPending"):
        return status == "True"
    return status == "False" or reason == "Capped"


def _state_of_condition(level: str, word: str, condition: dict[str, Any]) -> State:
    reason, message = text(condition, "reason"), text(condition, "message")
    shown = "" if reason in (word, f"Pod{word}") else reason
    return State(
        level, word or "Pending", shown, message, remedy_of_reason(reason), instant(condition, "lastTransitionTime")
    )


def is_enabled_dry_run(document: dict[str, Any]) -> bool:
    """Return whether the job writes no quotes, by its spec or by a policy."""
    return bool(flag(document, "spec", "dryRun") or flag(document, "status", "policy", "dryRun"))
