"""A pod's status."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice_devcluster.node.recovery import snapshot_from_status
from sluice_devcluster.node.statuses import (
    ContainerSnapshot,
    PodSnapshot,
    RunningState,
    TerminatedState,
    WaitingState,
    container_status,
    pod_phase,
    pod_status,
)

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=1)
ALWAYS: dict[str, Any] = {"restartPolicy": "Always"}


def ended(code: int) -> TerminatedState:
    return TerminatedState(code, "Completed" if code == 0 else "Error", NOW, NOW)


def one(state: WaitingState | RunningState | TerminatedState, **fields: Any) -> ContainerSnapshot:
    return ContainerSnapshot("main", "image", state, **fields)


def pod(*main: ContainerSnapshot, init: tuple[ContainerSnapshot, ...] = (), deleting: bool = False) -> PodSnapshot:
    return PodSnapshot(init, main, "127.64.0.1", deleting)


def sidecar(state: WaitingState | RunningState | TerminatedState, **fields: Any) -> ContainerSnapshot:
    return ContainerSnapshot("mesh", "image", state, is_sidecar=True, **fields)


SIDECAR = sidecar(RunningState(NOW), started=True, ready=True)
CREATING, RUNNING = one(WaitingState("ContainerCreating")), one(RunningState(NOW), ready=True)


@pytest.mark.parametrize(
    ("snapshot", "policy", "expected"),
    [
        (pod(CREATING), "Always", "Pending"),
        (pod(RUNNING), "Always", "Running"),
        (pod(RUNNING, CREATING), "Always", "Pending"),
        (pod(one(ended(0))), "Always", "Running"),
        (pod(one(WaitingState("CrashLoopBackOff"), last=ended(1))), "Always", "Running"),
        (pod(one(ended(1))), "OnFailure", "Running"),
        (pod(one(ended(0))), "OnFailure", "Succeeded"),
        (pod(one(ended(0))), "Never", "Succeeded"),
        (pod(one(ended(1)), one(ended(0))), "Never", "Failed"),
        (pod(one(ended(1)), RUNNING), "Never", "Running"),
        (pod(CREATING, init=(RUNNING,)), "Always", "Pending"),
        (pod(CREATING, init=(one(ended(1)),)), "Always", "Pending"),
        (pod(CREATING, init=(one(ended(1)),)), "Never", "Failed"),
        (pod(one(ended(0)), deleting=True), "Always", "Succeeded"),
        (pod(one(ended(143)), deleting=True), "Always", "Failed"),
        (pod(RUNNING, deleting=True), "Always", "Running"),
        (pod(CREATING, deleting=True), "Always", "Pending"),
        (pod(CREATING, init=(sidecar(WaitingState("PodInitializing")),)), "Always", "Pending"),
        (pod(CREATING, init=(sidecar(RunningState(NOW)),)), "Always", "Pending"),
        (pod(RUNNING, init=(SIDECAR,)), "OnFailure", "Running"),
        (pod(RUNNING, init=(sidecar(WaitingState("CrashLoopBackOff"), last=ended(1)),)), "OnFailure", "Running"),
        (pod(one(ended(0)), init=(SIDECAR,)), "OnFailure", "Running"),
        (pod(one(ended(0)), init=(sidecar(ended(137)),)), "OnFailure", "Succeeded"),
        (pod(one(ended(0)), init=(SIDECAR,), deleting=True), "OnFailure", "Running"),
        (pod(one(ended(0)), init=(sidecar(ended(143)),), deleting=True), "OnFailure", "Succeeded"),
    ],
)
def test_the_phase_follows_from_the_containers(snapshot: PodSnapshot, policy: str, expected: str) -> None:
    assert pod_phase(snapshot, policy) == expected


def conditions(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["type"]: each for each in status["conditions"]}


def test_an_unready_container_is_named_by_the_condition() -> None:
    found = conditions(pod_status(pod(one(RunningState(NOW))), ALWAYS, {}, NOW))
    assert found["Ready"]["status"] == "False"
    assert found["Ready"]["message"] == "containers with unready status: [main]"
    assert found["Initialized"]["status"] == found["PodScheduled"]["status"] == "True"


def test_a_sidecar_that_has_started_completes_the_initialization_and_counts_for_readiness() -> None:
    unready = sidecar(RunningState(NOW), started=True)
    found = conditions(pod_status(pod(RUNNING, init=(unready,)), ALWAYS, {}, NOW))
    assert found["Initialized"]["status"] == "True"
    assert found["Ready"]["message"] == "containers with unready status: [mesh]"


def test_a_condition_keeps_its_transition_time_until_it_changes() -> None:
    first = pod_status(pod(one(RunningState(NOW))), ALWAYS, {}, NOW)
    second = pod_status(pod(RUNNING), ALWAYS, first, LATER)
    assert conditions(second)["Ready"]["lastTransitionTime"] == "2026-01-02T03:05:05Z"
    assert conditions(second)["Initialized"]["lastTransitionTime"] == "2026-01-02T03:04:05Z"
    assert second["startTime"] == "2026-01-02T03:04:05Z"


def test_an_unchanged_pod_has_an_unchanged_status() -> None:
    first = pod_status(pod(RUNNING), ALWAYS, {}, NOW)
    assert pod_status(pod(RUNNING), ALWAYS, first, LATER) == first


def test_a_pod_that_has_ended_stays_ended() -> None:
    assert pod_status(pod(RUNNING), ALWAYS, {"phase": "Failed"}, NOW)["phase"] == "Failed"


def test_the_previous_exit_of_a_container_is_its_last_state() -> None:
    status = container_status(one(WaitingState("CrashLoopBackOff", "back-off"), last=ended(3), restarts=2))
    assert status["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["restartCount"] == 2


def test_a_container_that_ran_before_the_agent_counts_as_killed() -> None:
    status = container_status(one(RunningState(NOW), container_id="process://1", restarts=4))
    found = snapshot_from_status({"name": "main"}, status, reason="ContainerCreating", now=LATER)
    assert isinstance(found.state, TerminatedState)
    assert (found.state.exit_code, found.state.started_at, found.restarts) == (137, NOW, 4)


def test_a_container_that_never_ran_waits() -> None:
    found = snapshot_from_status({"name": "main"}, None, reason="PodInitializing", now=NOW)
    assert found.state == WaitingState("PodInitializing")
