"""The table of docs/security.md about pauses and policies, cell by cell, with real tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.attempts import Attempt, Caller
from support.callers import token
from support.rights_table import Row, rights_table
from support.site import Tenant

SYSTEM = "sluice-system"
HEADING = "Who may pause, and who may set bounds"
# Objects that exist during the test. They cover no job, so they pause none of another test.
PAUSED_NAMES = {"jobs": ["none"], "reason": "rights"}
PAUSED_FEED = {"providers": [{"name": "alpaca", "feeds": ["boats"]}], "reason": "rights"}
NO_NAMESPACE = {"namespaceSelector": {"matchLabels": {"sluice.dev/tenant": "none"}}, "mode": "Warn"}
REVIEW = {"spec": {"user": "x", "resourceAttributes": {"verb": "get", "resource": "pods"}}}


def document(kind: str, name: str, spec: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    """Return the manifest of an object of Sluice."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def attempts(here: str, held: str, user_name: str) -> dict[Row, Attempt]:
    """Return the request of each row. `held` is the name of the existing objects, `user_name` that of the caller."""
    other = {"by": "another"}
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}
    reason, status = {"spec": {"reason": "changed"}}, {"status": {"observedGeneration": 1}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"} | REVIEW

    def pause(**more: str) -> dict[str, Any]:
        return document("IngestPause", "another", PAUSED_NAMES | more, here)

    def cluster_pause(**more: str) -> dict[str, Any]:
        return document("ClusterIngestPause", "another", PAUSED_FEED | more)

    found: dict[Row, tuple[Any, ...]] = {
        ("get", "ingestpauses", "held"): (here, held),
        ("list", "ingestpauses", ""): (here,),
        ("list", "ingestpauses", "all namespaces"): (),
        ("create", "ingestpauses", "unsigned"): (here, "", pause()),
        ("create", "ingestpauses", "signed with the own name"): (here, "", pause(by=user_name)),
        ("create", "ingestpauses", "signed with another name"): (here, "", pause(**other)),
        ("patch", "ingestpauses", "held: the reason"): (here, held, reason),
        ("delete", "ingestpauses", "held"): (here, held, options),
        ("patch", "ingestpauses/status", "held"): (here, held, status),
        ("list", "ingestjobs", ""): (here,),
        ("patch", "ingestjobs", "feed: enabled"): (here, "feed", {"spec": {"enabled": False}}),
        ("patch", "ingestjobs/status", "feed: policy"): (here, "feed", {"status": {"policy": {"names": ["x"]}}}),
        ("list", "clusteringestpauses", ""): (),
        ("create", "clusteringestpauses", "unsigned"): ("", "", cluster_pause()),
        ("create", "clusteringestpauses", "signed with another name"): ("", "", cluster_pause(**other)),
        ("patch", "clusteringestpauses", "held: the reason"): ("", held, reason),
        ("delete", "clusteringestpauses", "held"): ("", held, options),
        ("patch", "clusteringestpauses/status", "held"): ("", held, status),
        ("list", "ingestpolicies", ""): (),
        ("create", "ingestpolicies", ""): ("", "", document("IngestPolicy", "another", NO_NAMESPACE)),
        ("patch", "ingestpolicies", "held: the mode"): ("", held, {"spec": {"mode": "Enforce"}}),
        ("delete", "ingestpolicies", "held"): ("", held, options),
        ("patch", "ingestpolicies/status", "held"): ("", held, status),
        ("list", "namespaces", ""): (),
        ("create", "subjectaccessreviews", ""): ("", "", review),
    }  # fmt: skip
    return {row: Attempt(row[0], row[1], *what) for row, what in found.items()}


def account_with_role(kubectl: Kubectl, namespace: str, account: str, role: str, *, is_fleet: bool) -> None:
    """Create a ServiceAccount that has a ClusterRole: in the whole cluster, or else in its namespace."""
    kubectl("create", "serviceaccount", account, "-n", namespace)
    subject = f"--serviceaccount={namespace}:{account}"
    if is_fleet:
        kubectl("create", "clusterrolebinding", f"{namespace}-{account}", f"--clusterrole={role}", subject)
    else:
        kubectl("create", "rolebinding", account, "-n", namespace, f"--clusterrole={role}", subject)


@pytest.fixture
def held(tenant: Tenant, kubectl: Kubectl) -> Iterator[str]:
    """One object of each of the three kinds with this name, none of which covers a job."""
    name = f"{tenant.name}-held"
    kubectl.apply(
        [
            document("IngestPause", name, PAUSED_NAMES, tenant.name),
            document("ClusterIngestPause", name, PAUSED_FEED),
            document("IngestPolicy", name, NO_NAMESPACE),
        ]
    )
    yield name
    kubectl("delete", "cipause,ipolicy", name)


@pytest.fixture
def callers(tenant: Tenant, site: Quickstart) -> Iterator[dict[str, tuple[Caller, str]]]:
    """Each identity of the table with a real token, and its user name."""
    kubectl, here = site.kubectl, tenant.name
    other = Tenant(kubectl, site.emulator, f"{here}-other")
    account_with_role(kubectl, here, "user", "edit", is_fleet=False)
    account_with_role(kubectl, here, "pauser", "sluice-pauser", is_fleet=False)
    account_with_role(kubectl, here, "fleet", "sluice-fleet-pauser", is_fleet=True)
    account_with_role(kubectl, here, "bounds", "sluice-policy-admin", is_fleet=True)
    for each in (tenant, other):
        each.apply()
        each.settled("Streaming")
    accounts = {
        "tenant's user": (here, "user", ""),
        "tenant's pod": (here, "sluice-ingest", "feed-ingest"),
        "other tenant's pod": (other.name, "sluice-ingest", "feed-ingest"),
        "pauser": (here, "pauser", ""),
        "fleet pauser": (here, "fleet", ""),
        "policy admin": (here, "bounds", ""),
        "operator": (SYSTEM, "sluice-operator", ""),
    }
    yield {
        name: (Caller(kubectl, token(kubectl, *account)), f"system:serviceaccount:{account[0]}:{account[1]}")
        for name, account in accounts.items()
    }
    kubectl("delete", "clusterrolebinding", f"{here}-fleet", f"{here}-bounds")
    kubectl("delete", "namespace", other.name, "--wait=false")


def test_each_identity_may_pause_and_set_bounds_exactly_as_the_page_says(
    tenant: Tenant, held: str, callers: dict[str, tuple[Caller, str]]
) -> None:
    identities, expected = rights_table(HEADING)
    assert (set(identities), set(attempts(tenant.name, held, ""))) == (set(callers), set(expected))
    found: dict[Row, list[str]] = {row: [] for row in expected}
    for name in identities:
        caller, user_name = callers[name]
        for row, attempt in attempts(tenant.name, held, user_name).items():
            found[row].append(caller.answer(attempt))
    assert [f"{row}: {answers}" for row, answers in found.items()] == [f"{row}: {expected[row]}" for row in found]
