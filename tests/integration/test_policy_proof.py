"""The policies limit the operator wherever it is installed, and without their proof it creates no pod."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import SYSTEM_NAMESPACE, Quickstart
from sluice_manifests.objects import Manifest, parse_objects
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.tools import ToolPaths, find_or_build_tools, run_and_return_output
from support.callers import Callers, pod
from support.operator_install import MANIFESTS, InstalledOperator, installed, kustomized
from support.site import Tenant, eventually

DRY = "--dry-run=server"
POLICIES = ["sluice-operator", "sluice-tenant-required", "sluice-pod-shape"]
PROVEN, UNPROVEN = "sluice_operator_policies_proven 1.0", "sluice_operator_policies_proven 0.0"
SYSTEM = ("-n", SYSTEM_NAMESPACE)


@pytest.fixture(scope="module")
def programs() -> ToolPaths:
    """The program helm."""
    return find_or_build_tools(ProgressPrinter())


@pytest.fixture
def callers(site: Quickstart, tmp_path: Path) -> Callers:
    """Return kubectl callers other than the administrator."""
    return Callers(site, tmp_path)


@pytest.fixture
def operator(site: Quickstart) -> Iterator[InstalledOperator]:
    """The base's operator with one replica, which the test may restart."""
    before = site.kubectl.get("deployment/sluice-operator", *SYSTEM)["spec"]["replicas"]
    found = InstalledOperator(site.kubectl)
    found.restart()
    found.wait_until_ready()
    yield found
    found.restart("SLUICE_REQUIRE_POLICIES=true")
    found.wait_until_ready()
    site.kubectl("scale", "deployment/sluice-operator", *SYSTEM, f"--replicas={before}")


@pytest.fixture
def unbound(site: Quickstart, operator: InstalledOperator, request: pytest.FixtureRequest) -> Iterator[str]:
    """Remove the binding of a policy while the operator runs; its name. Restore the binding after the test."""
    assert operator.readiness()[0] == 200
    policy: str = request.param
    binding = binding_of(site.kubectl, policy)
    site.kubectl("delete", "validatingadmissionpolicybinding", policy)
    yield policy
    site.kubectl.apply([binding])


def binding_of(kubectl: Kubectl, policy: str) -> Manifest:
    """Return the binding of a policy, as the base has it."""
    objects = parse_objects(kubectl("kustomize", str(MANIFESTS / "base")))
    kind = "ValidatingAdmissionPolicyBinding"
    return next(each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, policy))


def privileged(namespace: str) -> Manifest:
    """Return a pod that controls its node."""
    made = pod(namespace, name="intruder")
    made["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    made["spec"] |= {"hostPID": True, "securityContext": {}}
    return made


def test_the_operator_is_ready_because_its_trials_are_refused(operator: InstalledOperator) -> None:
    assert operator.readiness() == (200, "ok\n")
    assert PROVEN in operator.metrics()


@pytest.mark.parametrize("unbound", POLICIES, indirect=True)
def test_without_a_policy_no_pod_is_created_until_it_is_back(
    unbound: str, operator: InstalledOperator, tenant: Tenant
) -> None:
    operator.restart()
    status, text = eventually(lambda: found if (found := operator.readiness())[1].startswith("Policy") else None, 30)
    assert (status, f"Policy {unbound} does not limit the operator's account" in text) == (503, True)
    assert UNPROVEN in operator.metrics()
    eventually(lambda: f"Policy {unbound} does not limit" in operator.log())
    tenant.apply()
    stalled = tenant.settled("PoliciesNotProven")
    [message] = [each["message"] for each in stalled["conditions"] if each["type"] == "Stalled"]
    assert f"Policy {unbound} does not limit the operator's account" in message
    assert tenant.pods() == []
    tenant.kubectl.apply([binding_of(tenant.kubectl, unbound)])
    tenant.settled("Streaming", seconds=40)
    assert operator.readiness() == (200, "ok\n")
    assert PROVEN in operator.metrics()


@pytest.mark.parametrize("unbound", POLICIES[:1], indirect=True)
def test_a_feed_runs_and_stops_while_the_policies_are_not_proven(
    unbound: str, operator: InstalledOperator, tenant: Tenant
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    before = [each["metadata"]["uid"] for each in tenant.pods()]
    operator.restart()
    eventually(lambda: f"Policy {unbound}" in operator.readiness()[1], 30)
    tenant.patch(symbols=["SPY"])
    tenant.settled("Streaming")
    assert [each["metadata"]["uid"] for each in tenant.pods()] == before
    tenant.patch(enabled=False)
    tenant.settled("Paused")
    tenant.run("delete", "ij", "feed", "--timeout=30s")
    eventually(lambda: tenant.pods() == [])


@pytest.mark.parametrize("unbound", POLICIES[:1], indirect=True)
def test_a_setting_creates_pods_without_the_proof(unbound: str, operator: InstalledOperator, tenant: Tenant) -> None:
    operator.restart("SLUICE_REQUIRE_POLICIES=false")
    eventually(lambda: f"Policy {unbound}" in operator.readiness()[1], 30)
    tenant.apply()
    tenant.settled("Streaming")
    assert operator.readiness()[0] == 503


def assert_limited_and_streaming(operator: InstalledOperator, tenant: Tenant, callers: Callers) -> None:
    """Check that the token of this operator creates no other pods than ingest pods, and that a feed runs."""
    account = callers.account(operator.namespace, "sluice-operator")
    for manifest in (privileged("kube-system"), pod(tenant.name), pod(operator.namespace)):
        with pytest.raises(KubectlError, match="ValidatingAdmissionPolicy 'sluice-"):
            account("create", DRY, "-f", "-", text=json.dumps(manifest))
    assert operator.readiness() == (200, "ok\n")
    tenant.apply()
    tenant.settled("Streaming")


def test_kustomize_may_install_the_operator_in_another_namespace(
    site: Quickstart, tenant: Tenant, callers: Callers, tmp_path: Path
) -> None:
    objects = kustomized(site.kubectl, tmp_path / "overlay", "namespace: other")
    with installed(site, objects) as operator:
        assert operator.namespace == "other"
        assert_limited_and_streaming(operator, tenant, callers)


def test_helm_may_install_the_operator_with_another_release_name_in_another_namespace(
    site: Quickstart, tenant: Tenant, callers: Callers, programs: ToolPaths
) -> None:
    command = (programs.helm, "template", "feeds", MANIFESTS / "chart", "--namespace", "feeds-system")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "feeds-system"}}
    with installed(site, [namespace, *parse_objects(run_and_return_output(*command))]) as operator:
        assert operator.namespace == "feeds-system"
        assert_limited_and_streaming(operator, tenant, callers)


def test_with_a_name_prefix_the_operator_is_not_ready_and_says_why(
    site: Quickstart, tenant: Tenant, tmp_path: Path
) -> None:
    objects = kustomized(site.kubectl, tmp_path / "overlay", "namePrefix: x-")
    with installed(site, objects, is_ready=False) as operator:
        eventually(lambda: operator.readiness()[1].startswith("Policy"), 30)
        status, text = operator.readiness()
        assert (status, text.endswith("without kustomize's namePrefix or nameSuffix.\n")) == (503, True)
        tenant.apply()
        tenant.settled("PoliciesNotProven")
        assert tenant.pods() == []


def test_an_operator_of_one_namespace_has_no_right_in_the_neighboring_one(
    site: Quickstart, tenant: Tenant, callers: Callers, tmp_path: Path
) -> None:
    neighbor = Tenant(site.kubectl, site.emulator, f"{tenant.name}-neighbor")
    component = MANIFESTS / "components/restricted-namespaces"
    copy = tmp_path / "restricted-namespaces"
    copy.mkdir()
    for file in component.iterdir():
        (copy / file.name).write_text(file.read_text().replace("acme", tenant.name))
    objects = kustomized(site.kubectl, tmp_path / "overlay", f"components: [../{copy.name}]")
    for role in ("read", "write"):
        site.kubectl("delete", "clusterrolebinding", f"sluice-operator-{role}")
    with installed(site, objects) as operator:
        account = callers.account(operator.namespace, "sluice-operator")
        for namespace in (neighbor.name, "kube-system", SYSTEM_NAMESPACE):
            with pytest.raises(KubectlError, match='cannot create resource "pods"'):
                account("create", DRY, "-f", "-", text=json.dumps(pod(namespace, name="a-ingest")))
        with pytest.raises(KubectlError, match="ValidatingAdmissionPolicy 'sluice-"):
            account("create", DRY, "-f", "-", text=json.dumps(pod(tenant.name)))
        neighbor.apply()
        tenant.apply()
        tenant.settled("Streaming")
        assert (operator.readiness(), PROVEN in operator.metrics()) == ((200, "ok\n"), True)
        assert neighbor.job().get("status") is None
        assert neighbor.pods() == []
    site.kubectl("delete", "namespace", neighbor.name, "--wait=false")
