"""What the tests read and apply without a kubectl process is what kubectl prints and applies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.binaries import provide_binaries
from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from support.deadlines import scaled
from support.direct_requests import DirectClient, apply_path, request_of
from support.pause_objects import apply_pause
from support.site import Tenant
from support.timed_kubectl import TimedKubectl

SYSTEM = ("-n", "sluice-system")


def kubectl_program() -> Path:
    return provide_binaries(lambda _: None).kubectl


def test_each_kind_is_read_as_kubectl_prints_it(site: Quickstart, tenant: Tenant) -> None:
    """A paused job, its pauses, and the operator do not change between the two reads."""
    apply_pause(site.kubectl, "all", tenant.name, jobSelector={})
    tenant.apply()
    tenant.settled("Paused")
    kubectl, client = Kubectl(kubectl_program(), site.kubeconfig), DirectClient(site.kubeconfig, scaled(10))
    reads = [
        ("ij", "feed", "-n", tenant.name),
        ("ij", "feed", "-n", tenant.name, "--show-managed-fields"),
        ("ij", "-n", tenant.name),
        ("ipause", "all", "-n", tenant.name),
        ("pods", *SYSTEM, "-l", "app.kubernetes.io/name=sluice-operator"),
        ("pods", "-n", tenant.name),
        ("deployment", "sluice-operator", *SYSTEM),
        ("leases", "-n", tenant.name),
        ("cipause",),
        ("ipolicy",),
    ]
    for arguments in reads:
        request = request_of(arguments)
        assert request is not None, arguments
        found = client.read(request)
        assert found is not None, arguments
        assert found == kubectl.get(*arguments), arguments


def test_documents_are_applied_as_kubectl_applies_them(site: Quickstart, tenant: Tenant) -> None:
    kubectl, client = Kubectl(kubectl_program(), site.kubeconfig), DirectClient(site.kubeconfig, scaled(10))
    spec = {"tenant": tenant.name, "provider": "synthetic", "symbols": ["SPY"], "enabled": False}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("v1", "ConfigMap", {"data": {"a": "b"}}),
        ("sluice.dev/v1alpha1", "IngestJob", {"spec": spec}),
    ]
    for api_version, kind, content in kinds:
        stored = []
        for name in ("direct", "program"):
            metadata = {"name": name, "namespace": tenant.name, "labels": {"a": "b"}}
            document = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
            path = apply_path(document)
            assert path is not None
            for _ in range(2):  # it is created, then nothing changes
                if name == "direct":
                    assert client.apply(path, document)
                else:
                    kubectl.apply([document])
            stored.append(kubectl.get(kind, name, "-n", tenant.name, "--show-managed-fields"))
        assert entries_of_kubectl(stored[0]) == entries_of_kubectl(stored[1])


def entries_of_kubectl(stored: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what kubectl has applied, without the times."""
    entries = [each for each in stored["metadata"]["managedFields"] if each["manager"] == "kubectl"]
    assert entries
    return [{name: value for name, value in each.items() if name != "time"} for each in entries]


def test_a_document_that_the_api_server_refuses_fails_with_the_message_of_kubectl(tenant: Tenant) -> None:
    with pytest.raises(KubectlError, match="unknown field"):
        tenant.apply(unheard=True)


def test_an_apply_after_a_client_side_apply_is_left_to_kubectl(site: Quickstart, tenant: Tenant) -> None:
    metadata = {"name": "settings", "namespace": tenant.name}
    document: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
    site.kubectl("apply", "-f", "-", text=json.dumps(document))
    site.kubectl.apply([document | {"data": {"a": "c"}}])
    stored = site.kubectl.get("configmap", "settings", "-n", tenant.name, "--show-managed-fields")
    assert "kubectl-client-side-apply" not in {each["manager"] for each in stored["metadata"]["managedFields"]}
    assert stored["data"] == {"a": "c"}


def test_what_is_absent_fails_with_the_message_of_kubectl(site: Quickstart, tenant: Tenant) -> None:
    with pytest.raises(KubectlError, match=r"NotFound.*\"absent\" not found"):
        site.kubectl.get("ij", "absent", "-n", tenant.name)


def test_a_kubeconfig_with_a_token_is_left_to_kubectl(site: Quickstart, tenant: Tenant, tmp_path: Path) -> None:
    text = site.kubectl("config", "view", "--raw")
    lines = [each for each in text.splitlines() if "client-certificate-data" not in each]
    file = tmp_path / "kubeconfig"
    file.write_text("\n".join(lines).replace("client-key-data:", "token: a\n    #"))
    with pytest.raises(KubectlError, match=r"Unauthorized|logged in"):
        TimedKubectl(kubectl_program(), file).get("ij", "-n", tenant.name)
