"""The limits of a job together with those of the policies that apply to it. The smaller one of each counts."""

from __future__ import annotations

import msgspec

from sluice_contract.job_policy import JobPolicy
from sluice_contract.limits import WriteLimits


def effective_limits(limits: WriteLimits, policy: JobPolicy | None) -> WriteLimits:
    """Return the limits that the pod obeys: those of the spec, lowered by `status.policy` of the job if it has one."""
    if policy is None:
        return limits
    return msgspec.structs.replace(
        limits,
        writes_per_second=max(1, _smaller(limits.writes_per_second, policy.writes_per_second)),
        writes_per_day=_smaller_or_none(limits.writes_per_day, policy.writes_per_day),
    )


def _smaller(value: int, bound: int | None) -> int:
    return value if bound is None else min(value, bound)


def _smaller_or_none(value: int | None, bound: int | None) -> int | None:
    return bound if value is None else _smaller(value, bound)
