"""The status of a pod, computed by pure functions from the states of its containers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sluice_devcluster.api import Json
from sluice_devcluster.node.addresses import HOST
from sluice_devcluster.node.restarts import is_restarted

TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True)
class WaitingState:
    """The state of a container that does not run: a reason in one word, and a sentence."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class RunningState:
    """The state of a container that has been running since `started_at` (UTC)."""

    started_at: dt.datetime


@dataclass(frozen=True)
class TerminatedState:
    """The state of an ended container: exit code (128 plus the number of a signal), reason, and times in UTC."""

    exit_code: int
    reason: str
    started_at: dt.datetime
    finished_at: dt.datetime
    container_id: str = ""
    message: str = ""


@dataclass(frozen=True)
class ContainerSnapshot:
    """The state of one container at one moment."""

    name: str
    image: str
    state: WaitingState | RunningState | TerminatedState
    last: TerminatedState | None = None
    restarts: int = 0
    started: bool = False
    ready: bool = False
    container_id: str = ""
    is_sidecar: bool = False


@dataclass(frozen=True)
class PodSnapshot:
    """The states of a pod's containers at one moment; if `deleting`, none of them starts again."""

    init: Sequence[ContainerSnapshot]
    main: Sequence[ContainerSnapshot]
    address: str | None
    deleting: bool = False


def format_time(moment: dt.datetime) -> str:
    """Format a time as the Kubernetes API does, to the second."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def terminated_status(ended: TerminatedState) -> Json:
    """Return the `terminated` field of a container's state."""
    status = {
        "exitCode": ended.exit_code,
        "reason": ended.reason,
        "startedAt": format_time(ended.started_at),
        "finishedAt": format_time(ended.finished_at),
        "containerID": ended.container_id,
        "message": ended.message,
    }
    return {key: value for key, value in status.items() if value != ""}


def state_status(state: WaitingState | RunningState | TerminatedState) -> Json:
    """Return the `state` field of a container's status."""
    if isinstance(state, WaitingState):
        waiting = {"reason": state.reason}
        return {"waiting": {**waiting, "message": state.message} if state.message else waiting}
    if isinstance(state, RunningState):
        return {"running": {"startedAt": format_time(state.started_at)}}
    return {"terminated": terminated_status(state)}


def container_status(one: ContainerSnapshot) -> Json:
    """Return an element of `containerStatuses`."""
    return {
        "name": one.name,
        "image": one.image,
        "imageID": one.image,
        "containerID": one.container_id,
        "state": state_status(one.state),
        "lastState": {"terminated": terminated_status(one.last)} if one.last else {},
        "ready": one.ready,
        "started": one.started,
        "restartCount": one.restarts,
    }


def pod_phase(pod: PodSnapshot, policy: str) -> str:
    """Return the phase of the pod under its restart policy, by the kubelet's rules."""
    if pod.deleting and all(not isinstance(one.state, RunningState) for one in (*pod.init, *pod.main)):
        return _phase_of_deleted_pod(pod)
    if any(not _has_initialized(one) for one in pod.init):
        init_policy = "OnFailure" if policy == "Always" else policy
        failed = any(_has_failed_for_good(one, init_policy) for one in pod.init if not one.is_sidecar)
        return "Failed" if failed else "Pending"
    if any(isinstance(one.state, WaitingState) and one.last is None for one in pod.main):
        return "Pending"
    if any(not _has_ended_for_good(one, policy) for one in pod.main):
        return "Running"
    if any(isinstance(one.state, RunningState) for one in pod.init):
        return "Running"  # the sidecars end last
    return "Succeeded" if all(_has_succeeded(one) for one in pod.main) else "Failed"


def pod_conditions(pod: PodSnapshot, current_phase: str) -> list[Json]:
    """Return the conditions that the node owns, without their transition times."""
    uninitialized = [one.name for one in pod.init if not _has_initialized(one)]
    unready = [one.name for one in (*_sidecars(pod), *pod.main) if not one.ready]
    if current_phase == "Succeeded":
        ready = _condition_fields(False, "PodCompleted", "")
        return [
            _condition_of_type("Initialized", _condition_fields(True, "PodCompleted", "")),
            *_ready_conditions(ready),
        ]
    if current_phase == "Failed":
        ready = _condition_fields(False, "PodFailed", "")
    else:
        ready = _condition_fields(
            not unready, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
        )
    first = _condition_fields(
        not uninitialized,
        "ContainersNotInitialized",
        f"containers with incomplete status: [{' '.join(uninitialized)}]",
    )
    return [
        _condition_of_type("Initialized", first),
        *_ready_conditions(ready),
        _condition_of_type("PodScheduled", _condition_fields(True, "", "")),
    ]


def pod_status(pod: PodSnapshot, spec: Json, previous: Json, now: dt.datetime) -> Json:
    """Return the status to patch: all fields that the node owns, and no others.

    `previous` is the last known status; its start time is kept, and so are the transition times of unchanged
    conditions.
    """
    current = pod_phase(pod, spec.get("restartPolicy", "Always"))
    if previous.get("phase") in TERMINAL:
        # A terminal phase never changes.
        current = previous["phase"]
    status: Json = {
        "phase": current,
        "hostIP": HOST,
        "hostIPs": [{"ip": HOST}],
        "startTime": previous.get("startTime") or format_time(now),
        "conditions": _with_transition_times(pod_conditions(pod, current), previous.get("conditions") or [], now),
        "containerStatuses": [container_status(one) for one in pod.main],
    }
    if pod.init:
        status["initContainerStatuses"] = [container_status(one) for one in pod.init]
    if pod.address is not None:
        status |= {"podIP": pod.address, "podIPs": [{"ip": pod.address}]}
    return status


def _sidecars(pod: PodSnapshot) -> list[ContainerSnapshot]:
    return [one for one in pod.init if one.is_sidecar]


def _phase_of_deleted_pod(pod: PodSnapshot) -> str:
    regular = [one for one in (*pod.init, *pod.main) if not one.is_sidecar]
    ended = [one.state for one in regular if isinstance(one.state, TerminatedState)]
    if not ended:
        return "Failed" if any(one.last for one in pod.main) else "Pending"
    return "Failed" if any(state.exit_code for state in ended) else "Succeeded"


def _has_succeeded(one: ContainerSnapshot) -> bool:
    return isinstance(one.state, TerminatedState) and one.state.exit_code == 0


def _has_initialized(one: ContainerSnapshot) -> bool:
    """Return True if an init container has succeeded, or a sidecar has started once."""
    if one.is_sidecar:
        return one.started or one.last is not None or isinstance(one.state, TerminatedState)
    return _has_succeeded(one)


def _has_ended_for_good(one: ContainerSnapshot, policy: str) -> bool:
    return isinstance(one.state, TerminatedState) and not is_restarted(policy, one.state.exit_code)


def _has_failed_for_good(one: ContainerSnapshot, policy: str) -> bool:
    return _has_ended_for_good(one, policy) and not _has_succeeded(one)


def _condition_fields(fulfilled: bool, reason: str, message: str) -> Json:
    if fulfilled:
        return {"status": "True", "reason": reason if reason == "PodCompleted" else None, "message": None}
    return {"status": "False", "reason": reason, "message": message or None}


def _condition_of_type(kind: str, condition: Json) -> Json:
    return {"type": kind, **condition}


def _ready_conditions(condition: Json) -> list[Json]:
    return [_condition_of_type("Ready", condition), _condition_of_type("ContainersReady", condition)]


def _with_transition_times(wanted: list[Json], previous: list[Json], now: dt.datetime) -> list[Json]:
    before = {each["type"]: each for each in previous}
    result = []
    for each in wanted:
        old = before.get(each["type"], {})
        unchanged = old.get("status") == each["status"] and old.get("lastTransitionTime")
        result.append({**each, "lastTransitionTime": old["lastTransitionTime"] if unchanged else format_time(now)})
    return result
