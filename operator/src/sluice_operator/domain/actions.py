"""The conclusions of the checks: the step to take, and the status to report."""

from __future__ import annotations

import msgspec

from sluice_contract.status import Condition, IngestJobStatus, Phase, Restart


class ApplyServiceAccount(msgspec.Struct, frozen=True):
    """Apply the namespace's ServiceAccount and RoleBinding."""


class CreatePod(msgspec.Struct, frozen=True):
    """Create the job's pod with this epoch."""

    epoch: int


class ConditionTransition(msgspec.Struct, frozen=True):
    """A changed condition, for a Kubernetes Event."""

    condition: Condition
    warning: bool


class DeletePod(msgspec.Struct, frozen=True):
    """Delete exactly this version of the pod.

    `enforces` is the Event of a deletion that enforces a stop. Such a deletion does not wait for a status write.
    """

    uid: str
    resource_version: str
    enforces: ConditionTransition | None = None


class RefreshFromAPI(msgspec.Struct, frozen=True):
    """Read the job and the pod live, because the watches may be behind or may not include the pod."""


Step = ApplyServiceAccount | CreatePod | DeletePod | RefreshFromAPI | None


class ReadinessVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to the question whether the declared state is reached, in the terms of the Ready condition."""

    reason: str
    message: str
    phase: Phase
    ready: bool = False
    stalled: bool = False


class PodFinding(msgspec.Struct, frozen=True, kw_only=True):
    """The conclusion of a check of the pod, with the one step towards the declared state.

    `epoch` and `restart` are written before the step is taken; None keeps the stored values.
    """

    verdict: ReadinessVerdict
    step: Step = None
    requeue_after: float | None = None  # seconds
    epoch: int | None = None
    restart: Restart | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a decision: the status to write, the step to take, the Events, and the next time to look."""

    status: IngestJobStatus | None = None  # the operator's fields; None: nothing to write
    step: Step = None
    transitions: tuple[ConditionTransition, ...] = ()
    requeue_after: float | None = None  # seconds
