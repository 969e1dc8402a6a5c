"""The list `symbols` on a real API server: one value with one owner, also after an update from the earlier CRD."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sluice_contract import identity
from sluice_devcluster.binaries import provide_binaries
from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.cluster import cluster_without_operator
from support.definitions import another_definition

JOB = ("ij", "feed", "-n", "default")


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """kubectl, on a cluster with the present CRD and no operator."""
    with cluster_without_operator(tmp_path_factory.mktemp("symbols")) as state:
        yield Kubectl(provide_binaries(lambda _: None).kubectl, state.kubeconfig_file)


@pytest.fixture(autouse=True)
def no_job(kubectl: Kubectl) -> Iterator[None]:
    yield
    kubectl("delete", *JOB, "--ignore-not-found")


def apply(kubectl: Kubectl, manager: str, *options: str, **spec: Any) -> None:
    """Apply a part of the job on the server's side."""
    document = {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": {"name": "feed", "namespace": "default"},
        "spec": spec,
    }
    command = ("apply", "--server-side", f"--field-manager={manager}", *options, "-f", "-")
    kubectl(*command, text=json.dumps(document))


def symbols(kubectl: Kubectl) -> list[str]:
    found: list[str] = kubectl.get(*JOB)["spec"]["symbols"]
    return found


def as_a_set(properties: dict[str, Any]) -> None:
    """Change the schema of the spec to that of the earlier CRD."""
    properties["spec"]["properties"]["symbols"]["x-kubernetes-list-type"] = "set"


def test_a_symbol_may_be_listed_twice(kubectl: Kubectl) -> None:
    apply(kubectl, "owner", tenant="acme", provider="synthetic", symbols=["SPY", "AAPL", "SPY"])
    assert symbols(kubectl) == ["SPY", "AAPL", "SPY"]
    apply(kubectl, "pause", enabled=False)
    assert kubectl.get(*JOB)["spec"]["enabled"] is False


def test_a_second_manager_conflicts_and_replaces_the_whole_list_by_force(kubectl: Kubectl) -> None:
    apply(kubectl, "owner", tenant="acme", provider="synthetic", symbols=["SPY"])
    with pytest.raises(KubectlError, match=r"conflict with \"owner\": \.spec\.symbols"):
        apply(kubectl, "other", symbols=["AAPL"])
    apply(kubectl, "other", "--force-conflicts", symbols=["AAPL"])
    assert symbols(kubectl) == ["AAPL"]


def test_a_report_has_no_entry_for_each_symbol(kubectl: Kubectl) -> None:
    apply(kubectl, "owner", tenant="acme", provider="synthetic", symbols=[f"S{number}" for number in range(1000)])
    managed = kubectl.get(*JOB, "--show-managed-fields")["metadata"]["managedFields"]
    assert len(json.dumps(managed)) < 1000


def test_a_job_of_the_earlier_definition_can_be_changed_and_stopped_after_the_update(kubectl: Kubectl) -> None:
    with another_definition(kubectl, as_a_set):
        apply(kubectl, "owner", tenant="acme", provider="synthetic", symbols=["SPY", "QQQ"])
        apply(kubectl, "other", symbols=["AAPL"])
        assert sorted(symbols(kubectl)) == ["AAPL", "QQQ", "SPY"]
    apply(kubectl, "pause", enabled=False)  # first: a stop never waits for a change of the list
    assert kubectl.get(*JOB)["spec"]["enabled"] is False
    apply(kubectl, "owner", "--force-conflicts", tenant="acme", provider="synthetic", symbols=["SPY", "SPY"])
    assert symbols(kubectl) == ["SPY", "SPY"]
