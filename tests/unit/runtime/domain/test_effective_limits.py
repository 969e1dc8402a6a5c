import pytest

from sluice_contract.job_policy import JobPolicy
from sluice_contract.limits import WriteLimits
from sluice_runtime.domain.effective_limits import effective_limits


def test_without_a_policy_the_limits_are_those_of_the_spec() -> None:
    limits = WriteLimits(writes_per_second=7, writes_per_day=50_000)
    assert effective_limits(limits, None) is limits
    assert effective_limits(limits, JobPolicy(names=["a"])) == limits


@pytest.mark.parametrize(
    ("declared", "bound", "effective"),
    [(20, 5, 5), (5, 20, 5), (20, None, 20), (20, 0, 1)],
)
def test_the_smaller_rate_counts(declared: int, bound: int | None, effective: int) -> None:
    policy = JobPolicy(names=["a"], writes_per_second=bound)
    assert effective_limits(WriteLimits(writes_per_second=declared), policy).writes_per_second == effective


@pytest.mark.parametrize(
    ("declared", "bound", "effective"),
    [(None, None, None), (None, 30_000, 30_000), (30_000, None, 30_000), (30_000, 40_000, 30_000)],
)
def test_the_smaller_daily_budget_counts(declared: int | None, bound: int | None, effective: int | None) -> None:
    policy = JobPolicy(names=["a"], writes_per_day=bound)
    assert effective_limits(WriteLimits(writes_per_day=declared), policy).writes_per_day == effective
