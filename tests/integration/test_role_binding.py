"""The RoleBinding of the ingest pods has their account as its only subject, whatever writes it."""

from __future__ import annotations

import json

import pytest

from sluice_devcluster.kubectl import KubectlError
from sluice_operator.domain.workload import role_binding_manifest
from support.changed_manifests import REMOVED, with_field
from support.changed_manifests import Path as FieldPath
from support.site import Tenant, eventually

DRY = "--dry-run=server"
ONLY_ITSELF = "to the ServiceAccount sluice-ingest of namespace {} and to no one else"
SUBJECT: FieldPath = ("subjects", 0)
BINDINGS: dict[str, tuple[FieldPath, object]] = {
    "another account": ((*SUBJECT, "name"), "default"),
    "another namespace": ((*SUBJECT, "namespace"), "default"),
    "a user": (SUBJECT, {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "sluice-ingest"}),
    "a second subject": (("subjects", 1), {"kind": "ServiceAccount", "name": "default", "namespace": "default"}),
    "no subject": (("subjects",), REMOVED),
    "another role": (("roleRef", "name"), "view"),
}


@pytest.mark.parametrize("case", BINDINGS)
def test_the_rights_of_ingest_pods_are_bound_to_their_own_account_only(case: str, tenant: Tenant) -> None:
    path, value = BINDINGS[case]
    own = role_binding_manifest(tenant.name)
    with pytest.raises(KubectlError, match=ONLY_ITSELF.format(tenant.name)):
        tenant.kubectl("create", DRY, "-f", "-", text=json.dumps(with_field(own, path, value)))
    tenant.kubectl.apply([own])
    if path[0] != "roleRef":  # which is immutable
        with pytest.raises(KubectlError, match=ONLY_ITSELF.format(tenant.name)):
            tenant.kubectl("replace", DRY, "-f", "-", text=json.dumps(with_field(own, path, value)))


def test_a_binding_of_a_user_is_not_limited(tenant: Tenant) -> None:
    tenant.run("create", "rolebinding", "another", "--clusterrole=view", f"--serviceaccount={tenant.name}:default", DRY)


def test_a_binding_that_is_being_deleted_is_not_kept_by_the_policy(tenant: Tenant) -> None:
    held = with_field(role_binding_manifest(tenant.name), ("metadata", "finalizers"), ["example.com/held"])
    tenant.kubectl.apply([held])
    tenant.run("delete", "rolebinding", "sluice-ingest", "--wait=false")
    changed = json.dumps({"metadata": {"finalizers": None}, "subjects": []})
    tenant.run("patch", "rolebinding", "sluice-ingest", "--type=merge", "-p", changed)
    eventually(lambda: "sluice-ingest" not in tenant.run("get", "rolebindings", "-o", "name"))
