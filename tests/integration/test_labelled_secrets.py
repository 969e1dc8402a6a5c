"""The optional policy that lets ingest pods mount only Secrets with a label."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import SYSTEM_NAMESPACE, Quickstart
from support.cluster import ROOT
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream

COMPONENT = ROOT / "manifests/components/labelled-secrets/policy-labelled-secrets.yaml"
LABEL = "sluice.dev/provider-credentials=true"
ACCOUNTS = ("sluice-ingest", "default")


@pytest.fixture(scope="module", autouse=True)
def policy(site: Quickstart) -> Iterator[None]:
    """Apply the component's objects while the tests of this module run."""
    site.kubectl("apply", "-f", str(COMPONENT))
    yield
    site.kubectl("delete", "-f", str(COMPONENT))


# As the policies for all pods require it, with a Secret.
_CONTAINER = {
    "name": "ingest",
    "image": "none",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "probe"},
    "spec": {
        "serviceAccountName": "sluice-ingest",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_CONTAINER],
        "volumes": [{"name": "probe", "secret": {"secretName": "probe"}}],
    },
}


def _may(kubectl: Kubectl, verb: str, account: str, namespace: str) -> bool:
    """Return whether an account has a right on Secrets of a namespace."""
    try:
        kubectl("auth", "can-i", verb, "secrets", "-n", namespace, "--as", f"system:serviceaccount:{account}")
    except KubectlError:
        return False
    return True


def test_a_pod_mounts_a_labelled_secret_and_no_other(tenant: Tenant, upstream: Upstream) -> None:
    tenant.secret("probe", key="of another program")
    tenant.apply()
    eventually(tenant.pods)  # now the namespace has the account of ingest pods
    eventually(lambda: _is_enforced(tenant), 30)
    tenant.run("delete", "ij", "feed")
    eventually(lambda: tenant.pods() == [])
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.apply(**streaming_from(upstream))
    status = tenant.settled("PodRejected")
    [message] = [each["message"] for each in status["conditions"] if each["type"] == "Ready"]
    assert f"kubectl label secret alpaca -n {tenant.name} {LABEL}" in message
    assert tenant.pods() == []
    tenant.run("label", "secret", "alpaca", LABEL)
    tenant.patch(symbols=["AAPL", "MSFT"])  # otherwise the operator tries again after a minute
    eventually(tenant.pods)  # although the namespace also has the unlabelled Secret `probe`


def test_the_policy_gives_no_account_a_right_on_secrets(tenant: Tenant) -> None:
    accounts = [f"{SYSTEM_NAMESPACE}:sluice-operator", *(f"{tenant.name}:{name}" for name in ACCOUNTS)]
    allowed = [
        (account, verb)
        for account in accounts
        for verb in ("get", "list", "watch")
        if _may(tenant.kubectl, verb, account, tenant.name)
    ]
    assert allowed == []


def test_a_user_who_may_only_edit_jobs_declares_one_and_reads_no_secret(tenant: Tenant) -> None:
    user = f"system:serviceaccount:{tenant.name}:editor"
    tenant.run("create", "serviceaccount", "editor")
    account = f"--serviceaccount={tenant.name}:editor"
    tenant.run("create", "rolebinding", "editor", "--clusterrole=sluice-ingestjobs-edit", account)
    can_i = ("auth", "can-i", "create", "ingestjobs.sluice.dev", "-n", tenant.name, "--as", user)
    eventually(lambda: tenant.kubectl(*can_i).strip() == "yes")
    assert not any(_may(tenant.kubectl, verb, f"{tenant.name}:editor", tenant.name) for verb in ("get", "list"))


def _is_enforced(tenant: Tenant) -> bool:
    """Return whether the API server refuses an ingest pod with the Secret `probe`: a new policy takes a moment."""
    try:
        tenant.kubectl("create", "--dry-run=server", "-n", tenant.name, "-f", "-", text=json.dumps(_POD))
    except KubectlError as error:
        if "does not have it" in str(error):
            return True
        raise
    return False
