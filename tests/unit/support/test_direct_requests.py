"""The requests for reads and applies, and the form of what is read. The rest needs an API server."""

from __future__ import annotations

from typing import Any

import pytest

from support.direct_requests import Request, apply_path, as_kubectl_prints, request_of

SLUICE = "/apis/sluice.dev/v1alpha1"
LABEL = "app.kubernetes.io/name=sluice-operator"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ("ij feed -n acme", f"{SLUICE}/namespaces/acme/ingestjobs/feed"),
        ("-n acme ipause us", f"{SLUICE}/namespaces/acme/ingestpauses/us"),
        ("ij -n acme", f"{SLUICE}/namespaces/acme/ingestjobs"),
        ("ij -A", f"{SLUICE}/ingestjobs"),
        ("cipause fleet", f"{SLUICE}/clusteringestpauses/fleet"),
        ("cipause fleet -n acme", f"{SLUICE}/clusteringestpauses/fleet"),
        ("ipolicy", f"{SLUICE}/ingestpolicies"),
        ("deployment sluice-operator -n system", "/apis/apps/v1/namespaces/system/deployments/sluice-operator"),
        ("lease us -n acme", "/apis/coordination.k8s.io/v1/namespaces/acme/leases/us"),
        (f"pods -n system -l {LABEL}", f"/api/v1/namespaces/system/pods?labelSelector={LABEL}"),
    ],
)
def test_a_kind_in_a_namespace_or_in_all_of_them_is_read_at_its_path(arguments: str, path: str) -> None:
    path = path.replace(LABEL, "app.kubernetes.io%2Fname%3Dsluice-operator")
    assert request_of(arguments.split()) == Request(path, shows_managed_fields=False)


def test_the_managed_fields_are_shown_on_request() -> None:
    found = request_of(["ij", "feed", "-n", "acme", "--show-managed-fields"])
    assert found == Request(f"{SLUICE}/namespaces/acme/ingestjobs/feed", shows_managed_fields=True)


@pytest.mark.parametrize(
    "arguments",
    [
        "", "ij feed", "ij -n", "ij feed -n acme -A", "ij one two -n acme", "ij,pods -n acme", "deployment/x -n acme",
        "crd x", "configmap x -n acme", "ij feed -n acme -l a=b", "ij -n acme --field-selector=a=b",
        "ij feed -n acme --ignore-not-found", "--raw /version", "pods -n acme -w",
    ],
)  # fmt: skip
def test_all_other_arguments_are_left_to_kubectl(arguments: str) -> None:
    assert request_of(arguments.split()) is None


def pod(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "us"} | metadata, "spec": {}}


def test_a_list_has_the_form_that_kubectl_gives_it() -> None:
    found = {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [pod()]}
    assert as_kubectl_prints(found, Request("/api/v1/pods", shows_managed_fields=False)) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"apiVersion": "v1", "kind": "Pod"} | pod()],
        "metadata": {"resourceVersion": ""},
    }


@pytest.mark.parametrize("shows_managed_fields", [False, True])
def test_managed_fields_are_left_out_unless_they_are_shown(shows_managed_fields: bool) -> None:
    stored = pod(managedFields=[{"manager": "sluice"}])
    request = Request("/api/v1/namespaces/acme/pods/us", shows_managed_fields)
    assert as_kubectl_prints(stored, request) == (stored if shows_managed_fields else pod())


def document(api_version: str, kind: str, **metadata: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("applied", "path"),
    [
        (document("v1", "Namespace", name="acme"), "/api/v1/namespaces/acme"),
        (document("v1", "Secret", name="key", namespace="acme"), "/api/v1/namespaces/acme/secrets/key"),
        (
            document("sluice.dev/v1alpha1", "IngestJob", name="us", namespace="acme"),
            f"{SLUICE}/namespaces/acme/ingestjobs/us",
        ),
        (document("sluice.dev/v1alpha1", "ClusterIngestPause", name="fleet"), f"{SLUICE}/clusteringestpauses/fleet"),
    ],
)
def test_a_document_is_applied_at_its_path_by_the_manager_of_kubectl(applied: dict[str, Any], path: str) -> None:
    assert apply_path(applied) == f"{path}?fieldManager=kubectl&fieldValidation=Strict&force=true"


@pytest.mark.parametrize(
    "applied",
    [
        {},
        document("v1", "Secret", name="key"),
        document("v1", "Secret", namespace="acme"),
        document("v1", "Pod", name="us", namespace="acme"),
        document("example.com/v1", "IngestJob", name="us", namespace="acme"),
    ],
)
def test_other_documents_are_left_to_kubectl(applied: dict[str, Any]) -> None:
    assert apply_path(applied) is None
