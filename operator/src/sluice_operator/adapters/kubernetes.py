"""The requests of the operator to the API server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from sluice_contract import identity
from sluice_contract.json_nesting import JSONText, decode_without_deep_values
from sluice_contract.status import IngestJobStatus

from ..domain import objects, workload
from ..domain.objects import Job, Key, Pod, job_sharing_memory_with
from ..domain.reduced_documents import decode_job_text, decode_object_parts, decode_pod_text
from .api import RequestSender
from .decoding import decoded_or_raise, require_json_object
from .page_turn import PageTurn
from .paged_lists import PagedLists
from .status_writes import write_status

_JOBS: Final = f"/apis/{identity.API_VERSION}"
_PODS: Final = "/api/v1"
_BINDINGS: Final = "/apis/rbac.authorization.k8s.io/v1"
_QUERIES: Final = {"PATCH": {"fieldManager": identity.OPERATOR_FIELD_MANAGER, "force": "true"}}
_STATUS_FIELDS_OF_PODS: Final = frozenset({"stream"})

V = TypeVar("V")


class KubernetesCluster:
    """The implementation of `ports.Cluster`. It also creates Events."""

    def __init__(
        self,
        api: RequestSender,
        namespaces: tuple[str, ...] = (),
        page_turn: PageTurn | None = None,
        find_known_job: Callable[[Key], Job | None] = lambda _: None,
    ) -> None:
        """An empty `namespaces` means all namespaces. `page_turn` is taken while a page of a LIST is in memory.

        A listed job that equals the one that `find_known_job` returns takes no memory of its own.
        """
        self._api = api
        self._find_known_job: Callable[[Key], Job | None] = find_known_job
        self._lists = PagedLists(api, page_turn, namespaces)

    async def list_jobs(self) -> list[Job]:
        """List all jobs in the watched namespaces, 50 in a page."""
        return await self._lists.list_in_watched_namespaces(_JOBS, identity.PLURAL, {}, self._decode_listed_job)

    async def list_pods(self) -> list[Pod]:
        """List all pods with the operator's label in the watched namespaces, 50 in a page."""
        selector = {"labelSelector": f"{identity.MANAGED_BY_LABEL}={identity.MANAGED_BY}"}
        return await self._lists.list_in_watched_namespaces(_PODS, "pods", selector, decode_pod_text)

    async def read_cluster_uid(self) -> str:
        """Return the UID of the namespace kube-system, which exists in each cluster and is never created again."""
        path = f"{_PODS}/namespaces/kube-system"
        return (await self._send_and_decode("GET", path, decode=decode_object_parts)).metadata.uid

    async def read_tenant_label(self, namespace: str) -> str | None:
        """Read the tenant label of the Namespace. Raises `RequestRefused` without the right to get it."""
        path = f"{_PODS}/namespaces/{namespace}"
        return objects.decode_tenant_label(await self._send_and_decode("GET", path, decode=_decode_document))

    async def read_job(self, key: Key) -> Job:
        """Read the job. Raises `NotFound`."""
        return await self._send_and_decode("GET", _job_path(key), decode=decode_job_text)

    async def read_pod(self, key: Key) -> Pod:
        """Read the pod with the job's pod name. Raises `NotFound`."""
        return await self._send_and_decode("GET", _pod_path(key), decode=decode_pod_text)

    async def write_operator_status(self, job: Job, status: IngestJobStatus) -> Job:
        """Write the status fields that the operator owns, as `write_status` does. Return the job after the write.

        An apply to /status ignores the UID in its document. The resourceVersion is a precondition, and as it belongs to
        one job only, it is one for the UID, too.
        """
        key = job.key
        document = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": {"name": key[1], "namespace": key[0], "resourceVersion": job.metadata.resource_version},
            "status": msgspec.to_builtins(status),
        }
        return (await write_status(self._api, _job_path(key), document, _STATUS_FIELDS_OF_PODS)).to_job()

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        """Apply the ServiceAccount and the RoleBinding of the namespace's ingest pods."""
        account = f"{_PODS}/namespaces/{namespace}/serviceaccounts/{identity.SERVICE_ACCOUNT}"
        binding = f"{_BINDINGS}/namespaces/{namespace}/rolebindings/{identity.SERVICE_ACCOUNT}"
        await self._send_and_check("PATCH", account, workload.service_account_manifest(namespace))
        await self._send_and_check("PATCH", binding, workload.role_binding_manifest(namespace))

    async def create_pod(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create the pod and return it as the API server has stored it. Raises `Conflict` if its name is taken."""
        path = f"{_PODS}/namespaces/{manifest['metadata']['namespace']}/pods"
        return await self._send_and_decode("POST", path, manifest, decode=_decode_document)

    async def delete_pod(self, key: Key, uid: str, resource_version: str) -> None:
        """Delete the pod if it still has this UID and resourceVersion. Raises `NotFound` or `Conflict`."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self._send_and_check("DELETE", _pod_path(key), body)

    async def create_event(self, manifest: dict[str, Any]) -> None:
        """Create a core/v1 Event. Raises `Conflict` if it already exists."""
        await self._send_and_check("POST", f"{_PODS}/namespaces/{manifest['metadata']['namespace']}/events", manifest)

    def _decode_listed_job(self, text: JSONText) -> Job:
        job = decode_job_text(text)
        return job_sharing_memory_with(self._find_known_job(job.key), job)

    async def _send_and_decode(self, method: str, path: str, body: Any = None, *, decode: Callable[[JSONText], V]) -> V:
        return decoded_or_raise(f"{method} {path}", await self._send(method, path, body), decode)

    async def _send_and_check(self, method: str, path: str, body: Any) -> None:
        """Send a request whose response is not used. Raises `Unavailable` if the response is not JSON."""
        require_json_object(f"{method} {path}", await self._send(method, path, body))

    async def _send(self, method: str, path: str, body: Any = None) -> bytes:
        return await self._api.send_request(method, path, _QUERIES.get(method), body)


_decode_any_document = msgspec.json.Decoder(dict[str, Any]).decode


def _decode_document(text: JSONText) -> dict[str, Any]:
    """Decode an object as it is. Raises `msgspec.DecodeError` if the text is not a JSON object."""
    return decode_without_deep_values(_decode_any_document, text)


def _job_path(key: Key) -> str:
    return f"{_JOBS}/namespaces/{key[0]}/{identity.PLURAL}/{key[1]}"


def _pod_path(key: Key) -> str:
    return f"{_PODS}/namespaces/{key[0]}/pods/{identity.pod_name(key[1])}"
