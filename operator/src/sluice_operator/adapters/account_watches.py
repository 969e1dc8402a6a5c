"""The watches of the ServiceAccounts and RoleBindings of ingest pods.

The operator may read only objects of this name: a field selector for it is authorized by `resourceNames`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from kubernetes.aio.client.api_client import ApiClient

from sluice_contract import identity

from ..domain.account_objects import AccountObject, decode_role_binding, decode_service_account
from .object_watch import KubernetesObjectWatch, watch_opener
from .paged_lists import PagedLists

_KINDS: Final = (
    ("/api/v1", "serviceaccounts", decode_service_account),
    ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", decode_role_binding),
)
_SELECTOR: Final = {"fieldSelector": f"metadata.name={identity.SERVICE_ACCOUNT}"}


class AccountWatch(msgspec.Struct, frozen=True):
    """The source of the objects of one kind in a namespace; an empty `namespace` means all namespaces."""

    plural: str
    namespace: str
    source: KubernetesObjectWatch[AccountObject]


def create_account_watches(
    client: ApiClient, lists: PagedLists, namespaces: tuple[str, ...] = ()
) -> Iterator[AccountWatch]:
    """Yield the sources of both kinds, for each of the namespaces; an empty `namespaces` means all namespaces."""
    for namespace in namespaces or ("",):
        middle = f"/namespaces/{namespace}" if namespace else ""
        for api, plural, decode in _KINDS:
            source = KubernetesObjectWatch(lists, watch_opener(client), f"{api}{middle}/{plural}", decode, _SELECTOR)
            yield AccountWatch(plural, namespace, source)
