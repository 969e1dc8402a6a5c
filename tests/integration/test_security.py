"""The table of docs/security.md, cell by cell: the answer of RBAC, and the result of the request itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from support.attempts import Attempt, Caller
from support.callers import job, pod, token
from support.site import Tenant, eventually

ROOT = Path(__file__).parent.parent.parent
SYSTEM = "sluice-system"
OURS = {"app.kubernetes.io/managed-by": "sluice-operator"}
RBAC = "rbac.authorization.k8s.io"
Row = tuple[str, str, str]  # verb, resource, namespace or name


def table() -> tuple[list[str], dict[Row, list[str]]]:
    """Return the identities of the table, and their answers by row."""
    lines = (ROOT / "docs/security.md").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| verb |"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    head, _, *body = rows
    return head[3:], {(row[0], row[1], row[2]): row[3:] for row in body}


def binding(namespace: str, role: str) -> dict[str, Any]:
    """Return a RoleBinding, or a ClusterRoleBinding if there is no namespace."""
    meta = {"name": "another"} | ({"namespace": namespace} if namespace else {})
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
    }


def attempts(here: str, lease: dict[str, Any]) -> dict[Row, Attempt]:
    """Return the request of each row. `here` is the tenant's namespace, `lease` the operator's Lease."""
    stream, label = {"status": {"stream": {"ingestEnabledSource": "x"}}}, {"metadata": {"labels": OURS}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "another", "namespace": here}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "another", "namespace": here}}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "another", "namespace": here},
        "involvedObject": {"kind": "IngestJob", "namespace": here, "name": "feed"},
    }
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    ingest_pod = pod(here, account="sluice-ingest", name="another-ingest", labels=OURS)
    annotation, emptied = {"metadata": {"annotations": {"a": "b"}}}, {"status": {"conditions": None}}
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}  # a body overrides the query
    in_lease = "sluice-operator in sluice-system"
    found: dict[Row, tuple[Any, ...]] = {
        ("get", "ingestjobs", "feed"): (here, "feed"),
        ("list", "ingestjobs", ""): (here,),
        ("list", "ingestjobs", "all namespaces"): (),
        ("create", "ingestjobs", "for its own tenant"): (here, "", job(here, here)),
        ("create", "ingestjobs", "for another tenant"): (here, "", job(here, "globex")),
        ("patch", "ingestjobs", "feed"): (here, "feed", {"spec": {"enabled": False}}),
        ("delete", "ingestjobs", "feed"): (here, "feed", options),
        ("patch", "ingestjobs/status", "feed: stream"): (here, "feed", stream),
        ("patch", "ingestjobs/status", "feed: conditions"): (here, "feed", emptied),
        ("patch", "ingestjobs/status", "another job: stream"): (here, "idle", stream),
        ("get", "pods", "feed-ingest"): (here, "feed-ingest"),
        ("list", "pods", "all namespaces"): (),
        ("create", "pods", "as an ingest pod"): (here, "", ingest_pod),
        ("create", "pods", "as anything else"): (here, "", pod(here, name="another")),
        ("create", "pods", "in kube-system"): ("kube-system", "", pod("kube-system")),
        ("patch", "pods", "another pod: the operator's label"): (here, "made-by-hand", label),
        ("delete", "pods", "feed-ingest"): (here, "feed-ingest", options),
        ("delete", "pods", "another pod"): (here, "made-by-hand", options),
        ("get", "pods/log", "feed-ingest"): (here, "feed-ingest"),
        ("get", "secrets", "alpaca"): (here, "alpaca"),
        ("list", "secrets", ""): (here,),
        ("create", "secrets", ""): (here, "", secret),
        ("list", "secrets", "all namespaces"): (),
        ("get", "configmaps", "kube-root-ca.crt"): (here, "kube-root-ca.crt"),
        ("create", "serviceaccounts", ""): (here, "", account),
        ("patch", "serviceaccounts", "sluice-ingest"): (here, "sluice-ingest", annotation),
        ("create", "serviceaccounts/token", "sluice-ingest"): (here, "sluice-ingest", request),
        ("create", "rolebindings", "to cluster-admin"): (here, "", binding(here, "cluster-admin")),
        ("patch", "rolebindings", "sluice-ingest"): (here, "sluice-ingest", annotation),
        ("create", "clusterrolebindings", ""): ("", "", binding("", "sluice-ingest")),
        ("create", "events", ""): (here, "", event),
        ("get", "leases", in_lease): (SYSTEM, "sluice-operator"),
        ("update", "leases", in_lease): (SYSTEM, "sluice-operator", lease),
        ("delete", "leases", in_lease): (SYSTEM, "sluice-operator", options),
        ("patch", "namespaces", "the label of its tenant"): (
            "", here, {"metadata": {"labels": {"sluice.dev/tenant": "globex"}}}
        ),
        ("list", "nodes", ""): (),
        ("patch", "validatingadmissionpolicies", "sluice-tenant"): ("", "sluice-tenant", annotation),
    }  # fmt: skip
    return {row: Attempt(row[0], row[1], *what) for row, what in found.items()}


@pytest.fixture
def callers(tenant: Tenant, site: Quickstart) -> Iterator[dict[str, Caller]]:
    """All identities of the table, with real tokens."""
    kubectl, other = site.kubectl, Tenant(site.kubectl, site.emulator, f"{tenant.name}-other")
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.run("create", "serviceaccount", "user")
    tenant.run("create", "rolebinding", "user", "--clusterrole=edit", f"--serviceaccount={tenant.name}:user")
    tenant.kubectl.apply([pod(tenant.name)])
    tenant.apply()
    tenant.apply("idle", enabled=False, heartbeat={"intervalSeconds": 1, "document": "idle"}, symbols=["IDLE"])
    other.apply()
    tenant.settled("Streaming")
    tenant.settled("Paused", "idle")
    other.settled("Streaming")
    leader, standby = replicas(kubectl)
    tokens = {
        "tenant's user": token(kubectl, tenant.name, "user"),
        "tenant's pod": token(kubectl, tenant.name, "sluice-ingest", "feed-ingest"),
        "other tenant's pod": token(kubectl, other.name, "sluice-ingest", "feed-ingest"),
        "operator": token(kubectl, SYSTEM, "sluice-operator", leader),
        "standby": token(kubectl, SYSTEM, "sluice-operator", standby),
    }
    yield {name: Caller(kubectl, text) for name, text in tokens.items()}
    kubectl("delete", "namespace", other.name, "--wait=false")


def replicas(kubectl: Kubectl) -> tuple[str, str]:
    """Return the operator's pods: the leader, and the standby."""
    kubectl("scale", "deployment/sluice-operator", "-n", SYSTEM, "--replicas=2")
    kubectl("rollout", "status", "deployment/sluice-operator", "-n", SYSTEM, "--timeout=60s")
    held = ("lease", "sluice-operator", "-n", SYSTEM)
    leader = eventually(lambda: kubectl.get(*held)["spec"].get("holderIdentity", "").rpartition("_")[0])
    pods = [each["metadata"]["name"] for each in kubectl.get("pods", "-n", SYSTEM)["items"]]
    return leader, next(name for name in pods if name != leader)


def test_each_identity_may_do_exactly_what_the_page_says(
    tenant: Tenant, callers: dict[str, Caller], kubectl: Kubectl
) -> None:
    identities, expected = table()
    tried = attempts(tenant.name, kubectl.get("lease", "sluice-operator", "-n", SYSTEM))
    assert (set(identities), set(tried)) == (set(callers), set(expected))
    found = {row: [callers[name].answer(attempt) for name in identities] for row, attempt in tried.items()}
    assert [f"{row}: {answers}" for row, answers in found.items()] == [f"{row}: {expected[row]}" for row in found]


def test_ingest_pods_have_only_a_bound_token_that_expires(tenant: Tenant) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    [found] = tenant.pods()
    projected = [volume["projected"]["sources"] for volume in found["spec"]["volumes"] if "projected" in volume]
    tokens = [
        each["serviceAccountToken"] for [*sources] in projected for each in sources if "serviceAccountToken" in each
    ]
    assert [each["expirationSeconds"] for each in tokens] == [3607]
    assert tenant.run("get", "secrets", "-o", "name") == ""
