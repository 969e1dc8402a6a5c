"""The jobs of one namespace under the IngestPolicies that apply together: which of them are denied, and by which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract.spec import IngestJobSpec

from .merged_policy import BoundName, MergedPolicy
from .namespace_quota import Demand, NamespaceQuota, QuotaExcess
from .policy_denials import PolicyDenial, denial_message, denial_of_single_job

_FIELDS: Final[dict[BoundName, str]] = {
    "symbols": "spec.symbols",
    "writes_per_second": "spec.limits.writesPerSecond",
    "writes_per_day": "spec.limits.writesPerDay",
}
_UNITS: Final[dict[BoundName, str]] = {
    "symbols": "symbols",
    "writes_per_second": "writes per second",
    "writes_per_day": "writes per day",
}


class PolicedJob(msgspec.Struct, frozen=True):
    """The part of a job that policies concern. `place` orders jobs by their creation, and then by their names."""

    namespace: str
    name: str
    place: str
    spec: IngestJobSpec


class PolicyEvaluation:
    """Evaluates the jobs of one namespace under merged policies. A change of one job costs no walk over the others."""

    def __init__(self, merged: MergedPolicy) -> None:
        self.merged: Final = merged
        self._quota = NamespaceQuota(merged.namespace_bounds)
        self._denials: dict[str, PolicyDenial] = {}  # of single jobs, by place
        self._jobs: dict[str, PolicedJob] = {}  # by place

    def replace_job(self, job: PolicedJob) -> list[str]:
        """Evaluate a new or changed job. Return the names of the other jobs whose denial begins or ends."""
        self._jobs[job.place] = job
        denial = denial_of_single_job(job.spec, job.namespace, self.merged)
        if denial is not None:
            self._denials[job.place] = denial
        else:
            self._denials.pop(job.place, None)
        demand = _demand_of_job(job.spec, self.merged) if denial is None else None
        return self._names_at(self._quota.replace_demand(job.place, demand))

    def remove_job(self, place: str) -> list[str]:
        """Remove a job. Return the names of the other jobs whose denial ends."""
        self._jobs.pop(place, None)
        self._denials.pop(place, None)
        return self._names_at(self._quota.replace_demand(place, None))

    def denial(self, place: str) -> PolicyDenial | None:
        """Return why the policies deny the job; None if they do not."""
        if (denial := self._denials.get(place)) is not None:
            return denial
        excess = self._quota.excess(place)
        return self._quota_denial(self._jobs[place], excess) if excess is not None else None

    def denials(self) -> Iterator[tuple[PolicedJob, PolicyDenial]]:
        """Yield each denied job with its denial, in the order of creation."""
        for place in sorted({*self._denials, *self._quota.places_with_excess()}):
            denial = self.denial(place)
            if denial is not None:
                yield self._jobs[place], denial

    def _names_at(self, places: list[str]) -> list[str]:
        return [self._jobs[place].name for place in places]

    def _quota_denial(self, job: PolicedJob, excess: QuotaExcess) -> PolicyDenial:
        policy, field, unit = excess.bound.policy, _FIELDS[excess.name], _UNITS[excess.name]
        if excess.own is None:
            sentence = (
                f"IngestPolicy {policy} limits the sum of {unit} in namespace {job.namespace} to {excess.bound.value}, "
                f"so each job must declare {field}: add it."
            )
        else:
            sentence = (
                f"Together with {self._older_jobs_text(excess)} of namespace {job.namespace}, this job would have "
                f"{excess.counted + excess.own} {unit}, and IngestPolicy {policy} allows {excess.bound.value}: lower "
                f"{field} from {excess.own} to at most {max(0, excess.bound.value - excess.counted)}, or lower it in "
                "an older job."
            )
        return PolicyDenial(c.QUOTA_EXCEEDED, policy, denial_message(sentence, self.merged.message))

    def _older_jobs_text(self, excess: QuotaExcess) -> str:
        if not excess.older_count:
            return "no other job"
        names = [self._jobs[place].name for place in excess.older_places]
        more = excess.older_count - len(names)
        listed = ", ".join(names) + (f" and {more} more" if more > 0 else "")
        return f"{excess.older_count} older job{'s' if excess.older_count > 1 else ''} ({listed})"


def _demand_of_job(spec: IngestJobSpec, merged: MergedPolicy) -> Demand:
    """Return what the job declares, where that is not more than a bound of each job."""
    return Demand(
        symbols=len(spec.symbols),
        writes_per_second=effective_value("writes_per_second", spec, merged) or 0,
        writes_per_day=effective_value("writes_per_day", spec, merged),
    )


def effective_value(name: BoundName, spec: IngestJobSpec, merged: MergedPolicy) -> int | None:
    """Return the smaller one of a limit of the job and the bound of each job; None if there is neither."""
    declared: int | None = getattr(spec.limits, name)
    bound = merged.job_bounds.get(name)
    values = [value for value in (declared, bound.value if bound is not None else None) if value is not None]
    return min(values, default=None)
