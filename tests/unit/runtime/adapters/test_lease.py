"""The Lease behind the connection slot: one suite for the adapter and the fake that other tests use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sluice_runtime.adapters.api_session import ApiServer, ApiSession
from sluice_runtime.adapters.lease import SlotClaimStore
from sluice_runtime.domain.slot import SlotClaim
from sluice_runtime.ports import SlotError, SlotPort
from support.fake_slot import FakeSlotPort
from support.virtual_time import START

REAL_TIME = True
LEASES = "/apis/coordination.k8s.io/v1/namespaces/acme/leases"


class PlainSession(ApiSession):
    """A session without certificates, because the server of this test has none."""

    def client_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session


class LeaseServer:
    """A server with one Lease, which checks resource versions as the API server does."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.refusal: int | None = None
        self.tokens: set[str] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post(LEASES, self._create)
        app.router.add_get(f"{LEASES}/slot", self._read)
        app.router.add_put(f"{LEASES}/slot", self._replace)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield "http://{}:{}".format(*runner.addresses[0][:2])
        finally:
            await runner.cleanup()

    async def _read(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers["Authorization"])
        if self.refusal is not None:
            return web.json_response({}, status=self.refusal)
        return web.json_response(self.lease, status=404 if self.lease is None else 200)

    async def _create(self, request: web.Request) -> web.Response:
        return await self._store(request) if self.lease is None else web.json_response({}, status=409)

    async def _replace(self, request: web.Request) -> web.Response:
        version = (await request.json())["metadata"]["resourceVersion"]
        return await self._store(request) if version == str(self.version) else web.json_response({}, status=409)

    async def _store(self, request: web.Request) -> web.Response:
        self.lease = await request.json()
        self.version += 1
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return web.json_response(self.lease)


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("bound\n")
    return tmp_path


@pytest.fixture
def server() -> LeaseServer:
    return LeaseServer()


@pytest.fixture(params=["fake", "lease"])
async def port(request: pytest.FixtureRequest, server: LeaseServer, credentials: Path) -> AsyncIterator[SlotPort]:
    if request.param == "fake":
        yield FakeSlotPort()
        return
    async with server.serving() as url:
        session = PlainSession(ApiServer(url=url, credentials=credentials))
        yield SlotClaimStore(session, "acme", "slot")
        await session.close()


async def test_an_unused_slot_has_no_claim(port: SlotPort) -> None:
    assert await port.read_claim() is None


async def test_a_written_claim_is_read_back(port: SlotPort) -> None:
    written = await port.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
    assert (written.holder, written.renewed_at) == ("us", START)
    assert await port.read_claim() == written


async def test_a_claim_is_renewed_and_released_on_the_version_that_was_read(port: SlotPort) -> None:
    first = await port.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
    later = START + timedelta(seconds=10)
    second = await port.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=later, version=first.version))
    assert second.version != first.version
    last = await port.replace_claim_if_unchanged(SlotClaim(holder="", renewed_at=later, version=second.version))
    assert last.holder == ""
    assert await port.read_claim() == last


@pytest.mark.parametrize("version", ["", "0"])
async def test_an_unread_claim_is_not_overwritten(port: SlotPort, version: str) -> None:
    held = await port.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
    with pytest.raises(SlotError):
        await port.replace_claim_if_unchanged(SlotClaim(holder="other", renewed_at=START, version=version))
    assert await port.read_claim() == held


async def test_the_lease_is_as_kubernetes_has_it(server: LeaseServer, credentials: Path) -> None:
    async with server.serving() as url:
        session = PlainSession(ApiServer(url=url, credentials=credentials))
        lease = SlotClaimStore(session, "acme", "slot")
        await lease.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        await lease.read_claim()
        await session.close()
    assert server.lease is not None
    assert server.lease["spec"] == {
        "holderIdentity": "us",
        "leaseDurationSeconds": 60,
        "renewTime": "2026-03-02T15:00:00.000000Z",
    }
    assert (server.lease["apiVersion"], server.lease["kind"]) == ("coordination.k8s.io/v1", "Lease")
    assert server.tokens == {"Bearer bound"}


async def test_a_rejection_and_an_unreachable_server_raise_errors(server: LeaseServer, credentials: Path) -> None:
    server.refusal = 403
    async with server.serving() as url:
        session = PlainSession(ApiServer(url=url, credentials=credentials))
        with pytest.raises(SlotError, match="HTTP 403 to GET of Lease slot"):
            await SlotClaimStore(session, "acme", "slot").read_claim()
    with pytest.raises(SlotError, match="did not answer"):
        await SlotClaimStore(session, "acme", "slot").read_claim()
    await session.close()
