"""The operator's requests about pauses and about the rights of ingest pods, to a server of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_contract import identity
from sluice_contract.pauses import PauseStatus
from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.pauses import KubernetesAccessReviews, KubernetesPauses
from sluice_operator.domain.pause_objects import PauseKey
from sluice_operator.ports import ClusterError, InternalServerError, NotFound, RequestRefused, Unavailable
from support.web_server import serve_on_free_port

from .pause_fakes import pause_document, pause_object

API = "/apis/sluice.dev/v1alpha1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
OF_NAMESPACE: PauseKey = ("acme", "us")
OF_CLUSTER: PauseKey = ("", "fleet")


class AnsweringServer:
    """Answers each request with `document` and the HTTP status `status`. It records all requests."""

    def __init__(self, document: Any, status: int = 200) -> None:
        self.requests: list[tuple[str, str]] = []
        self.body: Any = None  # of the last request
        self._answer = document if isinstance(document, bytes) else msgspec.json.encode(document)
        self._status = status

    async def respond(self, request: web.Request) -> web.Response:
        """Record the request and send the answer."""
        self.requests.append((request.method, request.path))
        text = await request.read()
        self.body = msgspec.json.decode(text) if text else None
        return web.Response(status=self._status, body=self._answer, content_type="application/json")


@asynccontextmanager
async def connected(server: AnsweringServer) -> AsyncIterator[RequestSender]:
    """Yield a sender of requests to the server."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.respond)
    async with serve_on_free_port(app) as host, ApiClient(Configuration(host=host)) as client:
        yield RequestSender(client)


def page_of(*documents: Any) -> Any:
    """Return the only page of a LIST."""
    return {"metadata": {"resourceVersion": "7"}, "items": list(documents)}


async def test_the_pauses_of_the_cluster_are_listed_at_the_path_of_the_cluster_whatever_is_watched() -> None:
    spec = {"providers": ["alpaca"], "symbols": ["AAPL"]}
    server = AnsweringServer(page_of(pause_document(OF_CLUSTER, spec)))
    async with connected(server) as sender:
        assert await KubernetesPauses(sender, ("acme",)).list_cluster_pauses() == [pause_object(OF_CLUSTER, spec)]
    assert server.requests == [("GET", f"{API}/clusteringestpauses")]


@pytest.mark.parametrize("plural", ["ingestpauses", "clusteringestpauses"])
@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (403, RequestRefused)])
async def test_a_kind_that_is_not_served_or_forbidden_raises_the_error_of_the_port(
    plural: str, status: int, error: type[ClusterError]
) -> None:
    async with connected(AnsweringServer({"kind": "Status", "message": "no"}, status)) as sender:
        pauses = KubernetesPauses(sender)
        list_objects = pauses.list_pauses if plural == identity.PAUSES else pauses.list_cluster_pauses
        with pytest.raises(error, match="no"):
            await list_objects()


@pytest.mark.parametrize(
    ("key", "spec", "path"),
    [
        (OF_NAMESPACE, {"jobs": ["feed"]}, f"{API}/namespaces/acme/ingestpauses/us"),
        (OF_CLUSTER, {"symbols": ["AAPL"]}, f"{API}/clusteringestpauses/fleet"),
    ],
)
async def test_a_pause_is_read_at_its_own_path_with_its_spec_and_status(
    key: PauseKey, spec: dict[str, Any], path: str
) -> None:
    document = pause_document(key, spec, generation=3) | {"status": {"observedGeneration": 2, "acknowledged": "1/2"}}
    server = AnsweringServer(document)
    async with connected(server) as sender:
        found = await KubernetesPauses(sender).read_pause(key)
    assert server.requests == [("GET", path)]
    assert found.spec == pause_object(key, spec).spec
    assert (found.metadata.name, found.metadata.generation) == (key[1], 3)
    assert found.status == PauseStatus(observed_generation=2, acknowledged="1/2")


@pytest.mark.parametrize("key", [OF_NAMESPACE, OF_CLUSTER])
async def test_a_deleted_pause_is_not_found(key: PauseKey) -> None:
    async with connected(AnsweringServer({"message": "deleted"}, 404)) as sender:
        with pytest.raises(NotFound, match="deleted"):
            await KubernetesPauses(sender).read_pause(key)


async def test_a_pause_that_is_not_json_fails_with_an_error_that_names_the_request_and_is_retried() -> None:
    async with connected(AnsweringServer(b'{"metadata": ')) as sender:
        with pytest.raises(Unavailable, match=f"GET {API}/clusteringestpauses/fleet: the response is not understood"):
            await KubernetesPauses(sender).read_pause(OF_CLUSTER)


async def test_the_review_asks_about_the_account_of_the_pods_in_its_namespace() -> None:
    server = AnsweringServer({"status": {"allowed": True, "reason": "RBAC"}})
    async with connected(server) as sender:
        assert await KubernetesAccessReviews(sender).ingest_account_may_watch("acme", identity.PAUSES) is True
    assert server.requests == [("POST", REVIEWS)]
    assert (server.body["apiVersion"], server.body["kind"]) == ("authorization.k8s.io/v1", "SubjectAccessReview")
    assert server.body["spec"] == {
        "user": "system:serviceaccount:acme:sluice-ingest",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:acme", "system:authenticated"],
        "resourceAttributes": {
            "group": "sluice.dev",
            "resource": "ingestpauses",
            "verb": "watch",
            "namespace": "acme",
        },
    }


async def test_the_review_of_pauses_of_the_cluster_asks_about_the_whole_cluster() -> None:
    server = AnsweringServer({"status": {"allowed": True}})
    async with connected(server) as sender:
        assert await KubernetesAccessReviews(sender).ingest_account_may_watch("acme", identity.CLUSTER_PAUSES) is True
    attributes = {"group": "sluice.dev", "resource": "clusteringestpauses", "verb": "watch"}
    assert server.body["spec"]["resourceAttributes"] == attributes
    assert server.body["spec"]["user"] == "system:serviceaccount:acme:sluice-ingest"


@pytest.mark.parametrize("answer", [{"status": {"allowed": False}}, {"status": {"denied": True}}, {}])
async def test_only_an_explicit_permission_counts_as_allowed(answer: Any) -> None:
    async with connected(AnsweringServer(answer)) as sender:
        assert await KubernetesAccessReviews(sender).ingest_account_may_watch("acme", identity.PAUSES) is False


@pytest.mark.parametrize("answer", [b"<html>", {"status": {"allowed": "yes"}}, {"status": None}])
async def test_a_review_that_is_not_understood_is_neither_a_permission_nor_a_denial(answer: Any) -> None:
    async with connected(AnsweringServer(answer)) as sender:
        with pytest.raises(Unavailable, match=f"POST {REVIEWS}: the response is not understood"):
            await KubernetesAccessReviews(sender).ingest_account_may_watch("acme", identity.PAUSES)


@pytest.mark.parametrize(("status", "error"), [(403, RequestRefused), (500, InternalServerError), (503, Unavailable)])
async def test_a_failed_review_raises_the_error_of_the_port(status: int, error: type[ClusterError]) -> None:
    async with connected(AnsweringServer({"message": "failed"}, status)) as sender:
        with pytest.raises(error, match="failed"):
            await KubernetesAccessReviews(sender).ingest_account_may_watch("acme", identity.PAUSES)
