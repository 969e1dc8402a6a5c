"""Sums over the jobs of a namespace: the plan denies the same jobs as the operator, in the same words."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_cli.model.plan.document_claims import planned_job
from sluice_cli.model.plan.namespace_quota import denials_of_jobs
from sluice_cli.model.plan.policies import merged_policy
from sluice_contract.policies import IngestPolicy
from sluice_operator.domain import objects
from sluice_operator.domain.document_claims import creation_order
from sluice_operator.domain.merged_policy import merge_policies
from sluice_operator.domain.policy_evaluation import PolicedJob, PolicyEvaluation

BOUNDS = st.fixed_dictionaries(
    {},
    optional={"symbols": st.integers(1, 8), "writesPerSecond": st.integers(1, 60), "writesPerDay": st.just(60_000)},
).filter(bool)
POLICY = st.fixed_dictionaries({}, optional={"perJob": BOUNDS, "perNamespace": BOUNDS, "message": st.just("Ask.")})
JOB = st.fixed_dictionaries(
    {
        "symbols": st.lists(st.sampled_from("ABCDE"), min_size=1, unique=True),
        "limits": st.fixed_dictionaries(
            {"writesPerSecond": st.integers(1, 40)}, optional={"writesPerDay": st.integers(20_000, 40_000)}
        ),
    }
)


@settings(max_examples=80, deadline=None)
@given(st.lists(POLICY, min_size=1, max_size=2), st.lists(st.tuples(JOB, st.integers(0, 3)), min_size=1, max_size=6))
def test_the_operator_denies_the_same_jobs_in_the_same_words(
    given_policies: list[dict[str, Any]], jobs: list[tuple[dict[str, Any], int]]
) -> None:
    policies = [
        {"metadata": {"name": f"p{number}"}, "spec": {"namespaceSelector": {}, **each}}
        for number, each in enumerate(given_policies)
    ]
    documents = [
        {
            "metadata": {
                "namespace": "acme", "name": f"job{number}", "uid": str(number), "generation": 1,
                "creationTimestamp": f"2026-11-27T10:00:0{second}Z",
            },
            "spec": {"tenant": "acme", "provider": "synthetic", **spec},
        }
        for number, (spec, second) in enumerate(jobs)
    ]  # fmt: skip
    evaluation = PolicyEvaluation(merge_policies(msgspec.convert(each, IngestPolicy) for each in policies))
    for each in documents:
        job = objects.decode_job(each)
        assert job.spec is not None
        evaluation.replace_job(PolicedJob("acme", job.metadata.name, creation_order(job), job.spec))
    expected = {job.name: denial.message for job, denial in evaluation.denials()}
    assert denials_of_jobs([planned_job(each) for each in documents], merged_policy(policies)) == expected
