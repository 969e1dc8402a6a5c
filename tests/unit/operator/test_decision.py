"""Decisions: the order of the checks, and properties of every decision."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_contract import conditions as c
from sluice_contract.status import (
    OPERATOR_FIELDS,
    RUNTIME_FIELDS,
    IngestJobStatus,
    PodRestart,
    StreamState,
    StreamStatus,
)
from sluice_operator.domain import objects, workload
from sluice_operator.domain.actions import CreatePod, DeletePod
from sluice_operator.domain.changes import without_stream_status
from sluice_operator.domain.decision import decide
from sluice_operator.domain.document_claims import DocumentConflict
from sluice_operator.domain.observation import Observation, PodMutation, PodRefusal
from sluice_operator.domain.pod_checks import POD_CHECKS
from sluice_operator.domain.readiness import READINESS_CHECKS

from .fakes import undeclared_reasons
from .world import KEY, NOW, PODS, RUNNING, SYNTHETIC, condition, job_of, pause, said

STATES = list(StreamState.__args__)  # type: ignore[attr-defined]


def test_the_order_of_the_checks_is_pinned() -> None:
    assert [check.__name__ for check in POD_CHECKS] == [
        "finding_if_stop_is_not_confirmed",
        "finding_if_job_is_being_deleted",
        "finding_if_policy_denies_job",
        "finding_if_spec_is_not_understood",
        "finding_if_pod_was_changed",
        "finding_if_pod_is_foreign",
        "finding_if_documents_are_claimed",
        "finding_if_tenant_has_changed",
        "finding_if_tape_is_finished",
        "finding_if_pod_is_terminating",
        "finding_if_pod_is_of_earlier_job",
        "finding_if_platform_denies_spec",
        "finding_if_replacement_is_withheld",
        "finding_if_pod_is_outdated",
        "finding_if_pod_has_ended",
        "finding_if_creation_is_withheld",
        "finding_if_changed_pods_are_retried_later",
        "finding_if_pause_object_covers_job",
        "finding_if_api_server_refused",
        "finding_if_restart_is_not_due",
        "finding_if_pod_is_deleted_early",
        "finding_if_account_is_not_applied",
        "finding_if_pod_is_missing",
    ]
    assert [check.__name__ for check in READINESS_CHECKS] == [
        "verdict_if_job_is_being_deleted",
        "verdict_if_finding_is_stalled",
        "verdict_if_paused_and_nothing_runs",
        "verdict_if_pause_is_pending",
        "verdict_of_pod_finding",
        "verdict_if_pod_does_not_run",
        "verdict_if_heartbeat_is_stale",
        "verdict_if_pod_has_not_reported",
        "verdict_if_pod_does_not_understand_spec",
        "verdict_if_pod_is_paused",
        "verdict_if_changed_spec_waits",
        "verdict_if_generation_is_not_applied",
        "verdict_if_tape_is_finished",
        "verdict_if_stream_is_blocked",
        "verdict_if_another_job_holds_connection",
        "verdict_if_shared_key_is_refused",
        "verdict_if_stream_is_backing_off",
        "verdict_if_sink_is_unhealthy",
        "verdict_if_stream_is_live",
        "verdict_if_no_other_applies",
    ]


def test_operator_and_pod_share_no_field_of_the_status_and_leave_none_out() -> None:
    fields = {field.name for field in msgspec.structs.fields(IngestJobStatus)}
    assert not OPERATOR_FIELDS & RUNTIME_FIELDS
    assert fields == OPERATOR_FIELDS | RUNTIME_FIELDS


def test_the_operator_writes_no_field_of_the_pods() -> None:
    job = msgspec.structs.replace(job_of(SYNTHETIC), status=_status(said("pod-1", 1)))
    decision = decide(Observation(now=NOW, job=job, pod=None))
    assert decision.status is not None
    assert {field for field in RUNTIME_FIELDS if getattr(decision.status, field) is not None} == set()


def test_without_job_and_pod_there_is_nothing_to_do() -> None:
    assert decide(Observation(now=NOW, job=None, pod=None)).step is None


def _streams() -> list[StreamStatus | None]:
    """Return a few hundred possible reports of a pod, and None for no report."""
    found: list[StreamStatus | None] = [None]
    switches = [{}, *(pause(source, done) for source in ("spec.enabled", "start", "api") for done in (True, False))]
    failures = [{}, {"failure": {"type": "auth", "message": "no", "at": NOW.isoformat()}}]
    for state, uid, generation, switch, failure in itertools.product(
        STATES, ("pod-1", "pod-0"), (1, 3), switches, failures
    ):
        block = said(uid, generation) | {"state": state, "sink": {"healthy": generation == 1}} | switch | failure
        found.append(_status(block).stream)
    return found


def _pods() -> list[objects.Pod | None]:
    """Return pods with the job's pod name in every phase (ours, terminating, foreign, unlabelled), and None."""
    document = workload.pod_manifest(job_of(SYNTHETIC), 1, "cold", PODS)
    waiting = {"name": "ingest", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    found: list[objects.Pod | None] = [None, None]
    for phase, change in itertools.product(
        (
            {"phase": "Pending"},
            RUNNING,
            RUNNING,
            {"phase": "Running", "containerStatuses": [waiting]},
            {"phase": "Failed", "reason": "Evicted"},
            {"phase": "Succeeded"},
        ),
        ({}, {}, {"deletionTimestamp": NOW.isoformat()}, {"ownerReferences": []}, {"labels": {}}),
    ):
        meta = document["metadata"] | {"uid": "pod-1", "resourceVersion": "1"} | change
        found.append(objects.decode_pod({"metadata": meta, "status": phase}))
    return found


def _status(stream: dict[str, object]) -> IngestJobStatus:
    return objects.decode_job({"metadata": {"name": KEY[1]}, "spec": SYNTHETIC, "status": {"stream": stream}}).status


CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"enabled": False},
    {"pause": {"until": "2026-03-02T15:05:00Z"}},
    {"pause": {"until": "2026-03-02T14:00:00Z"}},
    {"symbols": ["not a symbol"]},
    {"pausedSymbols": [{"symbol": "SPY"}]},
    {"pause": {"until": []}},
    {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "t"}}}},
    {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}},
)
JOBS = [job_of(SYNTHETIC | change) for change in CHANGES]
# These lists are built once; the strategies draw from them.
STREAMS, PODS_SEEN = _streams(), _pods()
MOMENTS = [NOW, NOW + timedelta(minutes=5), NOW + timedelta(minutes=15)]
RESTARTS = [None, None, PodRestart(count=2, next_at=NOW + timedelta(seconds=40))]
FAILING = PodRefusal("HTTP 500", 1, 3.0, failures=2)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Draw any possible observation of one job."""
    job = draw(st.sampled_from(JOBS))
    status = IngestJobStatus(
        stream=draw(st.sampled_from(STREAMS)),
        epoch=draw(st.sampled_from([None, 1, 2**42])),
        restart=draw(st.sampled_from(RESTARTS)),
    )
    meta = msgspec.structs.replace(
        job.metadata, generation=draw(st.integers(1, 3)), uid=draw(st.sampled_from(["job-1", "job-0"]))
    )
    return Observation(
        now=draw(st.sampled_from(MOMENTS)),
        job=msgspec.structs.replace(job, status=status, metadata=meta),
        pod=draw(st.sampled_from(PODS_SEEN)),
        cold_hash=draw(st.sampled_from(["cold", "cold", "colder"])),
        account_is_applied=draw(st.booleans()),
        heartbeat_age_seconds=draw(st.sampled_from([0.0, 91.0])),
        heartbeat_was_looked_up=draw(st.booleans()),
        pausing_seconds=draw(st.sampled_from([0.0, 11.0, 16.0])),
        confirmed_symbol_pauses=draw(st.sampled_from([frozenset(), frozenset({"SPY"})])),
        last_epoch=draw(st.sampled_from([0, 2**42])),
        refusal=draw(st.sampled_from([None, PodRefusal("quota", 1, 30.0), PodRefusal("quota", 1, 61.0), FAILING])),
        mutation=draw(st.sampled_from([None, None, *(PodMutation("changed.", "pod-1", n, 601.0) for n in (1, 2))])),
        conflict=draw(st.sampled_from([None, None, None, DocumentConflict(("acme", "first"), "quotes", "SPY")])),
        key_is_shared=draw(st.booleans()),
    )


def always(holds: Callable[[Observation], None]) -> Callable[[], None]:
    """Check a property for all observations."""
    tried: Callable[[], None] = settings(max_examples=40, deadline=None)(given(observations())(holds))
    return tried


@always
def test_no_pod_is_created_while_a_pod_object_exists(seen: Observation) -> None:
    assert seen.pod is None or not isinstance(decide(seen).step, CreatePod)


@always
def test_no_pod_is_created_for_a_job_with_a_document_conflict(seen: Observation) -> None:
    assert seen.conflict is None or not isinstance(decide(seen).step, CreatePod)


@always
def test_a_terminating_pod_is_never_deleted_again(seen: Observation) -> None:
    step = decide(seen).step
    going = seen.pod is not None and seen.pod.metadata.deletion_timestamp is not None
    assert not (going and isinstance(step, DeletePod))


@always
def test_a_new_pod_has_a_higher_epoch_which_the_status_gets_only_from_the_pod(seen: Observation) -> None:
    decision = decide(seen)
    if isinstance(decision.step, CreatePod) and seen.job is not None:
        assert decision.step.epoch > max(seen.job.status.epoch or 0, seen.last_epoch)
        assert _after(seen).epoch == seen.job.status.epoch


@always
def test_each_condition_has_a_reason_that_is_declared_for_its_type(seen: Observation) -> None:
    status = decide(seen).status
    assert status is None or undeclared_reasons(status) == []


@always
def test_the_epoch_never_falls(seen: Observation) -> None:
    after = _after(seen)
    assert seen.job is not None
    assert (after.epoch or 0) >= (seen.job.status.epoch or 0)


@always
def test_a_job_is_never_ready_and_stalled_or_ready_and_reconciling(seen: Observation) -> None:
    status = _after(seen)
    if condition(status, c.READY)[0] == "True":
        assert condition(status, c.STALLED) == condition(status, c.RECONCILING) == ("", "")
    else:
        assert (condition(status, c.STALLED) == ("", "")) != (condition(status, c.RECONCILING) == ("", ""))


@always
def test_a_ready_job_has_a_pod_that_applied_the_newest_spec_or_nothing_to_run(seen: Observation) -> None:
    status, job = _after(seen), seen.job
    assert job is not None
    if condition(status, c.READY)[0] == "True" and condition(status, c.PAUSED)[1] != c.NOTHING_CONNECTED:
        assert job.status.stream is not None
        assert job.status.stream.observed_generation >= job.metadata.generation


@always
def test_paused_is_true_only_if_nothing_can_be_written(seen: Observation) -> None:
    reason = condition(_after(seen), c.PAUSED)
    running = (
        seen.pod is not None
        and seen.pod.status == objects.decode_pod({"metadata": _ANY_META, "status": RUNNING}).status
    )
    if reason == ("True", c.NOTHING_CONNECTED):
        assert not running or (seen.pod is not None and not seen.pod.metadata.owner_references)


@always
def test_an_unchanged_status_is_not_written_again(seen: Observation) -> None:
    assert seen.job is not None
    status = msgspec.structs.replace(_after(seen), stream=seen.job.status.stream)
    again = decide(msgspec.structs.replace(seen, job=msgspec.structs.replace(seen.job, status=status)))
    assert again.status is None or isinstance(again.step, CreatePod)
    assert again.transitions == ()


@always
def test_the_exit_of_a_pod_is_counted_once(seen: Observation) -> None:
    assert seen.job is not None
    first = _after(seen)
    status = msgspec.structs.replace(first, stream=seen.job.status.stream)
    again = decide(msgspec.structs.replace(seen, job=msgspec.structs.replace(seen.job, status=status)))
    assert again.status is None or again.status.restart == first.restart


_ANY_META = {"name": "a", "namespace": "b", "uid": "c", "resourceVersion": "1"}


def _after(seen: Observation) -> IngestJobStatus:
    decision = decide(seen)
    assert seen.job is not None
    return decision.status if decision.status is not None else without_stream_status(seen.job.status)
