from typing import Any

import msgspec
import pytest

from sluice_contract.policies import IngestPolicy, IngestPolicySpec


def spec(**fields: Any) -> IngestPolicySpec:
    return msgspec.convert({"namespaceSelector": {}} | fields, IngestPolicySpec)


def test_a_policy_is_enforced_and_has_no_bounds_by_default() -> None:
    policy = spec()
    assert (policy.mode, policy.dry_run, policy.providers, policy.hosts) == ("Enforce", False, None, None)
    assert (policy.per_job, policy.per_namespace, policy.message) == (None, None, None)


def test_an_empty_list_differs_from_an_absent_one() -> None:
    assert (spec(providers=[]).providers, spec(hosts=[]).hosts) == ([], [])
    assert msgspec.to_builtins(spec(providers=[]))["providers"] == []


def test_bounds_are_decoded() -> None:
    policy = spec(perJob={"symbols": 500, "writesPerDay": 20_000}, perNamespace={"writesPerSecond": 200})
    assert policy.per_job is not None
    assert policy.per_namespace is not None
    assert (policy.per_job.symbols, policy.per_job.writes_per_second, policy.per_job.writes_per_day) == (
        500,
        None,
        20_000,
    )
    assert policy.per_namespace.writes_per_second == 200


@pytest.mark.parametrize("host", ["*.example.com", "nats.sluice-system.svc", "10.0.0.7", "2001:db8::1"])
def test_a_host_can_be_a_name_an_address_or_a_domain(host: str) -> None:
    assert spec(hosts=[host]).hosts == [host]


@pytest.mark.parametrize("host", ["https://example.com", "*", "*.", "a.*.example.com", "example.com/path", ""])
def test_a_host_is_no_url_and_no_other_pattern(host: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        spec(hosts=[host])


def test_the_status_is_empty_until_the_operator_has_processed_the_policy() -> None:
    document = {"metadata": {"name": "tenants"}, "spec": {"namespaceSelector": {}}}
    policy = msgspec.convert(document, IngestPolicy)
    assert (policy.status.jobs, policy.status.denied) == (None, [])
