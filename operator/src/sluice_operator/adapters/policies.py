"""The requests of the operator about IngestPolicies and the Namespaces that they select."""

from __future__ import annotations

from typing import Final

import msgspec
from kubernetes.aio.client.api_client import ApiClient

from sluice_contract import identity
from sluice_contract.policies import IngestPolicyStatus

from ..domain.policy_objects import (
    PolicyObject,
    TenantNamespace,
    decode_namespace_text,
    decode_policy_text,
    policy_from_parts,
)
from .api import RequestSender
from .object_watch import KubernetesObjectWatch, watch_opener
from .paged_lists import PagedLists
from .status_writes import write_status

_POLICIES: Final = f"/apis/{identity.API_VERSION}/{identity.POLICIES}"
_NAMESPACES: Final = "/api/v1/namespaces"


class KubernetesPolicyStatuses:
    """The implementation of `ports.PolicyStatuses`."""

    def __init__(self, api: RequestSender) -> None:
        self._api = api

    async def write_policy_status(self, stored: PolicyObject, status: IngestPolicyStatus) -> PolicyObject:
        """Write the status of a policy, as `write_status` does. Return the policy after the write.

        A policy of the same name that was created since gets the status, too. The watch then reports this policy, and
        its status is written again.
        """
        name = stored.metadata.name
        document = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.POLICY_KIND,
            "metadata": {"name": name},
            "status": msgspec.to_builtins(status),
        }
        return policy_from_parts(await write_status(self._api, f"{_POLICIES}/{name}", document))


def create_policy_watch(client: ApiClient, lists: PagedLists) -> KubernetesObjectWatch[PolicyObject]:
    """Return the source of all IngestPolicies."""
    return KubernetesObjectWatch(lists, watch_opener(client), _POLICIES, decode_policy_text)


def create_namespace_watch(client: ApiClient, lists: PagedLists) -> KubernetesObjectWatch[TenantNamespace]:
    """Return the source of all Namespaces that serve a tenant."""
    selector = {"labelSelector": identity.TENANT_LABEL}
    return KubernetesObjectWatch(lists, watch_opener(client), _NAMESPACES, decode_namespace_text, selector)
