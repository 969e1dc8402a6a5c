"""The requests of the operator about pauses, and about the rights of ingest pods to watch them."""

from __future__ import annotations

from typing import Final

import msgspec

from sluice_contract import identity
from sluice_contract.pauses import PauseStatus

from ..domain.pause_objects import PauseKey, PauseObject, cluster_pause_from_parts, pause_from_parts
from ..domain.reduced_documents import ObjectParts, decode_cluster_pause_text, decode_object_parts, decode_pause_text
from .api import RequestSender
from .decoding import decoded_or_raise
from .page_turn import PageTurn
from .paged_lists import PagedLists
from .status_writes import write_status

_API: Final = f"/apis/{identity.API_VERSION}"
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class KubernetesPauses:
    """The implementation of `ports.PauseStore`."""

    def __init__(self, api: RequestSender, namespaces: tuple[str, ...] = (), page_turn: PageTurn | None = None) -> None:
        """An empty `namespaces` means all namespaces. `page_turn` is taken while a page of a LIST is in memory."""
        self._api = api
        self._lists = PagedLists(api, page_turn, namespaces)

    async def list_pauses(self) -> list[PauseObject]:
        """List all IngestPauses in the watched namespaces, 50 in a page."""
        return await self._lists.list_in_watched_namespaces(_API, identity.PAUSES, {}, decode_pause_text)

    async def list_cluster_pauses(self) -> list[PauseObject]:
        """List all ClusterIngestPauses, 50 in a page."""
        path = f"{_API}/{identity.CLUSTER_PAUSES}"
        return (await self._lists.read_all_pages(path, {}, decode_cluster_pause_text)).objects

    async def read_pause(self, key: PauseKey) -> PauseObject:
        """Read the pause. Raises `NotFound`."""
        path = _path(key)
        parts = decoded_or_raise(f"GET {path}", await self._api.send_request("GET", path), decode_object_parts)
        return _pause_of_parts(key, parts)

    async def write_pause_status(self, key: PauseKey, status: PauseStatus) -> PauseObject:
        """Write the status, as `write_status` does. Return the pause after the write."""
        namespace, name = key
        document = {
            "apiVersion": identity.API_VERSION,
            "kind": _kind(key),
            "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
            "status": msgspec.to_builtins(status),
        }
        return _pause_of_parts(key, await write_status(self._api, _path(key), document))


class _ReviewStatus(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Review(msgspec.Struct, frozen=True):
    status: _ReviewStatus = _ReviewStatus()


class KubernetesAccessReviews:
    """The implementation of `ports.AccessReviews`, with SubjectAccessReviews."""

    def __init__(self, api: RequestSender) -> None:
        self._api = api

    async def ingest_account_may_watch(self, namespace: str, plural: str) -> bool:
        """Return whether the ServiceAccount of the namespace's ingest pods may watch the kind."""
        attributes = {"group": identity.GROUP, "resource": plural, "verb": "watch"}
        if plural != identity.CLUSTER_PAUSES:
            attributes["namespace"] = namespace
        accounts = "system:serviceaccounts"
        spec = {
            "user": f"system:serviceaccount:{namespace}:{identity.SERVICE_ACCOUNT}",
            "groups": [accounts, f"{accounts}:{namespace}", "system:authenticated"],
            "resourceAttributes": attributes,
        }
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        answer = await self._api.send_request("POST", _REVIEWS, None, body)
        return decoded_or_raise(f"POST {_REVIEWS}", answer, msgspec.json.Decoder(_Review).decode).status.allowed


def _pause_of_parts(key: PauseKey, parts: ObjectParts) -> PauseObject:
    create = pause_from_parts if key[0] else cluster_pause_from_parts
    return create(parts.metadata, parts.spec, parts.status)


def _kind(key: PauseKey) -> str:
    return identity.PAUSE_KIND if key[0] else identity.CLUSTER_PAUSE_KIND


def _path(key: PauseKey) -> str:
    namespace, name = key
    if namespace:
        return f"{_API}/namespaces/{namespace}/{identity.PAUSES}/{name}"
    return f"{_API}/{identity.CLUSTER_PAUSES}/{name}"
