"""The operator's own LISTs over HTTP: small pages, one after the other, and a new start where a page cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_operator.adapters.api import RequestSender
from sluice_operator.adapters.kubernetes import KubernetesCluster
from sluice_operator.adapters.paged_lists import PagedLists
from sluice_operator.adapters.pauses import KubernetesPauses
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job
from sluice_operator.domain.reduced_documents import decode_job_text
from sluice_operator.ports import ListExpired, Unavailable
from support.web_server import serve_on_free_port

from .test_reduced_documents import JOB_DOCUMENTS, META, encode, job
from .world import KEY, SYNTHETIC

EXPIRED = encode({"kind": "Status", "code": 410, "message": "The provided continue parameter is too old"})


class PagedServer:
    """Serve three jobs, one in a page. `answers` are sent in place of the next pages, each with its HTTP status."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes] | None] = []
        self.paths: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.pages_at_once = 0
        self.most_pages_at_once = 0

    async def respond(self, request: web.Request) -> web.Response:
        """Send the next prepared answer, or else the page of the request."""
        self.paths.append(request.path)
        self.queries.append(dict(request.query))
        self.pages_at_once += 1
        self.most_pages_at_once = max(self.most_pages_at_once, self.pages_at_once)
        await asyncio.sleep(0)
        self.pages_at_once -= 1
        if self.answers and (answer := self.answers.pop(0)) is not None:
            return web.Response(status=answer[0], body=answer[1], content_type="application/json")
        number = int(request.query.get("continue", "0"))
        metadata = {"resourceVersion": "7"} | ({"continue": str(number + 1)} if number < 2 else {})
        item = job(META | {"name": f"job-{number}"}, SYNTHETIC)
        return web.Response(body=encode({"metadata": metadata, "items": [item]}), content_type="application/json")


@asynccontextmanager
async def connected(server: PagedServer) -> AsyncIterator[RequestSender]:
    """Yield a sender of requests to the server."""
    app = web.Application()
    app.router.add_get("/{path:.*}", server.respond)
    async with serve_on_free_port(app) as host, ApiClient(Configuration(host=host)) as client:
        yield RequestSender(client)


@asynccontextmanager
async def cluster(server: PagedServer, known: Job | None = None) -> AsyncIterator[KubernetesCluster]:
    """Yield the adapter, connected to the server. `known` is the job that the operator already knows."""
    async with connected(server) as sender:
        yield KubernetesCluster(sender, find_known_job=lambda _: known)


def names(jobs: list[Job]) -> list[str]:
    """Return the names of the jobs."""
    return [each.metadata.name for each in jobs]


async def test_pages_of_50_are_requested_until_the_last() -> None:
    server = PagedServer()
    async with cluster(server) as found:
        assert names(await found.list_jobs()) == ["job-0", "job-1", "job-2"]
    assert server.queries == [{"limit": "50"}, {"limit": "50", "continue": "1"}, {"limit": "50", "continue": "2"}]


async def test_each_watched_namespace_is_listed_on_its_own_and_the_whole_cluster_at_once() -> None:
    server = PagedServer()
    async with connected(server) as sender:
        assert len(await KubernetesCluster(sender, ("acme", "globex")).list_jobs()) == 6
        assert len(await KubernetesPauses(sender, ("acme",)).list_pauses()) == 3
        assert len(await KubernetesPauses(sender).list_pauses()) == 3
    api = "/apis/sluice.dev/v1alpha1"
    assert server.paths[::3] == [
        f"{api}/namespaces/acme/ingestjobs",
        f"{api}/namespaces/globex/ingestjobs",
        f"{api}/namespaces/acme/ingestpauses",
        f"{api}/ingestpauses",
    ]


async def test_the_version_of_a_list_is_that_of_its_last_start() -> None:
    server = PagedServer()
    first = encode({"metadata": {"continue": "1", "resourceVersion": "6"}, "items": []})
    server.answers = [(200, first), (410, EXPIRED)]
    async with connected(server) as sender:
        listed = await PagedLists(sender).read_all_pages("/api/v1/pods", {}, decode_job_text)
    assert (names(listed.objects), listed.resource_version) == (["job-0", "job-1", "job-2"], "7")


async def test_the_pages_of_two_lists_are_never_in_memory_at_once() -> None:
    server = PagedServer()
    async with cluster(server) as found:
        await asyncio.gather(found.list_jobs(), found.list_pods(), found.list_jobs())
    assert (len(server.queries), server.most_pages_at_once) == (9, 1)


async def test_a_list_that_expires_before_its_last_page_starts_again() -> None:
    server = PagedServer()
    server.answers = [None, (410, EXPIRED)]
    async with cluster(server) as found:
        assert names(await found.list_jobs()) == ["job-0", "job-1", "job-2"]
    assert [query.get("continue") for query in server.queries] == [None, "1", None, "1", "2"]


async def test_a_list_that_always_expires_fails_with_an_error_that_is_retried() -> None:
    server = PagedServer()
    server.answers = [None, (410, EXPIRED)] * 3
    async with cluster(server) as found:
        with pytest.raises(ListExpired, match="too old"):
            await found.list_jobs()
    assert issubclass(ListExpired, Unavailable)
    assert len(server.queries) == 6


@pytest.mark.parametrize("text", [b"", b"<html>", b'{"items": [{"metadata": {}}', b'{"items": 7}', b'{"items": [{,}]}'])
async def test_a_page_that_is_not_json_fails_with_a_sentence_and_is_retried(text: bytes) -> None:
    server = PagedServer()
    server.answers = [(200, text)]
    async with cluster(server) as found:
        with pytest.raises(Unavailable, match=r"GET /apis/.*: the response is not understood"):
            await found.list_jobs()
        assert names(await found.list_jobs()) == ["job-0", "job-1", "job-2"]


async def test_an_object_that_is_not_json_fails_with_a_sentence() -> None:
    server = PagedServer()
    server.answers = [(200, b'{"metadata": '), (200, b"cut")]
    async with cluster(server) as found:
        with pytest.raises(Unavailable, match="not understood"):
            await found.read_job(KEY)
        with pytest.raises(Unavailable, match="not understood"):
            await found.read_pod(KEY)


async def test_a_listed_job_that_has_not_changed_is_the_known_one() -> None:
    known = objects.decode_job(job(META | {"name": "job-0"}, SYNTHETIC))
    async with cluster(PagedServer(), known) as found:
        first, second, _ = await found.list_jobs()
    assert first is known
    assert second.metadata.name == "job-1"
    assert second.spec is known.spec


def test_a_known_job_shares_only_what_is_equal() -> None:
    known = objects.decode_job(JOB_DOCUMENTS["ordinary"])
    other = objects.decode_job(job(spec=SYNTHETIC | {"symbols": ["MSFT"]}))
    assert objects.job_sharing_memory_with(known, other) is other
    assert objects.job_sharing_memory_with(None, other) is other
