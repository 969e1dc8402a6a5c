"""The IngestPolicies that select one namespace, and the jobs in it: those in force, and those with mode Warn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from sluice_contract.policies import IngestPolicy

from .merged_policy import merge_policies
from .policy_denials import PolicyDenial
from .policy_evaluation import PolicedJob, PolicyEvaluation
from .policy_verdict import PolicyVerdict, WarnedEffect, verdict_of_policies


class NamespacePolicies:
    """Evaluates the jobs of one namespace under the policies that select it.

    Each policy with mode Warn is evaluated together with those in force, as if its mode was Enforce.
    """

    def __init__(self, policies: Iterable[IngestPolicy]) -> None:
        ordered = sorted(policies, key=lambda each: each.metadata.name)
        enforced = [each for each in ordered if each.spec.mode != "Warn"]
        self._enforced = PolicyEvaluation(merge_policies(enforced))
        self._warned = {
            each.metadata.name: PolicyEvaluation(merge_policies((*enforced, each)))
            for each in ordered
            if each.spec.mode == "Warn"
        }
        self.policy_names = tuple(each.metadata.name for each in ordered)
        self.job_count = 0

    def add_jobs(self, jobs: Iterable[PolicedJob]) -> None:
        """Evaluate the jobs that the namespace has already."""
        for job in sorted(jobs, key=lambda each: each.place):
            self.replace_job(job, is_new=True)

    def replace_job(self, job: PolicedJob, *, is_new: bool) -> list[str]:
        """Evaluate a new or changed job. Return the names of other jobs whose denial begins or ends, oldest first."""
        self.job_count += is_new
        return _names_without_duplicates(each.replace_job(job) for each in self._evaluations())

    def remove_job(self, job: PolicedJob) -> list[str]:
        """Remove a job. Return the names of the other jobs whose denial ends, oldest first."""
        self.job_count -= 1
        return _names_without_duplicates(each.remove_job(job.place) for each in self._evaluations())

    def verdict(self, job: PolicedJob) -> PolicyVerdict:
        """Return how the policies apply to a job that was added."""
        warned = [WarnedEffect(name, each.merged, each.denial(job.place)) for name, each in self._warned.items()]
        return verdict_of_policies(job.spec, self._enforced.merged, self._enforced.denial(job.place), warned)

    def denials_by_policy(self, policy: str) -> Iterator[tuple[PolicedJob, PolicyDenial]]:
        """Yield each job that the policy denies, or with mode Warn would deny, in the order of creation."""
        evaluation = self._warned.get(policy, self._enforced)
        return ((job, denial) for job, denial in evaluation.denials() if denial.policy == policy)

    def _evaluations(self) -> Iterator[PolicyEvaluation]:
        return chain((self._enforced,), self._warned.values())


def _names_without_duplicates(names: Iterable[list[str]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(names)))
