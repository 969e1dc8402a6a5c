"""Stored ServiceAccounts and RoleBindings: whether they are as the operator applies them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_operator.domain import workload
from sluice_operator.domain.account_objects import AccountObject, decode_role_binding, decode_service_account

STORED: dict[str, Any] = {"uid": "1", "resourceVersion": "7", "creationTimestamp": "2026-03-02T14:00:00Z"}


def stored(manifest: dict[str, Any], **changed: Any) -> bytes:
    """Return the text of a manifest as the API server has stored it, with changed fields."""
    return msgspec.json.encode(manifest | {"metadata": manifest["metadata"] | STORED} | changed)


def test_objects_as_the_operator_applies_them_are_intact() -> None:
    account, binding = workload.service_account_manifest("acme"), workload.role_binding_manifest("acme")
    assert decode_service_account(stored(account)) == AccountObject("acme", True)
    assert decode_role_binding(stored(binding)) == AccountObject("acme", True)


def test_further_fields_of_other_clients_are_no_difference() -> None:
    account = workload.service_account_manifest("acme")
    labels = account["metadata"]["labels"] | {"team": "feeds"}
    metadata = account["metadata"] | STORED | {"labels": labels, "annotations": {"a": "b"}}
    text = stored(account, metadata=metadata, imagePullSecrets=[{"name": "registry"}])
    assert decode_service_account(text).is_as_applied


@pytest.mark.parametrize(
    "changed",
    [
        {"subjects": []},
        {"subjects": None},
        {"subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "acme"}]},
        {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}},
        {"metadata": {"namespace": "acme", "name": "sluice-ingest"}},
    ],
)
def test_a_changed_role_binding_differs(changed: dict[str, Any]) -> None:
    found = decode_role_binding(stored(workload.role_binding_manifest("acme"), **changed))
    assert found == AccountObject("acme", False)


def test_an_account_whose_token_is_mounted_everywhere_differs() -> None:
    account = workload.service_account_manifest("acme")
    assert not decode_service_account(stored(account, automountServiceAccountToken=True)).is_as_applied


def test_a_text_that_is_no_object_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_service_account(b"[")
