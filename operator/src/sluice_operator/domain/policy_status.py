"""The status of an IngestPolicy: on how many namespaces and jobs it has an effect, and which jobs it denies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from sluice_contract import policy_conditions as pc
from sluice_contract.bounds import cut_to_bounds
from sluice_contract.policies import DeniedJob, IngestPolicyStatus
from sluice_contract.status import Condition

from .policy_denials import PolicyDenial
from .policy_evaluation import PolicedJob
from .policy_objects import PolicyObject

_JOBS_SHOWN: Final = 20


class PolicyEffect(msgspec.Struct, frozen=True, kw_only=True):
    """The effect of a policy: the numbers of its namespaces and jobs, and each job that it denies, or would deny.

    `waiting_jobs` is the number of jobs whose status does not show the policy yet.
    """

    namespaces: int
    jobs: int
    waiting_jobs: int
    denials: Sequence[tuple[PolicedJob, PolicyDenial]]


def status_of_policy(stored: PolicyObject, effect: PolicyEffect, now: datetime) -> IngestPolicyStatus:
    """Return the status of a policy. The time of a condition is kept while its status is the same."""
    shown = [
        DeniedJob(job=f"{job.namespace}/{job.name}", message=denial.message)
        for job, denial in islice(sorted(effect.denials, key=_namespace_and_name), _JOBS_SHOWN)
    ]
    return cut_to_bounds(
        IngestPolicyStatus(
            observed_generation=stored.status.observed_generation if stored.problem else stored.metadata.generation,
            namespaces=effect.namespaces,
            jobs=effect.jobs,
            denied_jobs=len(effect.denials),
            denied=shown,
            conditions=_conditions(stored, effect, now),
        )
    )


def _namespace_and_name(denied: tuple[PolicedJob, PolicyDenial]) -> tuple[str, str]:
    return denied[0].namespace, denied[0].name


def _conditions(stored: PolicyObject, effect: PolicyEffect, now: datetime) -> list[Condition]:
    if stored.problem:
        message = f"{stored.problem}. Correct the field, or upgrade the operator. The last version that was understood "
        message += "stays in force; a policy of which no version was understood has no effect."
        found = [(pc.READY, "False", pc.NOT_UNDERSTOOD, message), (pc.STALLED, "True", pc.NOT_UNDERSTOOD, message)]
    elif effect.waiting_jobs:
        waiting = _counted(effect.waiting_jobs, "job")
        message = f"The policy is not applied to {waiting} yet: wait for the next resync, at most five minutes."
        found = [(pc.READY, "False", pc.APPLYING, message), (pc.RECONCILING, "True", pc.APPLYING, message)]
    elif not effect.namespaces:
        message = "The selector selects no namespace with the label sluice.dev/tenant: compare it with their labels."
        found = [(pc.READY, "True", pc.NO_NAMESPACES, message)]
    else:
        jobs, namespaces = _counted(effect.jobs, "job"), _counted(effect.namespaces, "namespace")
        message = f"The policy applies to {jobs} in {namespaces}."
        found = [(pc.READY, "True", pc.APPLIED, message)]
    return [_dated(stored, Condition(*each, now.replace(microsecond=0), stored.metadata.generation)) for each in found]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _dated(stored: PolicyObject, condition: Condition) -> Condition:
    earlier = next((each for each in stored.status.conditions if each.type == condition.type), None)
    if earlier is None or earlier.status != condition.status:
        return condition
    return msgspec.structs.replace(condition, last_transition_time=earlier.last_transition_time)
