"""A plan reads IngestPolicies as the operator does, and says the same about a job."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_cli.model.job import key_of_job
from sluice_cli.model.plan.policies import (
    allowed_text,
    denial_of_single_job,
    effective_limit,
    merged_policy,
    policies_of_namespace,
)
from sluice_contract.policies import IngestPolicy
from sluice_contract.resource import decode_ingest_job
from sluice_operator.domain.merged_policy import merge_policies
from sluice_operator.domain.policy_denials import denial_of_single_job as denial_of_operator

ALPACA = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}}}
PROXY = {"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "a"}, "streamURL": "wss://p.example.com"}}
GATEWAY = {"provider": "ibkr", "ibkr": {"host": "gw.example.com"}}
OWN_GATEWAY = {"provider": "ibkr", "ibkr": {"host": "gw.acme.svc"}}
SYNTHETIC = {"provider": "synthetic", "symbols": ["A", "B", "C"]}
SPECS: list[dict[str, Any]] = [ALPACA, {"provider": "alpaca"}, PROXY, GATEWAY, OWN_GATEWAY, SYNTHETIC]
POLICIES: list[list[dict[str, Any]]] = [
    [{}],
    [{"providers": []}],
    [{"providers": [{"name": "alpaca"}, {"name": "synthetic"}]}],
    [{"providers": [{"name": "alpaca", "feeds": ["sip", "boats"]}]}, {"message": "Ask us."}],
    [{"hosts": []}],
    [{"hosts": ["*.alpaca.markets"]}, {"hosts": ["p.example.com", "*.markets"]}],
    [{"hosts": ["GW.example.com"]}],
    [{"perJob": {"symbols": 2}, "message": "Two."}, {"perJob": {"symbols": 3}, "message": "Three."}],
    [{"providers": [{"name": f"p{number}"} for number in range(7)]}],
]


def policy(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"namespaceSelector": {}, **spec}}


def document(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"namespace": "acme", "name": "x"}, "spec": {"tenant": "acme", "symbols": ["SPY"], **spec}}


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("given", POLICIES, ids=str)
def test_a_job_is_denied_in_the_words_of_the_operator(spec: dict[str, Any], given: list[dict[str, Any]]) -> None:
    policies = [policy(f"p{number}", **each) for number, each in enumerate(given)]
    job = document(spec)
    found = denial_of_single_job(key_of_job(job), job["spec"], merged_policy(policies))
    merged = merge_policies(msgspec.convert(each, IngestPolicy) for each in policies)
    expected = denial_of_operator(decode_ingest_job(job).spec, "acme", merged)
    assert found == (expected.message if expected is not None else "")


def test_policies_select_among_the_namespaces_of_tenants() -> None:
    policies = [policy("all"), policy("gold", namespaceSelector={"matchLabels": {"tier": "gold"}})]
    tenant = {"sluice.dev/tenant": "acme"}
    names = [[each["metadata"]["name"] for each in policies_of_namespace(policies, labels)] for labels in (
        {"tier": "gold"}, tenant, tenant | {"tier": "gold"},
    )]  # fmt: skip
    assert names == [[], ["all"], ["all", "gold"]]


def test_the_smallest_bound_counts_and_the_first_policy_by_name_sets_it() -> None:
    merged = merged_policy(
        [policy("b", perJob={"writesPerSecond": 5}, dryRun=True), policy("a", perJob={"writesPerSecond": 5})]
    )
    assert (merged.job_bounds["writesPerSecond"], merged.dry_run_policy, merged.names) == ((5, "a"), "b", ("a", "b"))
    assert effective_limit("writesPerSecond", {"limits": {"writesPerSecond": 9}}, merged) == 5
    assert effective_limit("writesPerSecond", {"limits": {"writesPerSecond": 3}}, merged) == 3
    assert effective_limit("writesPerDay", {}, merged) is None


def test_a_long_list_is_cut() -> None:
    assert allowed_text(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert allowed_text([]) == "none"
