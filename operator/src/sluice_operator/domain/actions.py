"""What the checks conclude: the step to take, and what to say of the job."""

from __future__ import annotations

import msgspec

from sluice_contract.status import Condition, IngestJobStatus, Phase, Restart


class EnsureAccount(msgspec.Struct, frozen=True):
    """Apply the namespace's ServiceAccount and RoleBinding."""


class CreatePod(msgspec.Struct, frozen=True):
    """Create the job's pod in this incarnation."""

    epoch: int


class Transition(msgspec.Struct, frozen=True):
    """A condition that changed: the material of a Kubernetes Event."""

    condition: Condition
    warning: bool


class DeletePod(msgspec.Struct, frozen=True):
    """Delete exactly this pod object, if it is still as it was seen.

    `enforces` is the event of a deletion that enforces a stop. Such a deletion waits for no write of a status.
    """

    uid: str
    resource_version: str
    enforces: Transition | None = None


class RefreshFromAPI(msgspec.Struct, frozen=True):
    """Read job and pod live: what the watches show may be behind, or may not be watched."""


Step = EnsureAccount | CreatePod | DeletePod | RefreshFromAPI | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to "is the declared state reached?", in the terms of condition Ready."""

    reason: str
    message: str
    phase: Phase
    ready: bool = False
    stalled: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check of the pod concludes, and the one step towards the declared state.

    `epoch` and `restart` are to be written before the step is taken; None leaves them as they are.
    """

    verdict: Verdict
    step: Step = None
    requeue_after: float | None = None  # seconds
    epoch: int | None = None
    restart: Restart | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to write, what to do then, what to tell, and when to look again at the latest."""

    status: IngestJobStatus | None = None  # the operator's fields; None: not to be written
    step: Step = None
    transitions: tuple[Transition, ...] = ()
    requeue_after: float | None = None  # seconds
