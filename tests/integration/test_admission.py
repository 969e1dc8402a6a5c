"""The admission policies enforce what RBAC cannot express, and their messages are sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from support.callers import Callers, ingest_pod, job, pod
from support.site import Tenant

DRY = "--dry-run=server"


@pytest.fixture
def callers(site: Quickstart, tmp_path: Path) -> Callers:
    """Return kubectl callers other than the administrator."""
    return Callers(site, tmp_path)


def patch_status(caller: Kubectl, namespace: str, job: str, status: dict[str, Any]) -> str:
    """Dry-run a merge patch of a job's status; returns the answer."""
    text = json.dumps({"status": status})
    return caller("patch", "ij", job, "-n", namespace, "--subresource=status", "--type=merge", "-p", text, DRY)


def test_a_pod_writes_only_its_own_part_of_its_own_job_s_status(tenant: Tenant, callers: Callers) -> None:
    for name in ("feed", "other"):
        tenant.apply(name, heartbeat={"intervalSeconds": 1, "document": name}, symbols=[name.upper()])
        tenant.settled("Streaming", name)
    own = callers.account(tenant.name, "sluice-ingest", pod="feed-ingest")
    patch_status(own, tenant.name, "feed", {"stream": {"ingestEnabledSource": "x"}})
    with pytest.raises(KubectlError, match="may be written by its own pod only, other-ingest; this is pod feed-ingest"):
        patch_status(own, tenant.name, "other", {"stream": {"ingestEnabledSource": "x"}})
    for theirs in ({"phase": "Failed"}, {"epoch": 1}, {"conditions": None}):
        with pytest.raises(KubectlError, match=r"may write status\.stream only"):
            patch_status(own, tenant.name, "feed", theirs)


def test_a_token_that_is_bound_to_no_pod_writes_no_status(tenant: Tenant, callers: Callers) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    unbound = callers.account(tenant.name, "sluice-ingest")
    with pytest.raises(KubectlError, match="a token that is bound to no pod"):
        patch_status(unbound, tenant.name, "feed", {"stream": {"ingestEnabledSource": "x"}})


def test_a_namespace_serves_the_tenant_of_its_label(tenant: Tenant) -> None:
    tenant.kubectl("apply", DRY, "-f", "-", text=json.dumps(job(tenant.name, tenant.name)))
    with pytest.raises(KubectlError, match=f"serves tenant {tenant.name}, so spec.tenant cannot be globex"):
        tenant.kubectl("apply", DRY, "-f", "-", text=json.dumps(job(tenant.name, "globex")))


def test_a_namespace_without_a_tenant_rejects_jobs(kubectl: Kubectl) -> None:
    with pytest.raises(KubectlError, match=r"kubectl label namespace default sluice\.dev/tenant="):
        kubectl("apply", DRY, "-f", "-", text=json.dumps(job("default", "acme")))


def test_only_the_operator_creates_pods_with_the_operator_s_label(tenant: Tenant, callers: Callers) -> None:
    tenant.run("create", "serviceaccount", "user")
    tenant.run("create", "rolebinding", "user", "--clusterrole=edit", f"--serviceaccount={tenant.name}:user")
    tenant.run("create", "serviceaccount", "sluice-ingest")
    user = callers.account(tenant.name, "user")
    user("create", DRY, "-f", "-", text=json.dumps(pod(tenant.name)))
    label = {"app.kubernetes.io/managed-by": "sluice-operator"}
    for forged in (pod(tenant.name, labels=label), pod(tenant.name, account="sluice-ingest")):
        with pytest.raises(KubectlError, match="Only the Sluice operator makes pods"):
            user("create", DRY, "-f", "-", text=json.dumps(forged))
    user("create", "-f", "-", text=json.dumps(pod(tenant.name)))
    with pytest.raises(KubectlError, match="declare an IngestJob instead"):
        user("label", "pod", "made-by-hand", "-n", tenant.name, *(f"{name}={value}" for name, value in label.items()))


def test_the_operator_creates_only_ingest_pods_and_only_in_namespaces_with_a_tenant(
    tenant: Tenant, callers: Callers
) -> None:
    operator = callers.account("sluice-system", "sluice-operator")
    tenant.run("create", "serviceaccount", "sluice-ingest")
    operator("create", DRY, "-f", "-", text=json.dumps(ingest_pod(tenant.name, tenant.name)))
    with pytest.raises(KubectlError, match="only ingest pods and their ServiceAccount"):
        operator("create", DRY, "-f", "-", text=json.dumps(pod(tenant.name)))
    tenant.kubectl("create", "serviceaccount", "sluice-ingest", "-n", "default")
    with pytest.raises(KubectlError, match="serves no tenant yet"):
        operator("create", DRY, "-f", "-", text=json.dumps(ingest_pod("default", "acme")))
    tenant.kubectl("delete", "serviceaccount", "sluice-ingest", "-n", "default")
