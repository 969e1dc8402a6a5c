"""The requests of the operator to the API server."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from sluice_contract import identity
from sluice_contract.merging import create_merge_patch
from sluice_contract.status import IngestJobStatus

from ..domain import objects, workload
from ..domain.objects import Job, Key, Pod
from ..ports import InternalServerError, RequestRefused
from .api import RequestSender

_JOBS: Final = f"/apis/{identity.API_VERSION}"
_PODS: Final = "/api/v1"
_BINDINGS: Final = "/apis/rbac.authorization.k8s.io/v1"
_PAGE: Final = 500
_MANAGER: Final = {"fieldManager": identity.OPERATOR_FIELD_MANAGER}
_QUERIES: Final = {"PATCH": {**_MANAGER, "force": "true"}, "MERGE": _MANAGER}


class _ListMetadata(msgspec.Struct, rename="camel"):
    continue_: str = msgspec.field(name="continue", default="")


class _ListPage(msgspec.Struct):
    metadata: _ListMetadata
    items: list[dict[str, Any]]


class KubernetesCluster:
    """The implementation of `ports.Cluster`. It also creates Events."""

    def __init__(self, api: RequestSender, namespaces: tuple[str, ...] = ()) -> None:
        """An empty `namespaces` means all namespaces."""
        self._api = api
        self._namespaces = namespaces

    async def list_jobs(self) -> list[Job]:
        """List all jobs in the watched namespaces, 500 in a page."""
        return [objects.decode_job(item) for item in await self._list_in_watched_namespaces(_JOBS, identity.PLURAL, {})]

    async def list_pods(self) -> list[Pod]:
        """List all pods with the operator's label in the watched namespaces, 500 in a page."""
        selector = {"labelSelector": f"{identity.MANAGED_BY_LABEL}={identity.MANAGED_BY}"}
        return [objects.decode_pod(item) for item in await self._list_in_watched_namespaces(_PODS, "pods", selector)]

    async def read_cluster_uid(self) -> str:
        """Return the UID of the namespace kube-system, which exists in each cluster and is never created again."""
        document = await self._send_and_decode("GET", f"{_PODS}/namespaces/kube-system")
        return str(document["metadata"]["uid"])

    async def read_job(self, key: Key) -> Job:
        """Read the job. Raises `NotFound`."""
        return objects.decode_job(await self._send_and_decode("GET", _job_path(key)))

    async def read_pod(self, key: Key) -> Pod:
        """Read the pod with the job's pod name. Raises `NotFound`."""
        return objects.decode_pod(await self._send_and_decode("GET", _pod_path(key)))

    async def write_operator_status(self, key: Key, status: IngestJobStatus) -> Job:
        """Write the status fields that the operator owns, with a server-side apply. Return the job after the write.

        If the apply is refused or answered with HTTP 500, or fields of another writer remain, write the difference with
        a JSON merge patch.
        """
        wanted: dict[str, Any] = msgspec.to_builtins(status)
        body = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": {"name": key[1], "namespace": key[0]},
            "status": wanted,
        }
        try:
            document = await self._send_and_decode("PATCH", f"{_job_path(key)}/status", body)
        except (InternalServerError, RequestRefused):
            document = await self._send_and_decode("GET", _job_path(key))
        if patch := create_merge_patch(_operator_status_fields(document), wanted):
            # The UID is a precondition, because a job of the same name that was created since is a different job.
            merged = {"metadata": {"uid": document["metadata"]["uid"]}, "status": patch}
            document = await self._send_and_decode("MERGE", f"{_job_path(key)}/status", merged)
        return objects.decode_job(document)

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        """Apply the ServiceAccount and the RoleBinding of the namespace's ingest pods."""
        account = f"{_PODS}/namespaces/{namespace}/serviceaccounts/{identity.SERVICE_ACCOUNT}"
        binding = f"{_BINDINGS}/namespaces/{namespace}/rolebindings/{identity.SERVICE_ACCOUNT}"
        await self._send_and_decode("PATCH", account, workload.service_account_manifest(namespace))
        await self._send_and_decode("PATCH", binding, workload.role_binding_manifest(namespace))

    async def create_pod(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the pod and return it as the API server has stored it. Raises `Conflict` if its name is taken."""
        path = f"{_PODS}/namespaces/{manifest['metadata']['namespace']}/pods"
        return await self._send_and_decode("POST", path, manifest)

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        """Delete the pod if it still has this UID and resourceVersion. Raises `NotFound` or `Conflict`."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self._send_and_decode("DELETE", _pod_path(key), body)

    async def create_event(self, manifest: dict[str, Any]) -> None:
        """Create a core/v1 Event. Raises `Conflict` if it already exists."""
        await self._send_and_decode("POST", f"{_PODS}/namespaces/{manifest['metadata']['namespace']}/events", manifest)

    async def _list_in_watched_namespaces(self, api: str, plural: str, query: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for namespace in self._namespaces or ("",):
            path = f"{api}/namespaces/{namespace}/{plural}" if namespace else f"{api}/{plural}"
            found += await self._read_all_pages(path, query)
        return found

    async def _read_all_pages(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            more = {"continue": token} if token else {}
            answer = await self._api.send_request("GET", path, {**query, **more, "limit": str(_PAGE)})
            page = msgspec.json.decode(answer, type=_ListPage)
            found += page.items
            token = page.metadata.continue_
            if not token:
                return found
            await asyncio.sleep(0)  # decoding a page takes long, so other tasks get a turn

    async def _send_and_decode(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self._api.send_request(method, path, _QUERIES.get(method), body)
        decoded: dict[str, Any] = msgspec.json.decode(answer)
        return decoded


def _operator_status_fields(document: dict[str, Any]) -> dict[str, Any]:
    status = document.get("status")
    return {name: value for name, value in status.items() if name != "stream"} if isinstance(status, dict) else {}


def _job_path(key: Key) -> str:
    return f"{_JOBS}/namespaces/{key[0]}/{identity.PLURAL}/{key[1]}"


def _pod_path(key: Key) -> str:
    return f"{_PODS}/namespaces/{key[0]}/pods/{identity.pod_name(key[1])}"
