import msgspec

from sluice_contract.job_policy import JobPolicy
from sluice_contract.status import OPERATOR_FIELDS, IngestJobStatus


def test_only_the_bounds_that_apply_are_written() -> None:
    policy = JobPolicy(names=["tenants"], writes_per_second=50)
    assert msgspec.to_builtins(IngestJobStatus(policy=policy)) == {
        "policy": {"names": ["tenants"], "writesPerSecond": 50}
    }


def test_the_operator_writes_the_result_of_the_policies() -> None:
    assert "policy" in OPERATOR_FIELDS
