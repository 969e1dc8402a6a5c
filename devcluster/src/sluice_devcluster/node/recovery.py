"""The state of a container before the node agent started, read from the pod's status."""

from __future__ import annotations

import datetime as dt

from sluice_devcluster.api import Json
from sluice_devcluster.node.restarts import is_sidecar
from sluice_devcluster.node.statuses import ContainerSnapshot, TerminatedState, WaitingState

KILLED = 137
LOST = "The container was stopped because the node agent restarted."


def snapshot_from_status(container: Json, status: Json | None, *, reason: str, now: dt.datetime) -> ContainerSnapshot:
    """Return the snapshot with which the container begins.

    A container that never ran waits for `reason`. One that was running counts as killed, because the agent kills the
    processes that an earlier agent left.
    """
    image = container.get("image", "")
    if status is None or not status.get("containerID"):
        return ContainerSnapshot(container["name"], image, WaitingState(reason), is_sidecar=is_sidecar(container))
    state = status.get("state") or {}
    if "running" in state:
        started = _parse_time(state["running"].get("startedAt"), now)
        ended = TerminatedState(KILLED, "Error", started, now, status["containerID"], LOST)
    else:
        found = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
        ended = _terminated_from_status(found, now)
    return ContainerSnapshot(
        container["name"],
        image,
        ended,
        last=ended,
        restarts=status.get("restartCount", 0),
        container_id=status["containerID"],
        is_sidecar=is_sidecar(container),
    )


def _terminated_from_status(found: Json, now: dt.datetime) -> TerminatedState:
    return TerminatedState(
        exit_code=found.get("exitCode", KILLED),
        reason=found.get("reason", "Error"),
        started_at=_parse_time(found.get("startedAt"), now),
        finished_at=_parse_time(found.get("finishedAt"), now),
        container_id=found.get("containerID", ""),
        message=found.get("message", ""),
    )


def _parse_time(text: str | None, otherwise: dt.datetime) -> dt.datetime:
    return dt.datetime.fromisoformat(text) if text else otherwise
