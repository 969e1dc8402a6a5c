"""The results of the checks: the step to take, and the status to report."""

from __future__ import annotations

import msgspec

from sluice_contract.pod_replacement import PodReplacement
from sluice_contract.status import Condition, IngestJobStatus, Phase, PodRestart


class ApplyAccountAndRoleBinding(msgspec.Struct, frozen=True):
    """A step: apply the ServiceAccount and the RoleBinding of the namespace."""


class CreatePod(msgspec.Struct, frozen=True):
    """A step: create the pod of the job with this epoch."""

    epoch: int


class ConditionTransition(msgspec.Struct, frozen=True):
    """A condition that has changed and is reported with a Kubernetes Event."""

    condition: Condition
    warning: bool


class DeletePod(msgspec.Struct, frozen=True):
    """A step: delete the pod if it still has this UID and resourceVersion.

    `enforces` is set if the deletion enforces a stop: it is the Event to report. Such a deletion does not wait for a
    status write.
    """

    uid: str
    resource_version: str
    enforces: ConditionTransition | None = None


class RefreshFromAPI(msgspec.Struct, frozen=True):
    """A step: read the job and the pod from the API server, because the watches may be late or not show the pod."""


class ReadTenantLabel(msgspec.Struct, frozen=True):
    """A step: read which tenant the namespace serves."""


Step = ApplyAccountAndRoleBinding | CreatePod | DeletePod | ReadTenantLabel | RefreshFromAPI | None


class ReadinessVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a readiness check: the reason, the message and the status of the Ready condition, and the phase.

    `stalled` means that the declared state is not reached and a person has to act.
    """

    reason: str
    message: str
    phase: Phase
    ready: bool = False
    stalled: bool = False


class PodFinding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a pod check that applies: the verdict, and the step towards the declared state.

    `restart` and `replacement` are written to the status before the step is taken. None keeps the stored value.
    """

    verdict: ReadinessVerdict
    step: Step = None
    requeue_after: float | None = None  # seconds
    restart: PodRestart | None = None
    replacement: PodReplacement | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision about a job: the status to write, the step to take, the Events, and when to reconcile again."""

    status: IngestJobStatus | None = None  # the operator's fields; None: nothing to write
    step: Step = None
    transitions: tuple[ConditionTransition, ...] = ()
    waits_for_turn: bool = False  # whether only its turn in a rollout prevents the replacement of the pod
    requeue_after: float | None = None  # seconds
