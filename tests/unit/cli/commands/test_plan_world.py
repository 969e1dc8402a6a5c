from __future__ import annotations

from typing import Any

import pytest

from sluice_cli.commands.plan_world import World, read_world, start_world_requests
from sluice_cli.transport import NoAccessError, NotServedError
from support.fake_kubectl import FakeKubectl, job

NAMESPACE = {"kind": "Namespace", "metadata": {"name": "acme", "labels": {"sluice.dev/tenant": "acme"}}}
POLICY = {"kind": "IngestPolicy", "metadata": {"name": "tenants"}, "spec": {"namespaceSelector": {}}}


def world(*objects: dict[str, Any], denied: tuple[str, ...] = (), unserved: tuple[str, ...] = ()) -> World:
    kubectl = FakeKubectl(*objects, denied=denied, unserved=unserved)
    return read_world(kubectl, start_world_requests(kubectl), ["acme"], ["acme"])


def names(found: World) -> list[str]:
    return [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in found.jobs]


def test_the_jobs_of_the_namespace_and_of_the_tenant_are_read() -> None:
    other = job("far", "beta")
    same_tenant = job("near", "gamma")
    same_tenant["spec"]["tenant"] = "acme"
    found = world(job(), other, same_tenant, NAMESPACE, POLICY)
    assert (names(found), found.unseen) == (["acme/us-equities", "gamma/near"], ())
    assert (found.policies.policies, found.policies.labels) == ((POLICY,), {"acme": {"sluice.dev/tenant": "acme"}})


def test_without_the_right_for_the_cluster_the_namespace_is_read() -> None:
    found = world(job(), job("near", "beta"), NAMESPACE, denied=("list all ingestjobs", "list ingestpolicies"))
    assert names(found) == ["acme/us-equities"]
    assert found.policies.policies is None
    assert [each.what for each in found.unseen] == ["conflicts with jobs of other namespaces", "IngestPolicies"]
    with pytest.raises(NoAccessError):
        world(job(), denied=("list ingestjobs",))


def test_labels_that_may_not_be_read_are_said_and_a_missing_namespace_has_none() -> None:
    assert world(denied=("get namespaces",)).unseen[0].what == "the labels of namespace acme"
    assert world().policies.labels == {"acme": {}}


def test_older_crds_have_no_policies_and_a_cluster_without_sluice_says_so() -> None:
    assert world(job(), unserved=("IngestPolicy",)).policies.policies == ()
    with pytest.raises(NotServedError, match="Sluice is not installed"):
        world(unserved=("IngestJob",))
