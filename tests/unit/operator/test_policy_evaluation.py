"""The jobs of one namespace under several IngestPolicies: denials, caps, and what a policy with mode Warn would do."""

from __future__ import annotations

from typing import Any

from sluice_contract import conditions as c
from sluice_contract.policies import IngestPolicy
from sluice_contract.status import Condition, IngestJobStatus
from sluice_operator.domain.namespace_policies import NamespacePolicies
from sluice_operator.domain.policy_evaluation import PolicedJob
from sluice_operator.domain.policy_verdict import PolicyVerdict, stored_verdict

from .policies import policed, policy, symbols
from .world import NOW


def evaluated(*policies: IngestPolicy, jobs: tuple[PolicedJob, ...] = ()) -> NamespacePolicies:
    """Return the evaluation of a namespace with these jobs."""
    found = NamespacePolicies(policies)
    found.add_jobs(jobs)
    return found


def verdict(*policies: IngestPolicy, **spec: Any) -> PolicyVerdict:
    """Return the verdict about the only job of the namespace."""
    job = policed(**spec)
    return evaluated(*policies, jobs=(job,)).verdict(job)


def test_a_job_within_the_bounds_is_compliant_and_names_the_policies() -> None:
    found = verdict(policy("b"), policy("a"), policy("c", mode="Warn"))
    assert (found.status, found.reason, found.is_denied) == ("True", c.COMPLIANT, False)
    assert (found.policy.names, found.policy.dry_run, found.policy.denied) == (["a", "b", "c"], None, None)
    assert found.message == "The job is within the bounds of IngestPolicy a, b, c."


def test_only_the_first_eight_names_are_in_the_status() -> None:
    assert verdict(*(policy(name) for name in "lkjihgfedcba")).policy.names == list("abcdefgh")


def test_rates_are_capped_and_a_dry_run_is_forced_with_both_values_in_the_message() -> None:
    bounds = {"writesPerSecond": 5, "writesPerDay": 50_000}
    found = verdict(policy("caps", dryRun=True, perJob=bounds))
    assert (found.status, found.reason) == ("True", c.CAPPED)
    assert (found.policy.dry_run, found.policy.writes_per_second, found.policy.writes_per_day) == (True, 5, 50_000)
    assert found.message == (
        "spec.dryRun is false, and IngestPolicy caps makes it true: no quotes are written. "
        "spec.limits.writesPerSecond is 20, and IngestPolicy caps caps it at 5. "
        "spec.limits.writesPerDay is absent, and IngestPolicy caps caps it at 50000."
    )


def test_a_bound_that_the_job_keeps_caps_nothing() -> None:
    limits = {"writesPerSecond": 5, "writesPerDay": 40_000}
    found = verdict(
        policy(dryRun=True, perJob={"writesPerSecond": 5, "writesPerDay": 50_000}), limits=limits, dryRun=True
    )
    assert found.reason == c.COMPLIANT
    assert found.policy.writes_per_second == 5


def test_the_job_that_exceeds_a_sum_is_denied_and_older_ones_are_not() -> None:
    jobs = tuple(policed(name, minute, symbols=symbols(40)) for minute, name in enumerate(("b", "a", "d", "c")))
    found = evaluated(policy(message="Ask.", perNamespace={"symbols": 150}), jobs=jobs)
    assert [found.verdict(job).reason for job in jobs] == [c.COMPLIANT, c.COMPLIANT, c.COMPLIANT, c.QUOTA_EXCEEDED]
    assert found.verdict(jobs[3]).message == (
        "Together with 3 older jobs (b, a, d) of namespace acme, this job would have 160 symbols, and IngestPolicy "
        "tenants allows 150: lower spec.symbols from 40 to at most 30, or lower it in an older job. Ask."
    )
    [(job, denial)] = found.denials_by_policy("tenants")
    assert (job.name, denial.reason) == ("c", c.QUOTA_EXCEEDED)


def test_the_only_job_of_a_namespace_can_exceed_a_sum() -> None:
    found = verdict(policy(perNamespace={"writesPerSecond": 10}))
    assert found.reason == c.QUOTA_EXCEEDED
    assert found.message.startswith("Together with no other job of namespace acme, this job would have 20 writes per")


def test_a_denied_job_and_a_capped_rate_count_for_what_they_can_use() -> None:
    """A job that is denied by itself writes nothing, and a capped job writes at the cap."""
    bounds = policy(perJob={"symbols": 10, "writesPerSecond": 10}, perNamespace={"symbols": 20, "writesPerSecond": 20})
    jobs = (policed("a", 0, symbols=symbols(11)), policed("b", 1), policed("c", 2))
    found = evaluated(bounds, jobs=jobs)
    assert [found.verdict(job).reason for job in jobs] == [c.POLICY_DENIED, c.CAPPED, c.CAPPED]


def test_a_sum_of_daily_budgets_needs_a_budget_of_each_job() -> None:
    found = verdict(policy(perNamespace={"writesPerDay": 100_000}))
    assert found.message == (
        "IngestPolicy tenants limits the sum of writes per day in namespace acme to 100000, so each job must declare "
        "spec.limits.writesPerDay: add it."
    )
    assert verdict(policy(perNamespace={"writesPerDay": 100_000}, perJob={"writesPerDay": 50_000})).reason == c.CAPPED


def test_a_policy_with_mode_warn_reports_what_it_would_do_and_does_nothing() -> None:
    warning = policy("soon", mode="Warn", perJob={"symbols": 1, "writesPerSecond": 5}, dryRun=True)
    found = verdict(warning, policy("now", perJob={"writesPerSecond": 10}))
    assert (found.status, found.reason, found.is_denied) == ("False", c.POLICY_WARNED, False)
    assert (found.policy.dry_run, found.policy.writes_per_second) == (None, 10)
    assert found.message.startswith("With mode Enforce, the job would have no pod: spec.symbols has 2 symbols")
    capped = verdict(policy("soon", mode="Warn", perJob={"writesPerSecond": 5}))
    assert (capped.status, capped.reason) == ("False", c.POLICY_WARNED)
    assert capped.message == "With mode Enforce: spec.limits.writesPerSecond is 20, and IngestPolicy soon caps it at 5."


def test_the_list_of_mode_warn_is_that_of_enforce() -> None:
    others = (policy("a", perNamespace={"symbols": 100}), policy("c", providers=[{"name": "synthetic"}]))
    jobs = tuple(policed(f"j{minute}", minute, symbols=symbols(30)) for minute in range(5))
    bounds = {"perNamespace": {"symbols": 65}, "perJob": {"symbols": 30}}
    warned = evaluated(policy("b", mode="Warn", **bounds), *others, jobs=jobs)
    enforced = evaluated(policy("b", **bounds), *others, jobs=jobs)
    assert list(warned.denials_by_policy("b")) == list(enforced.denials_by_policy("b"))
    assert [job.name for job, _ in warned.denials_by_policy("b")] == ["j2", "j3", "j4"]
    assert [job.name for job, _ in warned.denials_by_policy("a")] == ["j3", "j4"]


def test_a_change_returns_the_other_jobs_that_it_concerns() -> None:
    found = evaluated(
        policy(perNamespace={"symbols": 50}), jobs=(policed("a", 0), policed("b", 1, symbols=symbols(40)))
    )
    assert found.replace_job(policed("a", 0, symbols=symbols(20)), is_new=False) == ["b"]
    assert found.remove_job(policed("a", 0)) == ["b"]
    assert found.job_count == 1


def test_the_verdict_of_a_status_is_what_it_was() -> None:
    for policies in ((policy(),), (policy(providers=[]),), (policy(perJob={"writesPerSecond": 1}),)):
        found = verdict(*policies)
        condition = Condition(
            type=c.POLICY_COMPLIANT,
            status=found.status,
            reason=found.reason,
            message=found.message,
            last_transition_time=NOW,
            observed_generation=1,
        )
        assert stored_verdict(IngestJobStatus(policy=found.policy, conditions=[condition])) == found
    denied = verdict(policy(providers=[]))
    without_condition = stored_verdict(IngestJobStatus(policy=denied.policy))
    assert without_condition is not None
    assert (without_condition.is_denied, without_condition.reason) == (True, c.POLICY_DENIED)
    assert stored_verdict(IngestJobStatus()) is None
