"""Another client deletes or changes the ServiceAccount or the RoleBinding of a namespace's ingest pods."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from support.deadlines import Deadline
from support.site import Tenant, eventually

REPAIR_SECONDS = 10.0
OPERATOR = "--as=system:serviceaccount:sluice-system:sluice-operator"


def stored(tenant: Tenant, kind: str) -> dict[str, Any]:
    """Return the object of a kind that ingest pods need; empty if there is none."""
    found = tenant.run("get", kind, "sluice-ingest", "--ignore-not-found", "-o", "json")
    return dict(json.loads(found)) if found.strip() else {}


@pytest.mark.parametrize("kind", ["rolebinding", "serviceaccount"])
def test_a_deleted_object_is_restored_within_ten_seconds(feed: Tenant, kind: str) -> None:
    before = stored(feed, kind)["metadata"]["uid"]
    feed.run("delete", kind, "sluice-ingest")
    eventually(lambda: stored(feed, kind).get("metadata", {}).get("uid", before) != before, REPAIR_SECONDS)


def test_the_pod_reports_again_after_its_role_binding_was_deleted(feed: Tenant) -> None:
    feed.run("delete", "rolebinding", "sluice-ingest")
    feed.patch(symbols=["SPY"])
    eventually(lambda: feed.job()["status"]["stream"]["symbols"]["desired"] == 1, REPAIR_SECONDS)
    assert len(feed.pods()) == 1


def test_a_changed_object_is_restored_within_ten_seconds(feed: Tenant) -> None:
    feed.run("patch", "serviceaccount", "sluice-ingest", "-p", '{"automountServiceAccountToken": true}')
    eventually(lambda: stored(feed, "serviceaccount")["automountServiceAccountToken"] is False, REPAIR_SECONDS)


def test_a_client_that_deletes_again_and_again_causes_few_creations(feed: Tenant) -> None:
    created, deadline = {stored(feed, "rolebinding")["metadata"]["uid"]}, Deadline(10)
    while not deadline.has_passed:
        if found := stored(feed, "rolebinding"):
            created.add(found["metadata"]["uid"])
            feed.run("delete", "rolebinding", "sluice-ingest", "--ignore-not-found")
    assert 2 <= len(created) <= 6  # at 0, 1, 3, 7 seconds and, on a slow machine, 15


def test_nothing_is_restored_in_a_namespace_that_is_being_deleted(site: Quickstart, tenant: Tenant) -> None:
    deleted = Tenant(site.kubectl, site.emulator, f"{tenant.name}-deleted")
    deleted.apply()
    deleted.settled("Streaming")
    site.kubectl("delete", "namespace", deleted.name, "--wait=false")
    eventually(lambda: not site.kubectl("get", "namespace", deleted.name, "--ignore-not-found"), 60)


@pytest.mark.parametrize("kind", ["serviceaccounts", "rolebindings"])
def test_the_operator_can_list_only_objects_of_this_name(kubectl: Kubectl, kind: str) -> None:
    by_name = ("--field-selector", "metadata.name=sluice-ingest")
    kubectl("get", kind, "-A", *by_name, OPERATOR)
    with pytest.raises(KubectlError, match="cannot list resource"):
        kubectl("get", kind, "-A", OPERATOR)
