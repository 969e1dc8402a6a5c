"""Only the operator and cluster administrators choose what runs in an ingest pod, or label a pod as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from support.callers import Callers
from support.site import Tenant, eventually


@pytest.fixture
def user(tenant: Tenant, site: Quickstart, tmp_path: Path) -> Kubectl:
    """kubectl as a user who has the role `edit`, and may add ephemeral containers, in the tenant's namespace."""
    tenant.run("create", "serviceaccount", "user")
    tenant.run("create", "role", "debug", "--verb=patch,update,get", "--resource=pods/ephemeralcontainers")
    tenant.run("create", "rolebinding", "user", "--clusterrole=edit", f"--serviceaccount={tenant.name}:user")
    tenant.run("create", "rolebinding", "debug", "--role=debug", f"--serviceaccount={tenant.name}:user")
    return Callers(site, tmp_path).account(tenant.name, "user")


def test_a_user_changes_no_image_of_an_ingest_pod_and_still_ends_it(
    tenant: Tenant, user: Kubectl, kubectl: Kubectl
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    for change in (set_image, add_ephemeral_container):
        with pytest.raises(KubectlError, match="Only the Sluice operator chooses the images of an ingest pod"):
            change(tenant, user)
        change(tenant, kubectl)
    user("label", "pod", "feed-ingest", "-n", tenant.name, "team=data")
    [before] = tenant.pods()
    user("delete", "pod", "feed-ingest", "-n", tenant.name, "--wait=false")
    eventually(lambda: [each["metadata"]["uid"] for each in tenant.pods()] != [before["metadata"]["uid"]], 40)


def set_image(tenant: Tenant, kubectl: Kubectl) -> None:
    """Change the image of the ingest container, as a dry run."""
    kubectl("set", "image", "pod/feed-ingest", "ingest=other", "-n", tenant.name, "--dry-run=server")


def add_ephemeral_container(tenant: Tenant, kubectl: Kubectl) -> None:
    """Add an ephemeral container, as `kubectl debug` does, as a dry run."""
    [pod] = tenant.pods()
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "shell", "securityContext": security}]
    path = f"/api/v1/namespaces/{tenant.name}/pods/feed-ingest/ephemeralcontainers?dryRun=All"
    kubectl("replace", "--raw", path, "-f", "-", text=json.dumps(pod))


def test_a_pod_of_a_user_gets_no_label_of_a_provider(tenant: Tenant, user: Kubectl) -> None:
    user("run", "reader", "--image=none", "-n", tenant.name, *restricted())
    user("label", "pod", "reader", "-n", tenant.name, "team=data")
    with pytest.raises(KubectlError, match=r"a label sluice\.dev/provider"):
        user("label", "pod", "reader", "-n", tenant.name, "sluice.dev/provider=ibkr")
    with pytest.raises(KubectlError, match=r"a label sluice\.dev/provider"):
        user("run", "other", "--image=none", "-n", tenant.name, "-l", "sluice.dev/provider=ibkr", *restricted())


def restricted() -> tuple[str, ...]:
    """Return the options of `kubectl run` for a pod that Pod Security's restricted level admits."""
    container = {
        "name": "main",
        "image": "none",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return ("--overrides", json.dumps({"spec": {"containers": [container], "securityContext": security}}))
