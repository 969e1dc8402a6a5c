"""The sessions that kopf gets: they have the client's credentials, only read, and are not created too often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_operator.adapters.access import WriteInReadOnlySession
from sluice_operator.adapters.delivering_responses import create_delivering_response_class
from sluice_operator.adapters.optional_watches import RETRY_SECONDS
from sluice_operator.adapters.page_turn import LONGEST_WAIT_SECONDS, PageTurn
from sluice_operator.domain import objects
from sluice_operator.informer_cache import ClusterState
from sluice_operator.kopf_login import LOGIN_EVERY_SECONDS, KopfLogin
from sluice_operator.watch_delivery import WatchDelivery
from support.every_key import EveryKey
from support.virtual_time import seconds
from support.web_server import serve_on_free_port

from .test_reduced_documents import JOB_DOCUMENTS, encode

API = "/apis/sluice.dev/v1alpha1"
LARGE = JOB_DOCUMENTS["large"]


class RecordedAccess:
    """Implements `WatchAccess`."""

    def __init__(self) -> None:
        self.refusals: list[tuple[str, int]] = []
        self.watches: list[str] = []

    def record_refusal(self, plural: str, status: int) -> None:
        self.refusals.append((plural, status))

    def record_watch(self, plural: str) -> None:
        self.watches.append(plural)


class Site:
    """A server that has one job and forbids pauses, and a login at it with the token `secret`."""

    def __init__(self, host: str, tokens: list[str]) -> None:
        self.host = host
        self.tokens = tokens  # the Authorization header of each request
        self.refused_writes = 0
        self.signs: list[str] = []
        self.access = RecordedAccess()
        self.page_turn = PageTurn()
        configuration = Configuration(host=host, api_key={"BearerToken": "Bearer secret"})
        self.client = ApiClient(configuration)
        self.store = ClusterState(EveryKey())
        responses = create_delivering_response_class(
            self.page_turn, WatchDelivery(self.store).deliver, record_sign=self.signs.append
        )
        self.login = KopfLogin(self.client, self._count_refused_write, responses, self.access)

    def _count_refused_write(self) -> None:
        self.refused_writes += 1

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Yield the aiohttp session of a new login."""
        found = await self.login()
        assert found.server == self.host
        async with found.aiohttp_session as session:
            yield session


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Start the server."""
    tokens: list[str] = []

    async def respond(request: web.Request) -> web.Response:
        tokens.append(request.headers.get("Authorization", ""))
        if request.path.endswith("pauses"):
            return web.Response(status=403)
        if "watch" in request.query:
            return web.Response(body=encode({"type": "ADDED", "object": LARGE}) + b"\n")
        page = encode({"kind": "IngestJobList", "metadata": {}, "items": [LARGE]})
        return web.Response(body=page, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    async with serve_on_free_port(app) as host:
        found = Site(host, tokens)
        async with found.client:
            yield found


async def test_a_session_reads_with_the_credentials_of_the_client_and_reduces_what_it_reads(site: Site) -> None:
    async with site.session() as session, session.get(f"{site.host}{API}/ingestjobs") as response:
        assert (await response.json())["items"] == []
    assert site.tokens == ["Bearer secret"]
    job = objects.decode_job(LARGE)
    assert site.store.jobs.get(job.key) == job


async def test_a_page_is_read_only_while_no_other_page_is_in_memory(site: Site) -> None:
    async with site.session() as session, session.get(f"{site.host}{API}/ingestjobs") as response:
        async with site.page_turn.take():
            reading = asyncio.create_task(response.json())
            await asyncio.sleep(LONGEST_WAIT_SECONDS / 2)
            assert not reading.done()
        assert (await reading)["kind"] == "IngestJobList"


async def test_a_session_sends_no_write_and_counts_those_of_all_sessions(site: Site) -> None:
    for _ in range(2):
        async with site.session() as session:
            with pytest.raises(WriteInReadOnlySession):
                await session.patch(f"{site.host}{API}/namespaces/acme/ingestjobs/us")
    assert (site.refused_writes, site.tokens) == (2, [])


async def test_a_watch_shows_that_it_works_when_it_begins_and_with_each_line(site: Site) -> None:
    async with site.session() as session, session.get(f"{site.host}{API}/ingestjobs?watch=true") as response:
        assert site.signs == ["ingestjobs"]
        assert len([line async for line in response.content.iter_chunked(2**20)]) == 1
    assert site.signs == ["ingestjobs"] * 2


async def test_a_forbidden_optional_kind_is_recorded_and_retried_later(site: Site) -> None:
    async with site.session() as session:
        began = seconds()
        with pytest.raises(aiohttp.ClientPayloadError, match="HTTP 403"):
            await session.get(f"{site.host}{API}/ingestpauses")
        assert seconds() - began == pytest.approx(RETRY_SECONDS)
    assert (site.access.refusals, site.access.watches) == ([("ingestpauses", 403)], [])


async def test_only_the_first_login_is_immediate_and_the_others_are_5_s_apart(site: Site) -> None:
    """The login measures real time, and its wait passes in virtual time: so the waits are shorter by the real time."""
    before = time.monotonic()
    async with site.session() as first:
        assert seconds() == 0.0
        async with site.session() as second:
            real = time.monotonic() - before
            assert LOGIN_EVERY_SECONDS - real <= seconds() <= LOGIN_EVERY_SECONDS
            assert second is not first
