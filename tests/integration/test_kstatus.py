"""What the real library kstatus says of the four kinds: GitOps tools wait until an object is Current."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_contract import pause_conditions, policy_conditions
from sluice_devcluster.kubectl import Kubectl
from support.kstatus import compute_status
from support.site import Tenant, eventually

AT = "2026-11-28T14:00:00Z"


def document(kind: str, conditions: dict[str, tuple[str, str]], observed: int = 2) -> dict[str, Any]:
    """Return an object of generation 2 with conditions, each as its status and its reason."""
    found = [
        {"type": name, "status": status, "reason": reason, "message": "", "lastTransitionTime": AT}
        for name, (status, reason) in conditions.items()
    ]
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "acme", "generation": 2},
        "spec": {},
        "status": {"observedGeneration": observed, "conditions": found},
    }


IN_FORCE = (pause_conditions.IN_FORCE, ("True", pause_conditions.IN_FORCE_REASON))
ACKNOWLEDGED = (pause_conditions.ACKNOWLEDGED, ("True", pause_conditions.ACKNOWLEDGED_REASON))
PAUSES: list[tuple[dict[str, tuple[str, str]], str]] = [
    (dict([IN_FORCE, ACKNOWLEDGED]), "Current"),
    ({"InForce": ("True", "NothingSelected"), "Acknowledged": ("True", "NothingSelected")}, "Current"),
    ({"InForce": ("False", "Expired")}, "Current"),
    (dict([IN_FORCE]) | {"Acknowledged": ("False", "Waiting"), "Reconciling": ("True", "Waiting")}, "InProgress"),
    (
        dict([IN_FORCE]) | {"Acknowledged": ("False", "NotAcknowledged"), "Reconciling": ("True", "NotAcknowledged")},
        "InProgress",
    ),
]
POLICIES: list[tuple[dict[str, tuple[str, str]], str]] = [
    ({"Ready": ("True", policy_conditions.APPLIED)}, "Current"),
    ({"Ready": ("False", policy_conditions.APPLYING), "Reconciling": ("True", "Applying")}, "InProgress"),
    ({"Ready": ("False", policy_conditions.NOT_UNDERSTOOD), "Stalled": ("True", "NotUnderstood")}, "Failed"),
]


@pytest.mark.parametrize("kind", ["IngestPause", "ClusterIngestPause"])
@pytest.mark.parametrize(("conditions", "status"), PAUSES)
def test_a_pause_is_in_progress_until_each_job_has_acknowledged_it(
    kind: str, conditions: dict[str, tuple[str, str]], status: str
) -> None:
    assert compute_status(document(kind, conditions)) == status
    assert compute_status(document(kind, conditions, observed=1)) == "InProgress"


@pytest.mark.parametrize(("conditions", "status"), POLICIES)
def test_a_policy_is_in_progress_until_each_job_shows_it(conditions: dict[str, tuple[str, str]], status: str) -> None:
    assert compute_status(document("IngestPolicy", conditions)) == status
    assert compute_status(document("IngestPolicy", conditions, observed=1)) == "InProgress"


def test_a_job_is_current_when_it_streams_or_is_paused_and_failed_when_a_person_has_to_act(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    assert compute_status(tenant.job()) == "Current"
    tenant.patch(enabled=False)
    tenant.settled("Paused")
    assert compute_status(tenant.job()) == "Current"
    tenant.patch(enabled=True, pod={"priorityClassName": "not-allowed"})
    eventually(lambda: tenant.condition("Ready") == ("False", "PolicyDenied"))
    assert compute_status(tenant.job()) == "Failed"


@pytest.fixture
def covered_by_nothing(tenant: Tenant, kubectl: Kubectl) -> Iterator[str]:
    """A ClusterIngestPause and an IngestPolicy of this name, which concern no job."""
    name = f"{tenant.name}-kstatus"
    feeds = [{"name": "alpaca", "feeds": ["boats"]}]
    for kind, spec in (
        ("ClusterIngestPause", {"reason": "kstatus", "providers": feeds}),
        ("IngestPolicy", {"mode": "Warn", "namespaceSelector": {"matchLabels": {"sluice.dev/tenant": "none"}}}),
    ):
        found = {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        kubectl("create", "-f", "-", text=json.dumps(found))
    yield name
    kubectl("delete", "cipause,ipolicy", name)


def test_the_pauses_and_policies_that_the_operator_reports_become_current(
    tenant: Tenant, kubectl: Kubectl, covered_by_nothing: str
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    spec = {"jobs": ["feed"], "reason": "kstatus"}
    pause = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPause", "metadata": {"name": "kstatus"}, "spec": spec}
    kubectl("create", "-n", tenant.name, "-f", "-", text=json.dumps(pause))
    tenant.run("wait", "ipause/kstatus", "--for=condition=Acknowledged", "--timeout=15s")
    assert compute_status(kubectl.get("ipause", "kstatus", "-n", tenant.name)) == "Current"
    for kind in ("cipause", "ipolicy"):
        assert compute_status(reported(kubectl, kind, covered_by_nothing)) == "Current"


def reported(kubectl: Kubectl, kind: str, name: str) -> dict[str, Any]:
    """Return an object once the operator has reported its conditions."""

    def find() -> dict[str, Any] | None:
        found: dict[str, Any] = kubectl.get(kind, name)
        return found if found.get("status", {}).get("conditions") else None

    return eventually(find)
