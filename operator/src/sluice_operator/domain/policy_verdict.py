"""How the IngestPolicies of its namespace apply to a job: `policy` in its status, and condition PolicyCompliant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from sluice_contract import conditions as c
from sluice_contract.job_policy import JobPolicy
from sluice_contract.spec import IngestJobSpec
from sluice_contract.status import Condition, IngestJobStatus

from .merged_policy import BoundName, MergedPolicy
from .policy_denials import PolicyDenial

_NAMES_IN_STATUS: Final = 8
_CAPPED_FIELDS: Final[dict[BoundName, str]] = {
    "writes_per_second": "limits.writesPerSecond",
    "writes_per_day": "limits.writesPerDay",
}
_DENIAL_REASONS: Final = frozenset({c.POLICY_DENIED, c.QUOTA_EXCEEDED})


class PolicyVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """How policies apply to a job: what the pod obeys, and status, reason and message of condition PolicyCompliant."""

    policy: JobPolicy
    status: Literal["True", "False"]
    reason: str
    message: str

    @property
    def is_denied(self) -> bool:
        """Whether the job gets no pod."""
        return self.policy.denied is not None


class WarnedEffect(msgspec.Struct, frozen=True):
    """What a policy with mode Warn would do to a job: its bounds with those in force, and its denial, if any."""

    policy: str
    merged: MergedPolicy
    denial: PolicyDenial | None


def verdict_of_policies(
    spec: IngestJobSpec, merged: MergedPolicy, denial: PolicyDenial | None, warned: Sequence[WarnedEffect] = ()
) -> PolicyVerdict:
    """Return how the policies apply to a job that `merged` denies, or not. `warned` have no effect on it."""
    names = sorted({*(each.metadata.name for each in merged.policies), *(each.policy for each in warned)})
    limits = {name: merged.job_bounds[name].value for name in _CAPPED_FIELDS if name in merged.job_bounds}
    policy = JobPolicy(
        names=names[:_NAMES_IN_STATUS],
        dry_run=True if merged.dry_run_policy else None,
        writes_per_second=limits.get("writes_per_second"),
        writes_per_day=limits.get("writes_per_day"),
        denied=denial.message if denial is not None else None,
    )
    if denial is not None:
        return PolicyVerdict(policy=policy, status="False", reason=denial.reason, message=denial.message)
    if warnings := [text for each in warned if (text := _warning(spec, each, merged))]:
        return PolicyVerdict(policy=policy, status="False", reason=c.POLICY_WARNED, message=" ".join(warnings))
    if caps := list(_cap_sentences(spec, merged)):
        return PolicyVerdict(policy=policy, status="True", reason=c.CAPPED, message=" ".join(caps))
    listed = ", ".join(names[:_NAMES_IN_STATUS])
    message = f"The job is within the bounds of IngestPolicy {listed}."
    return PolicyVerdict(policy=policy, status="True", reason=c.COMPLIANT, message=message)


def stored_verdict(status: IngestJobStatus) -> PolicyVerdict | None:
    """Return the verdict that the status of a job has; None if it has none.

    It applies while the operator has not been able to read the policies since its start.
    """
    condition = next((each for each in status.conditions if each.type == c.POLICY_COMPLIANT), None)
    if status.policy is None:
        return None
    if condition is None:
        condition_reason = c.POLICY_DENIED if status.policy.denied is not None else c.COMPLIANT
        return _verdict_of_policy(status.policy, condition_reason, status.policy.denied or "")
    return _verdict_of_policy(status.policy, condition.reason, condition.message)


def denial_reason_of_verdict(verdict: PolicyVerdict) -> str:
    """Return the reason of condition Ready for a denied job."""
    return verdict.reason if verdict.reason in _DENIAL_REASONS else c.POLICY_DENIED


def is_denial(condition: Condition) -> bool:
    """Return whether the condition says that the job is stalled because it is denied."""
    return condition.type == c.STALLED and condition.reason in _DENIAL_REASONS


def _verdict_of_policy(policy: JobPolicy, reason: str, message: str) -> PolicyVerdict:
    is_good = reason in (c.COMPLIANT, c.CAPPED)
    return PolicyVerdict(policy=policy, status="True" if is_good else "False", reason=reason, message=message)


def _warning(spec: IngestJobSpec, effect: WarnedEffect, in_force: MergedPolicy) -> str:
    """Return what a policy with mode Warn would do to the job; an empty text if nothing."""
    if effect.denial is not None and effect.denial.policy == effect.policy:
        return f"With mode Enforce, the job would have no pod: {effect.denial.message}"
    present = set(_cap_sentences(spec, in_force))
    caps = [each for each in _cap_sentences(spec, effect.merged) if each not in present]
    return f"With mode Enforce: {' '.join(caps)}" if caps else ""


def _cap_sentences(spec: IngestJobSpec, merged: MergedPolicy) -> Iterator[str]:
    """Yield a sentence for each field of the spec that the policies lower or change."""
    if merged.dry_run_policy and not spec.dry_run:
        yield f"spec.dryRun is false, and IngestPolicy {merged.dry_run_policy} makes it true: no quotes are written."
    for name, field in _CAPPED_FIELDS.items():
        bound, declared = merged.job_bounds.get(name), getattr(spec.limits, name)
        if bound is not None and (declared is None or declared > bound.value):
            given = "absent" if declared is None else declared
            yield f"spec.{field} is {given}, and IngestPolicy {bound.policy} caps it at {bound.value}."
