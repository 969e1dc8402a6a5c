"""The input of one decision, as one value. It contains the current time, so a decision reads no clock."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

import msgspec

from sluice_contract.pod_replacement import PodReplacement, ReplacementCause
from sluice_contract.status import StreamStatus

from .denials import Denial
from .document_claims import DocumentConflict
from .objects import Job, Pod
from .pause_objects import PauseObject
from .policy_verdict import PolicyVerdict


class PodRefusal(msgspec.Struct, frozen=True):
    """The last request to create the pod or its ServiceAccount, if the API server refused or did not serve it.

    `failures` is 0 if it was refused. Otherwise it is the number of requests in a row that failed in another way, which
    are retried after a backoff.
    """

    message: str
    generation: int
    age_seconds: float
    failures: int = 0


class PodMutation(msgspec.Struct, frozen=True):
    """A field in which the last created pod differs from the requested pod, as a sentence.

    `pods_in_a_row` is the number of pods that were changed one after another.
    """

    difference: str
    pod_uid: str
    pods_in_a_row: int
    age_seconds: float  # since the creation of the last of them


class PolicyProblem(msgspec.Struct, frozen=True):
    """Why the admission policies are not proven to limit the operator's account, so that it creates no pod.

    `needs_action` is false only before the first trials have ended.
    """

    message: str
    needs_action: bool = False


class NamespaceTenant(msgspec.Struct, frozen=True):
    """The tenant that a namespace serves: the label of the Namespace when it was last read; None if it has no label.

    `was_labelled` is whether an earlier read found a label. An operator that may not read Namespaces finds none.
    """

    label: str | None
    was_labelled: bool
    age_seconds: float = 0.0  # since the last attempt to read it


class ReplacementTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an outdated pod is replaced now, or waits for its turn in a rollout.

    `record` is stored before the pod is deleted; None if the replacement interrupts nothing. `is_stopped` is whether it
    waits because other jobs are not ready in time. `wait_seconds` is set if the turn may come by the passing of time.
    """

    cause: ReplacementCause
    is_granted: bool
    record: PodReplacement | None = None
    is_stopped: bool = False
    wait_seconds: float | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything that the operator knows about one job when it decides.

    Ages are measured by the operator's monotonic clock and start from zero when the operator starts, so that a wrong
    clock on another machine cannot make a heartbeat look old.
    """

    now: datetime
    job: Job | None
    pod: Pod | None
    cold_hash: str = ""  # the hash of the pod as it would be built now
    spec_hash: str = ""  # the hash of the cold part of the spec
    turn: ReplacementTurn | None = None  # None: a replacement of the pod is no part of a rollout
    progress_deadline_seconds: float = 300.0  # after which a job whose pod was replaced is overdue
    account_is_applied: bool = True
    heartbeat_age_seconds: float = 0.0  # since the heartbeat last changed, or the pod was first seen running
    heartbeat_was_looked_up: bool = False  # a live read confirmed that this is still the newest heartbeat
    pausing_seconds: float = 0.0  # since an unconfirmed stop was first seen, while the API server answered
    confirmed_symbol_pauses: frozenset[str] = frozenset()  # the symbols whose pause the pod has confirmed
    deleted_pod: Pod | None = None  # the last pod of the job, if another client has deleted it and it is gone
    last_epoch: int = 0  # the highest epoch of a pod that this operator process has requested; 0: none
    terminating_read_age_seconds: float = 0.0  # since the terminating pod was first seen so, or last read live
    terminating_reads: int = 0  # the live reads of the terminating pod
    refusal: PodRefusal | None = None
    mutation: PodMutation | None = None
    conflict: DocumentConflict | None = None  # with an older job, over documents
    policy_problem: PolicyProblem | None = None  # the reason to create no pod at all
    key_is_shared: bool = False  # another namespace uses the key with which the pod holds its connection
    tenant: NamespaceTenant | None = None  # None: not read yet
    pauses: tuple[PauseObject, ...] = ()  # that cover the job, also those that have ended, in the order of authority
    denial: Denial | None = None  # the first field of the spec that the platform does not allow
    policy_verdict: PolicyVerdict | None = None  # how IngestPolicies apply; None: none selects the namespace

    @cached_property
    def report_of_current_pod(self) -> StreamStatus | None:
        """The report (`status.stream`) of the current pod; None if the current pod has not reported yet.

        It is kept, because most checks of a decision need it.
        """
        job, pod = self.job, self.pod
        if job is None or pod is None or job.status.stream is None or not pod.is_owned_by(job):
            return None
        return job.status.stream if job.status.stream.pod_uid == pod.metadata.uid else None
