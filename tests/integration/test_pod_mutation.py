"""A webhook that changes the pods of a job, on a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_devcluster.kubectl import Kubectl
from support.admission_webhook import Patch
from support.pod_webhook import injected_container, pod_webhook
from support.site import Tenant, eventually

RELABEL = {"op": "add", "path": "/metadata/labels/app.kubernetes.io~1managed-by", "value": "platform-team"}
REMOVE_OWNERS = {"op": "remove", "path": "/metadata/ownerReferences"}
PIN_HASH = {"op": "add", "path": "/metadata/annotations/sluice.dev~1cold-hash", "value": "pinned"}
OTHER_ARGUMENTS = {"op": "add", "path": "/spec/containers/0/args", "value": ["--version"]}
# What clusters add without harm. The API server itself adds a toleration, a token volume and defaults.
HARMLESS: Patch = [
    {"op": "add", "path": "/metadata/labels/team", "value": "data"},
    {"op": "add", "path": "/metadata/labels/app.kubernetes.io~1name", "value": "feeds"},
    {"op": "add", "path": "/metadata/annotations/mesh.example.com~1status", "value": "injected"},
    {"op": "add", "path": "/spec/tolerations", "value": [{"key": "feeds", "operator": "Exists"}]},
    {"op": "add", "path": "/spec/imagePullSecrets", "value": [{"name": "mirror"}]},
    {"op": "add", "path": "/spec/containers/0/env/0", "value": {"name": "MESH", "value": "on"}},
    {"op": "add", "path": "/spec/containers/0/imagePullPolicy", "value": "Always"},
    {"op": "add", "path": "/spec/volumes/-", "value": {"name": "mesh", "emptyDir": {}}},
    {"op": "add", "path": "/spec/containers/0", "value": injected_container("mesh-proxy", "sleep", "100000")},
]
RETRY_SECONDS = 40.0


def stalled_message(tenant: Tenant) -> str:
    """Wait until the job is stalled because its pods are changed. Return the message."""
    eventually(lambda: tenant.condition(c.STALLED) == ("True", c.POD_MUTATED), RETRY_SECONDS)
    [found] = [each for each in tenant.job()["status"]["conditions"] if each["type"] == c.STALLED]
    return str(found["message"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (RELABEL, 'metadata.labels[app.kubernetes.io/managed-by] is "platform-team" instead of "sluice-operator".'),
        (REMOVE_OWNERS, "metadata.ownerReferences is absent instead of"),
        (PIN_HASH, 'metadata.annotations[sluice.dev/cold-hash] is "pinned" instead of'),
        (OTHER_ARGUMENTS, 'spec.containers[ingest].args is ["--version"] instead of ["run"].'),
    ],
    ids=["label", "owner", "annotation", "arguments"],
)
def test_two_changed_pods_stall_the_job_and_no_third_is_created(
    change: dict[str, Any], field: str, tenant: Tenant, kubectl: Kubectl, tmp_path: Path
) -> None:
    with pod_webhook(kubectl, tenant.name, tmp_path, [change]) as webhook:
        tenant.apply()
        assert field in stalled_message(tenant)
        eventually(lambda: tenant.pods() == [], RETRY_SECONDS)
        tenant.patch(enabled=False)
        eventually(lambda: tenant.condition(c.PAUSED) == ("True", c.NOTHING_CONNECTED))
        assert len(webhook.pods) == 2
        webhook.patch = []
        tenant.patch(enabled=True, synthetic={"quotesPerSecond": 50, "seed": 2})
        tenant.settled("Streaming", seconds=40)


def test_a_webhook_that_sets_another_account_is_refused_with_a_message(
    tenant: Tenant, kubectl: Kubectl, tmp_path: Path
) -> None:
    change = {"op": "replace", "path": "/spec/serviceAccountName", "value": "default"}
    with pod_webhook(kubectl, tenant.name, tmp_path, [change]):
        tenant.apply()
        eventually(lambda: tenant.condition(c.STALLED) == ("True", c.POD_REJECTED), RETRY_SECONDS)
        assert "If a webhook sets another ServiceAccount on pods, exempt" in str(tenant.job()["status"])


def test_harmless_changes_of_a_pod_change_nothing(tenant: Tenant, kubectl: Kubectl, tmp_path: Path) -> None:
    tenant.allow_injected_containers()
    with pod_webhook(kubectl, tenant.name, tmp_path, HARMLESS) as webhook:
        tenant.apply()
        tenant.settled("Streaming", seconds=40)
        assert len(webhook.pods) == 1
