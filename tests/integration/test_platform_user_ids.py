"""Sluice where the platform chooses the user IDs, as OpenShift does: with the setting, it runs; without, it says why.

The node of these tests ignores user IDs, so they test what the API server and the platform's admission do with pods.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import OPERATOR, SYSTEM_NAMESPACE, Quickstart, install_operator
from sluice_manifests.objects import only_object_of_kind, parse_objects
from support.cluster import ROOT, operator_settings
from support.site import Tenant, eventually
from support.stop_checks import assert_nothing_is_written, is_paused, stream_from
from support.upstream import Upstream
from support.user_id_platform import ANNOTATION, ASSIGNED, ENFORCED, FIRST_ID, restricted_platform

MANIFESTS = ROOT / "manifests"
COMPONENT = MANIFESTS / "components/platform-user-id"
Manifest = dict[str, Any]


def with_component(kubectl: Kubectl, folder: Path, kustomization: Path) -> list[Manifest]:
    """Return the objects of a kustomization with the component, built from the new `folder`."""
    folder.mkdir()
    resource, component = (os.path.relpath(each, folder.resolve()) for each in (kustomization, COMPONENT))
    (folder / "kustomization.yaml").write_text(f"resources: [{resource}]\ncomponents: [{component}]\n")
    return parse_objects(kubectl("kustomize", str(folder)))


def label(kubectl: Kubectl, namespace: str, *labels: dict[str, str]) -> None:
    """Put a namespace under the rules of these labels."""
    kubectl("label", "namespace", namespace, *(f"{name}={value}" for each in labels for name, value in each.items()))


def pod_of_deployment(deployment: Manifest, namespace: str) -> Manifest:
    """Return a pod like those of a Deployment, but in a namespace and with the account that each namespace has."""
    spec = deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"}
    metadata = {"name": "like-a-deployment-s", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def is_enforced(tenant: Tenant) -> bool:
    """Return whether the API server refuses a pod that names its user ID: a new policy takes a moment."""
    plain = only_object_of_kind(parse_objects(tenant.kubectl("kustomize", str(MANIFESTS / "base"))), "Deployment")
    try:
        text = json.dumps(pod_of_deployment(plain, tenant.name))
        tenant.kubectl("create", "--dry-run=server", "-f", "-", text=text)
    except KubectlError as error:
        return "runAsUser must be in the ranges" in str(error)
    return False


@pytest.fixture(scope="module", autouse=True)
def platform(site: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Enforce the platform's rules in the namespaces that have their labels."""
    with restricted_platform(site.kubectl, tmp_path_factory.mktemp("platform")):
        yield


@pytest.fixture(scope="module")
def operator_with_setting(site: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Replace the operator by the one of the component, in a namespace under the platform's rules, for a while."""
    kubectl, environment = site.kubectl, operator_settings(site.emulator)
    label(kubectl, SYSTEM_NAMESPACE, ENFORCED, ASSIGNED)
    objects = with_component(kubectl, tmp_path_factory.mktemp("install") / "overlay", MANIFESTS / "base")
    [container] = only_object_of_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    container["env"] += [{"name": name, "value": value} for name, value in environment.items()]
    kubectl.apply(objects)
    kubectl("rollout", "status", OPERATOR, "-n", SYSTEM_NAMESPACE, "--timeout=60s")
    yield
    kubectl("label", "namespace", SYSTEM_NAMESPACE, *(f"{name}-" for name in (*ENFORCED, *ASSIGNED)))
    install_operator(kubectl, MANIFESTS, environment)


def test_with_the_default_setting_the_job_says_which_setting_the_platform_needs(tenant: Tenant) -> None:
    label(tenant.kubectl, tenant.name, ENFORCED)
    eventually(lambda: is_enforced(tenant), 30)
    tenant.apply()
    status = tenant.settled("PodRejected")
    [message] = [each["message"] for each in status["conditions"] if each["type"] == "Ready"]
    assert message.startswith("If this cluster assigns user IDs itself")
    assert "set the operator's podUserID to platform" in message
    assert "runAsUser must be in the ranges" in message
    assert tenant.pods() == []


# This test must come before the others of this module that use the operator with the setting.
def test_the_setting_replaces_no_pod(tenant: Tenant, request: pytest.FixtureRequest) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    before = [each["metadata"]["uid"] for each in tenant.pods()]
    request.getfixturevalue("operator_with_setting")
    tenant.patch(pause={"reason": "noticed by the new operator"})
    eventually(lambda: is_paused(tenant))
    assert [each["metadata"]["uid"] for each in tenant.pods()] == before


@pytest.mark.parametrize("source", ["base", "dashboard", "overlays/production"])
def test_the_platform_admits_the_pods_of_a_deployment_with_the_component_only(
    source: str, tenant: Tenant, tmp_path: Path
) -> None:
    label(tenant.kubectl, tenant.name, ENFORCED)
    folder = MANIFESTS / source
    plain = only_object_of_kind(parse_objects(tenant.kubectl("kustomize", str(folder))), "Deployment")
    changed = only_object_of_kind(with_component(tenant.kubectl, tmp_path / "overlay", folder), "Deployment")
    dry_run = ("create", "--dry-run=server", "-f", "-")
    with pytest.raises(KubectlError, match="runAsUser must be in the ranges"):
        tenant.kubectl(*dry_run, text=json.dumps(pod_of_deployment(plain, tenant.name)))
    tenant.kubectl(*dry_run, text=json.dumps(pod_of_deployment(changed, tenant.name)))


@pytest.mark.usefixtures("operator_with_setting")
def test_the_platform_s_user_id_is_that_of_the_operator(kubectl: Kubectl) -> None:
    pods = kubectl.get("pods", "-n", SYSTEM_NAMESPACE, "-l", "app.kubernetes.io/name=sluice-operator")["items"]
    running = [each for each in pods if "deletionTimestamp" not in each["metadata"]]
    assert running
    for pod in running:
        assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] == FIRST_ID
        assert pod["metadata"]["annotations"][ANNOTATION] == "restricted-v2"


@pytest.mark.usefixtures("operator_with_setting")
@pytest.mark.parametrize("labels", [[ENFORCED], [ENFORCED, ASSIGNED]], ids=["checked", "checked-and-assigned"])
def test_a_feed_streams_and_stops_under_the_platform_s_rules(
    labels: list[dict[str, str]], tenant: Tenant, upstream: Upstream
) -> None:
    label(tenant.kubectl, tenant.name, *labels)
    stream_from(tenant, upstream)
    [pod] = tenant.pods()
    assigned = ASSIGNED in labels
    assert pod["spec"]["containers"][0]["securityContext"].get("runAsUser") == (FIRST_ID if assigned else None)
    assert pod["spec"]["securityContext"].get("fsGroup") == (FIRST_ID if assigned else None)
    assert "runAsGroup" not in pod["spec"]["securityContext"]
    tenant.patch(enabled=False)
    eventually(lambda: is_paused(tenant))
    assert_nothing_is_written(tenant)
    tenant.patch(enabled=True)
    eventually(lambda: tenant.condition("Streaming")[0] == "True")
    assert [each["metadata"]["uid"] for each in tenant.pods()] == [pod["metadata"]["uid"]]
