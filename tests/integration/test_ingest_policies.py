"""IngestPolicies on a real API server: what they deny, cap and force, and what their status says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract import policy_conditions as pc
from sluice_devcluster.kubectl import Kubectl
from support.site import Tenant, eventually

NUMBERS = itertools.count(1)
STOP_SECONDS = 10.0  # from the policy to the closed stream


class Policies:
    """The IngestPolicies of one test, which select its namespace alone."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._kubectl: Kubectl = tenant.kubectl
        self._names: set[str] = set()

    def apply(self, name: str = "bounds", **spec: Any) -> str:
        """Create or change a policy. Return its name in the cluster."""
        full = f"{self._tenant.name}-{name}"
        self._names.add(full)
        selector = {"namespaceSelector": {"matchLabels": {"sluice.dev/tenant": self._tenant.name}}}
        metadata = {"name": full}
        document = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPolicy", "metadata": metadata}
        self._kubectl.apply([document | {"spec": selector | spec}])
        return full

    def delete(self, name: str = "bounds") -> None:
        full = f"{self._tenant.name}-{name}"
        self._kubectl("delete", "ipolicy", full)
        self._names.discard(full)

    def status(self, name: str = "bounds") -> dict[str, Any]:
        found: dict[str, Any] = self._kubectl.get("ipolicy", f"{self._tenant.name}-{name}").get("status", {})
        return found

    def delete_all(self) -> None:
        for full in self._names:
            self._kubectl("delete", "ipolicy", full, "--ignore-not-found")


@pytest.fixture
def policies(tenant: Tenant) -> Iterator[Policies]:
    """The policies of a test. They are deleted at its end, because they belong to the cluster."""
    found = Policies(tenant)
    yield found
    found.delete_all()


def job_status(tenant: Tenant, job: str = "feed") -> dict[str, Any]:
    status: dict[str, Any] = tenant.job(job).get("status", {})
    return status


def denied(tenant: Tenant, reason: str, job: str = "feed", seconds: float = 15.0) -> str:
    """Wait until the job is stalled for this reason. Return why it is denied."""
    eventually(lambda: tenant.condition(c.STALLED, job) == ("True", reason), seconds)
    assert tenant.condition(c.READY, job) == ("False", reason)
    assert tenant.condition(c.POLICY_COMPLIANT, job) == ("False", reason)
    return str(job_status(tenant, job)["policy"]["denied"])


def test_a_policy_warns_then_stops_a_running_job_and_a_raised_bound_starts_it_again(
    tenant: Tenant, policies: Policies
) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    name = policies.apply(mode="Warn", message="Ask platform@example.com.", perJob={"symbols": 1})
    eventually(lambda: tenant.condition(c.POLICY_COMPLIANT) == ("False", c.POLICY_WARNED))
    eventually(lambda: policies.status().get("deniedJobs") == 1)
    status = policies.status()
    sentence = f"spec.symbols has 2 symbols, and IngestPolicy {name} allows 1 in a job"
    assert status["denied"][0]["job"] == f"{tenant.name}/feed"
    assert status["denied"][0]["message"].startswith(sentence)
    assert (status["namespaces"], status["jobs"]) == (1, 1)
    assert tenant.condition(c.READY) == ("True", "Streaming")

    policies.apply(mode="Enforce", message="Ask platform@example.com.", perJob={"symbols": 1})
    message = denied(tenant, c.POLICY_DENIED, seconds=STOP_SECONDS)
    assert message.startswith(sentence)
    assert message.endswith("Ask platform@example.com.")
    eventually(lambda: tenant.heartbeat().get("status") == "blocked", STOP_SECONDS)
    assert tenant.heartbeat()["failure"]["type"] == "policyDenied"
    eventually(lambda: tenant.pods() == [], 40)
    assert tenant.heartbeat()["status"] == "blocked"
    assert "Warning" in tenant.run("get", "events", "--field-selector=reason=PolicyDenied")

    policies.apply(mode="Enforce", perJob={"symbols": 2})
    tenant.settled("Streaming", seconds=40)
    assert tenant.condition(c.POLICY_COMPLIANT) == ("True", c.COMPLIANT)
    ready = eventually(
        lambda: next((each for each in policies.status()["conditions"] if each["type"] == pc.READY), None)
    )
    assert (ready["status"], ready["reason"]) == ("True", pc.APPLIED)


def test_the_job_that_exceeds_the_sum_of_the_namespace_is_denied_and_the_oldest_stays(
    tenant: Tenant, policies: Policies
) -> None:
    name = policies.apply(perNamespace={"symbols": 3})
    tenant.apply("old")
    tenant.settled("Streaming", "old", seconds=40)
    tenant.apply("young", symbols=["MSFT", "QQQ"], heartbeat={"document": "young"})
    assert denied(tenant, c.QUOTA_EXCEEDED, "young") == (
        f"Together with 1 older job (old) of namespace {tenant.name}, this job would have 4 symbols, and IngestPolicy "
        f"{name} allows 3: lower spec.symbols from 2 to at most 1, or lower it in an older job."
    )
    assert tenant.condition(c.READY, "old") == ("True", "Streaming")
    assert [pod["metadata"]["name"] for pod in tenant.pods()] == ["old-ingest"]
    tenant.patch("young", symbols=["MSFT"])
    tenant.settled("Streaming", "young", seconds=40)
    tenant.patch("old", symbols=["SPY", "AAPL", "DIA"])
    denied(tenant, c.QUOTA_EXCEEDED, "young")
    policies.delete()
    tenant.settled("Streaming", "young", seconds=60)
    eventually(lambda: "policy" not in job_status(tenant, "old"))
    assert tenant.condition(c.POLICY_COMPLIANT, "old") == ("", "")


def test_two_policies_cap_rates_and_force_a_dry_run_on_a_running_job(tenant: Tenant, policies: Policies) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    assert job_status(tenant)["stream"]["heartbeat"]["dryRun"] is False
    first = policies.apply("a", perJob={"writesPerSecond": 1, "writesPerDay": 500_000})
    second = policies.apply("b", dryRun=True, perJob={"writesPerSecond": 30})
    eventually(lambda: job_status(tenant).get("policy", {}).get("dryRun"))
    policy = job_status(tenant)["policy"]
    assert policy == {"names": [first, second], "dryRun": True, "writesPerSecond": 1, "writesPerDay": 500_000}
    assert tenant.condition(c.POLICY_COMPLIANT) == ("True", c.CAPPED)
    eventually(lambda: job_status(tenant)["stream"]["heartbeat"]["dryRun"], 5)
    eventually(lambda: job_status(tenant)["stream"]["effectiveIntervalMilliseconds"] == 2000, 5)
    uid = job_status(tenant)["stream"]["podUID"]
    policies.delete("b")
    eventually(lambda: not job_status(tenant)["stream"]["heartbeat"]["dryRun"])
    policies.delete("a")
    eventually(lambda: job_status(tenant)["stream"]["effectiveIntervalMilliseconds"] == 100)
    assert job_status(tenant)["stream"]["podUID"] == uid


def test_a_denied_job_obeys_a_stop_and_names_the_denial(tenant: Tenant, policies: Policies) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    policies.apply(providers=[])
    tenant.patch(enabled=False)
    denied(tenant, c.POLICY_DENIED)
    eventually(lambda: tenant.condition(c.PAUSED)[0] == "True")
    eventually(lambda: tenant.pods() == [], 40)
    assert tenant.condition(c.PAUSED) == ("True", c.NOTHING_CONNECTED)
    policies.delete()
    tenant.settled("Paused", seconds=40)


def test_a_restarted_operator_and_an_absent_one_leave_a_denial_in_force(tenant: Tenant, policies: Policies) -> None:
    policies.apply(providers=[])
    tenant.apply()
    denied(tenant, c.POLICY_DENIED)
    operator = ("-n", "sluice-system", "deployment/sluice-operator")
    tenant.kubectl("scale", *operator, "--replicas=0")
    try:
        eventually(lambda: tenant.kubectl.get("pods", "-n", "sluice-system")["items"] == [], 60)
        policies.delete()
    finally:
        tenant.kubectl("scale", *operator, "--replicas=1")
    tenant.settled("Streaming", seconds=90)
    policies.apply(providers=[])
    denied(tenant, c.POLICY_DENIED, seconds=STOP_SECONDS)
    eventually(lambda: tenant.pods() == [], 40)
    tenant.kubectl("rollout", "restart", *operator)
    tenant.kubectl("rollout", "status", *operator, "--timeout=90s")
    assert tenant.pods() == []
    assert tenant.condition(c.STALLED) == ("True", c.POLICY_DENIED)
