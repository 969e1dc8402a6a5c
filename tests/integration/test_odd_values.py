"""Values that no correct writer stores, on a real API server: no process ends, and each job streams or says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_devcluster.kubectl import Kubectl
from support.odd_values import FIVE_THOUSAND_DIGITS
from support.site import Tenant, eventually

OWN_ANNOTATIONS = ("sluice.dev/epoch", "sluice.dev/cold-hash", "sluice.dev/spec-hash")
LARGEST = 2**53 - 1
FIRST_SECOND, LAST_SECOND = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
# What a stored status can contain; the API server refuses other types and larger numbers.
REPORT: dict[str, Any] = {
    "observedGeneration": LARGEST,
    "stopsGeneration": LARGEST,
    "gaps": [{"from": FIRST_SECOND, "to": LAST_SECOND, "cause": "stall"}],
    "openGap": {"since": LAST_SECOND, "cause": "restart"},
    "state": "Live",
    "clockSkewMilliseconds": -LARGEST,
}
NESTED = 3000  # less than the API server refuses, and more than a decoder with Python's limit of calls reads


def operator_restarts(kubectl: Kubectl) -> list[tuple[str, int]]:
    """Return the operator's pods, each with the number of its restarts."""
    pods = kubectl.get("pods", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator")["items"]
    statuses = [(pod, status) for pod in pods for status in pod["status"].get("containerStatuses", ())]
    return [(pod["metadata"]["name"], status["restartCount"]) for pod, status in statuses]


def patch_status(tenant: Tenant, status: dict[str, Any]) -> None:
    """Send a merge patch of the status, as the cluster's administrator."""
    tenant.run("patch", "ij", "feed", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


@pytest.mark.parametrize("value", [str(2**63 - 1), FIVE_THOUSAND_DIGITS, "", "\u0663"], ids=lambda text: text[:20])
def test_odd_annotations_of_a_pod_end_nothing(tenant: Tenant, kubectl: Kubectl, value: str) -> None:
    tenant.apply()
    before, restarts = tenant.settled("Streaming", seconds=40), operator_restarts(kubectl)
    metadata = {"annotations": dict.fromkeys(OWN_ANNOTATIONS, value)}
    tenant.run("patch", "pod", "feed-ingest", "--type=merge", "-p", json.dumps({"metadata": metadata}))
    eventually(lambda: tenant.job()["status"].get("stream", {}).get("podUID") != before["stream"]["podUID"], 40)
    after = tenant.settled("Streaming", seconds=40)
    assert before["epoch"] < after["epoch"] < LARGEST
    assert operator_restarts(kubectl) == restarts


def test_an_odd_status_ends_nothing_and_a_new_pod_streams(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    before, restarts = tenant.settled("Streaming", seconds=40), operator_restarts(kubectl)
    patch_status(tenant, {"stream": REPORT, "restart": {"count": LARGEST, "nextAt": LAST_SECOND}})
    tenant.run("delete", "pod", "feed-ingest", "--wait=false")
    patch_status(tenant, {"stream": REPORT})
    eventually(lambda: tenant.job()["status"]["stream"].get("podUID") != before["stream"]["podUID"], 40)
    after = tenant.settled("Streaming", seconds=40)
    assert all(gap["to"] < LAST_SECOND for gap in after["stream"].get("gaps", []))
    assert "openGap" not in after["stream"]
    tenant.patch(enabled=False)
    tenant.settled("Paused")
    assert operator_restarts(kubectl) == restarts


def test_managed_fields_that_are_nested_deeply_end_nothing(tenant: Tenant, kubectl: Kubectl, tmp_path: Path) -> None:
    tenant.apply()
    tenant.settled("Streaming", seconds=40)
    restarts, file = operator_restarts(kubectl), tmp_path / "patch.json"
    fields = '{"f:spec":' + '{"f:x":' * NESTED + "{}" + "}" * NESTED + "}"
    entry = '{"manager":"odd","operation":"Update","apiVersion":"sluice.dev/v1alpha1","fieldsType":"FieldsV1"'
    file.write_text(f'{{"metadata":{{"annotations":{{"x":"y"}},"managedFields":[{entry},"fieldsV1":{fields}}}]}}}}')
    tenant.run("patch", "ij", "feed", "--type=merge", "--patch-file", str(file))
    assert tenant.run("get", "ij", "feed", "-o", "json", "--show-managed-fields").count("f:x") >= NESTED
    tenant.patch(symbols=["SPY"])
    tenant.settled("Streaming")
    tenant.run("delete", "pod", "feed-ingest", "--wait=false")
    tenant.patch(enabled=False)
    tenant.settled("Paused", seconds=40)
    assert operator_restarts(kubectl) == restarts


def test_half_a_surrogate_pair_is_stored_as_another_character(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    before, restarts = tenant.settled("Streaming", seconds=40), operator_restarts(kubectl)
    patch = '{"metadata":{"annotations":{"x":"\\ud800"}},"spec":{"pause":{"reason":"\\ud800"}}}'
    tenant.run("patch", "ij", "feed", "--type=merge", "-p", patch)
    status = tenant.settled("Paused")
    assert status["stream"]["pause"]["reason"] == "\ufffd"
    assert status["stream"]["podUID"] == before["stream"]["podUID"]
    assert operator_restarts(kubectl) == restarts
    assert tenant.condition(c.STALLED) == ("", "")


def pod_of_another_groups_ingestjob(namespace: str) -> dict[str, Any]:
    """Return a pod with the name and the labels of an ingest pod, whose controller is of another API group."""
    owner = {"apiVersion": "other.dev/v1", "kind": identity.KIND, "name": "feed", "uid": "other", "controller": True}
    # The garbage collector does not know this kind, so it does not delete the pod for its missing owner.
    labels = {identity.MANAGED_BY_LABEL: identity.MANAGED_BY}
    metadata = {"name": "feed-ingest", "namespace": namespace, "labels": labels, "ownerReferences": [owner]}
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "ingest", "image": "other", "command": ["sleep", "600"], "securityContext": security}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def test_a_pod_of_another_groups_ingestjob_is_left_as_it_is(tenant: Tenant, kubectl: Kubectl) -> None:
    kubectl.apply([pod_of_another_groups_ingestjob(tenant.name)])
    tenant.apply()
    eventually(lambda: tenant.condition("Stalled") == ("True", c.NAME_CONFLICT))
    tenant.patch(enabled=False)
    eventually(lambda: tenant.condition("Paused")[0] == "True")
    assert [pod["metadata"]["ownerReferences"][0]["apiVersion"] for pod in tenant.pods()] == ["other.dev/v1"]
    tenant.patch(enabled=True)
    tenant.run("delete", "pod", "feed-ingest", "--grace-period=0", "--force")
    tenant.settled("Streaming", seconds=40)
