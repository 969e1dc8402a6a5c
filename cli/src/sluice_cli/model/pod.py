"""The pod of a job, as far as the plugin shows it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..contract import contract
from .fields import number, objects, text


class Pod(NamedTuple):
    """A pod: its phase, its node (empty: none yet), and how often its container was restarted."""

    name: str
    phase: str
    node: str
    restarts: int
    is_running: bool


def pod_of(document: dict[str, Any]) -> Pod:
    """Return the value of a Pod object. A pod that is being deleted has the phase Terminating."""
    own = contract()["container"]
    statuses = [each for each in objects(document, "status", "containerStatuses") if text(each, "name") == own]
    phase = text(document, "status", "phase")
    is_going = bool(text(document, "metadata", "deletionTimestamp"))
    return Pod(
        name=text(document, "metadata", "name"),
        phase="Terminating" if is_going else phase,
        node=text(document, "spec", "nodeName"),
        restarts=sum(number(each, "restartCount") or 0 for each in statuses),
        is_running=phase == "Running" and not is_going,
    )
