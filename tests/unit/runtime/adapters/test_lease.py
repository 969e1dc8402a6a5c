"""The Lease behind the connection slot: one suite for the adapter and the fake that other tests use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sluice_runtime.adapters.api_session import ApiServer
from sluice_runtime.adapters.lease import SlotClaimStore
from sluice_runtime.domain.slot import SlotClaim
from sluice_runtime.ports import SlotError, SlotPort
from support.fake_slot import FakeSlotPort
from support.lease_server import LEASES, LeaseServer, PlainSession, job, owner
from support.virtual_time import START
from support.web_server import serve_on_free_port

REAL_TIME = True
OWNER_5 = b'{"metadata": {"name": "slot", "ownerReferences": [5]}}'
SPEC_5 = b'{"metadata": {"name": "slot"}, "spec": 5}'
NO_TEXT = b'{"metadata": {"name": "\xff"}}'
UNREADABLE = r"^the Lease slot cannot be read \(.*\); delete it, and a pod creates it again$"


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
        yield SlotClaimStore(session, "acme", "slot", job("us"))
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
        lease = SlotClaimStore(session, "acme", "slot", job("us"))
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
            await SlotClaimStore(session, "acme", "slot", job("us")).read_claim()
    with pytest.raises(SlotError, match="did not answer"):
        await SlotClaimStore(session, "acme", "slot", job("us")).read_claim()
    await session.close()


@asynccontextmanager
async def stores(server: LeaseServer, credentials: Path) -> AsyncIterator[tuple[SlotClaimStore, SlotClaimStore]]:
    """Open the Lease as the jobs `us` and `fx` do."""
    async with server.serving() as url:
        session = PlainSession(ApiServer(url=url, credentials=credentials))
        yield tuple(SlotClaimStore(session, "acme", "slot", job(name)) for name in ("us", "fx"))  # type: ignore[misc]
        await session.close()


def owners(server: LeaseServer) -> list[dict[str, Any]]:
    """Return the owners of the Lease."""
    assert server.lease is not None
    found: list[dict[str, Any]] = server.lease["metadata"].get("ownerReferences", [])
    return found


async def test_each_job_that_uses_the_lease_is_an_owner_that_does_not_control_it(
    server: LeaseServer, credentials: Path
) -> None:
    async with stores(server, credentials) as (us, fx):
        held = await us.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        assert owners(server) == [owner("us")]
        waiting = await fx.read_claim()
        assert waiting == held
        await fx.add_this_job_as_user(held)
        assert owners(server) == [owner("us"), owner("fx")]
        found = await us.read_claim()
        assert found is not None
        assert (found.holder, found.renewed_at) == ("us", START)
        await us.replace_claim_if_unchanged(found)
        assert owners(server) == [owner("us"), owner("fx")]


async def test_a_job_is_recorded_as_a_user_once(server: LeaseServer, credentials: Path) -> None:
    async with stores(server, credentials) as (us, fx):
        await us.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        for _ in range(3):
            found = await fx.read_claim()
            assert found is not None
            await fx.add_this_job_as_user(found)
    assert server.writes == 2


async def test_a_lease_of_an_earlier_version_gains_its_owner_and_keeps_others(
    server: LeaseServer, credentials: Path
) -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "notes", "uid": "uid-notes", "controller": True}
    metadata = {"name": "slot", "resourceVersion": "0", "ownerReferences": [other]}
    server.lease = {"metadata": metadata, "spec": {"holderIdentity": "us"}}
    async with stores(server, credentials) as (us, _):
        found = await us.read_claim()
        assert found is not None
        await us.replace_claim_if_unchanged(found)
    assert owners(server) == [other, owner("us")]


async def test_a_job_that_was_created_again_is_another_owner(server: LeaseServer, credentials: Path) -> None:
    earlier = owner("us") | {"uid": "uid-of-the-deleted-job"}
    metadata = {"name": "slot", "resourceVersion": "0", "ownerReferences": [earlier]}
    server.lease = {"metadata": metadata, "spec": {"holderIdentity": ""}}
    async with stores(server, credentials) as (us, _):
        found = await us.read_claim()
        assert found is not None
        await us.replace_claim_if_unchanged(found)
    assert owners(server) == [earlier, owner("us")]


async def test_a_slot_is_claimed_without_an_owner_where_the_cluster_does_not_allow_to_change_owners(
    server: LeaseServer, credentials: Path
) -> None:
    server.may_change_owners = False
    async with stores(server, credentials) as (us, fx):
        held = await us.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        assert (held.holder, owners(server)) == ("us", [])
        found = await fx.read_claim()
        assert found is not None
        await fx.add_this_job_as_user(found)
        renewed = await us.read_claim()
        assert renewed is not None
        assert (await us.replace_claim_if_unchanged(renewed)).holder == "us"


async def test_a_user_of_a_claim_that_has_changed_meanwhile_is_not_recorded(
    server: LeaseServer, credentials: Path
) -> None:
    async with stores(server, credentials) as (us, fx):
        held = await us.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        await fx.read_claim()
        await us.replace_claim_if_unchanged(held)
        with pytest.raises(SlotError, match="HTTP 409"):
            await fx.add_this_job_as_user(held)
    assert owners(server) == [owner("us")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("renewTime", "0000-01-01T00:00:00.000000Z"),
        ("renewTime", "soon"),
        ("renewTime", 5),
        ("holderIdentity", 5),
        ("leaseDurationSeconds", "long"),
        ("renewTime", "10000-01-01T00:00:00.000000Z"),
        ("renewTime", "0001-01-01T00:00:00.000000+01:00"),
        ("renewTime", "9999-12-31T23:59:59.000000-01:00"),
        ("leaseDurationSeconds", 1e300),
    ],
)
async def test_a_lease_that_cannot_be_read_is_reported_and_ends_nothing(
    server: LeaseServer, credentials: Path, field: str, value: object
) -> None:
    async with server.serving() as url:
        session = PlainSession(ApiServer(url=url, credentials=credentials))
        store = SlotClaimStore(session, "acme", "slot", job("us"))
        await store.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        assert server.lease is not None
        server.lease["spec"][field] = value
        with pytest.raises(SlotError, match=UNREADABLE):
            await store.read_claim()
        await session.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"<html>", b"\xff", b"{}", b'{"metadata": null}', b"[" * 100_000, OWNER_5, SPEC_5, NO_TEXT],
)  # fmt: skip
async def test_a_body_that_is_no_lease_is_reported_and_ends_nothing(body: bytes, credentials: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get(f"{LEASES}/slot", answer)
    async with serve_on_free_port(app) as url:
        session = PlainSession(ApiServer(url=url, credentials=credentials))
        with pytest.raises(
            SlotError, match=r"^the Lease slot cannot be read \(.*\); delete it, and a pod creates it again$"
        ):
            await SlotClaimStore(session, "acme", "slot", job("us")).read_claim()
        await session.close()


@pytest.mark.parametrize("stored", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"])
async def test_a_job_waits_for_a_claim_of_any_year_that_can_be_read(
    server: LeaseServer, credentials: Path, stored: str
) -> None:
    metadata = {"name": "slot", "resourceVersion": "0"}
    server.lease = {"metadata": metadata, "spec": {"holderIdentity": "fx", "renewTime": stored}}
    async with stores(server, credentials) as (us, _):
        found = await us.read_claim()
        assert found is not None
        await us.add_this_job_as_user(found)
    assert (server.lease["spec"]["renewTime"], owners(server)) == (stored, [owner("us")])


async def test_a_claim_that_a_policy_refuses_has_the_policy_s_sentence_and_its_owner_later(
    server: LeaseServer, credentials: Path
) -> None:
    async with stores(server, credentials) as (us, _):
        server.policy_sentence = "Correct the clock of the pod's node."
        with pytest.raises(SlotError, match=r"HTTP 403 to POST of Lease slot: Correct the clock of the pod's node\.$"):
            await us.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
        server.policy_sentence = ""
        await us.replace_claim_if_unchanged(SlotClaim(holder="us", renewed_at=START))
    assert owners(server) == [owner("us")]
