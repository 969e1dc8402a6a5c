"""The table of docs/security.md, cell by cell: the answer of RBAC, and the result of the request itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Quickstart
from sluice_operator.domain.workload import role_binding_manifest
from support.attempts import Attempt, Caller
from support.callers import ingest_pod, job, pod, token
from support.rights_table import Row, rights_table
from support.site import Tenant, eventually

SYSTEM = "sluice-system"
OURS = {"app.kubernetes.io/managed-by": "sluice-operator"}
TENANT_TRIAL = "sluice-trial-tenant-required"
IN_LEASE = "sluice-operator in sluice-system"
RBAC = "rbac.authorization.k8s.io"


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


def slot(namespace: str, name: str = "sluice-slot-1", **spec: Any) -> dict[str, Any]:
    """Return the Lease of a connection slot that job feed holds, changed by `spec`."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"holderIdentity": "feed", "leaseDurationSeconds": 60, **spec},
    }


def attempts(here: str, lease: dict[str, Any]) -> dict[Row, Attempt]:
    """Return the request of each row. `here` is the tenant's namespace, `lease` the operator's Lease."""
    stream, label = {"status": {"stream": {"ingestEnabledSource": "x"}}}, {"metadata": {"labels": OURS}}
    globex = {"metadata": {"labels": {"sluice.dev/tenant": "globex"}}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "another", "namespace": here}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "another", "namespace": here}}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "another", "namespace": here},
        "involvedObject": {"kind": "IngestJob", "namespace": here, "name": "feed"},
    }
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    shapeless = pod(here, account="sluice-ingest", name="another-ingest")
    annotation, emptied = {"metadata": {"annotations": {"a": "b"}}}, {"status": {"conditions": None}}
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}  # a body overrides the query
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
        ("create", "pods", "as an ingest pod"): (here, "", ingest_pod(here, here)),
        ("create", "pods", "as an ingest pod of another shape"): (here, "", shapeless),
        ("create", "pods", "as anything else"): (here, "", pod(here, name="another")),
        ("create", "pods", "in kube-system"): ("kube-system", "", pod("kube-system")),
        ("create", "pods", "a trial"): (here, "", pod(here, name="sluice-trial-operator")),
        ("create", "pods", "a trial in kube-system"): ("kube-system", "", pod("kube-system", name=TENANT_TRIAL)),
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
        ("get", "leases", IN_LEASE): (SYSTEM, "sluice-operator"),
        ("update", "leases", IN_LEASE): (SYSTEM, "sluice-operator", lease),
        ("delete", "leases", IN_LEASE): (SYSTEM, "sluice-operator", options),
        ("patch", "namespaces", "the label of its tenant"): ("", here, globex),
        ("get", "namespaces", "its own"): ("", here),
        ("list", "nodes", ""): (),
        ("patch", "validatingadmissionpolicies", "sluice-tenant"): ("", "sluice-tenant", annotation),
    }  # fmt: skip
    return {row: Attempt(row[0], row[1], *what) for row, what in (found | policy_attempts(here)).items()}


def policy_attempts(here: str) -> dict[Row, tuple[Any, ...]]:
    """Return the requests of the rows about bindings, and about what policies refuse although RBAC allows it."""
    provider = {"metadata": {"labels": {"sluice.dev/provider": "ibkr"}}}
    bound = role_binding_manifest(here)
    subjects = [{"kind": "ServiceAccount", "name": "default", "namespace": here}]
    return {
        ("list", "serviceaccounts", "all namespaces"): (),
        ("list", "rolebindings", "all namespaces"): (),
        ("patch", "pods", "another pod: the label of a provider"): (here, "made-by-hand", provider),
        ("patch", "pods", "another pod: the image"): (here, "made-by-hand", image("containers", "main")),
        ("patch", "pods", "feed-ingest: the image"): (here, "feed-ingest", image("containers", "ingest")),
        ("patch", "pods/ephemeralcontainers", "feed-ingest"): (here, "feed-ingest", image("ephemeralContainers", "x")),
        ("create", "rolebindings", "sluice-ingest, to another account"): (here, "", bound | {"subjects": subjects}),
        ("patch", "rolebindings", "sluice-ingest: the subjects"): (here, "sluice-ingest", {"subjects": subjects}),
        ("create", "leases", "sluice-slot-1, held by feed"): (here, "", slot(here)),
        ("create", "leases", "sluice-slot-1, held by another job"): (here, "", slot(here, holderIdentity="idle")),
        ("create", "leases", "sluice-slot-1, for an hour"): (here, "", slot(here, leaseDurationSeconds=3600)),
        ("create", "leases", "of another name"): (here, "", slot(here, "leader")),
    }


def image(containers: str, name: str) -> dict[str, Any]:
    """Return the patch of a pod that gives a container another image, or adds it."""
    return {"spec": {containers: [{"name": name, "image": "another"}]}}


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
    identities, expected = rights_table("Who may do what")
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
