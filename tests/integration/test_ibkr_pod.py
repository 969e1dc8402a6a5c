"""A job of provider ibkr on a real API server, from the IngestJob to the Firestore document. Its pod is a process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice_contract import conditions as c
from sluice_simulators.tws.background import BackgroundGateway
from sluice_simulators.tws.server import BID, LAST
from support.site import Tenant, eventually


@pytest.fixture
def gateway() -> Iterator[BackgroundGateway]:
    with BackgroundGateway() as running:
        yield running
        assert running.call(lambda server: server.record.concurrent_max) == 1


def streaming_from(gateway: BackgroundGateway) -> dict[str, Any]:
    """Return the spec fields of a job that streams from the gateway."""
    port = gateway.call(lambda server: server.port)
    return {"provider": "ibkr", "ibkr": {"host": "127.0.0.1", "port": port, "clientID": 3}}


def quoted(tenant: Tenant, gateway: BackgroundGateway, symbol: str, bid: float) -> dict[str, Any]:
    """Wait until the document has this quote of IBKR's `symbol`; returns the document."""
    canonical = symbol.replace(" ", ".")

    def written() -> dict[str, Any] | None:
        gateway.call(lambda server: server.send_quote(symbol, bid, bid + 0.25))
        found = tenant.quotes().get(canonical, {})
        return found if found.get("bid") == bid else None

    return eventually(written)


def test_a_job_writes_documents_before_and_after_an_outage_and_a_pause(
    tenant: Tenant, gateway: BackgroundGateway
) -> None:
    gateway.call(lambda server: server.behavior.unknown.add("NOPE"))
    tenant.apply(**streaming_from(gateway), symbols=["AAPL", "BRK.B", "NOPE"], channels=["quotes", "trades"])
    tenant.settled("SymbolsRejected", seconds=60)
    tenant.patch(symbols=["AAPL", "BRK.B"])
    tenant.settled("Streaming")
    assert tenant.condition(c.CREDENTIALS_VALID) == ("True", c.NOT_NEEDED)
    assert tenant.condition(c.CONNECTION_SLOT_ACQUIRED) == ("True", c.SLOT_ACQUIRED)

    document = quoted(tenant, gateway, "BRK B", 500.25)
    assert (document["ask"], document["source"], document["price"]) == (500.5, "ibkr", 500.375)
    gateway.call(lambda server: server.send_price("BRK B", LAST, 500.3, 7))
    gateway.call(lambda server: server.send_price("BRK B", BID, -1, 0))
    eventually(lambda: tenant.quotes()["BRK.B"]["bid"] is None)
    assert tenant.quotes()["BRK.B"]["price"] == 500.3

    gateway.call(lambda server: server.send_notice(1100, "Connectivity has been lost"))
    gateway.call(lambda server: server.forget_subscriptions())
    [ready] = [each for each in tenant.settled(c.BACKING_OFF)["conditions"] if each["type"] == "Ready"]
    assert "code 1100" in ready["message"]
    gateway.call(lambda server: server.send_notice(1101, "Connectivity has been restored - data lost"))
    tenant.settled("Streaming")
    quoted(tenant, gateway, "AAPL", 77.25)
    gateway.call(lambda server: server.send_notice(2105, "HMDS data farm connection is broken:ushmds"))
    assert tenant.settled(c.PROVIDER_DEGRADED)["phase"] == "Degraded"
    gateway.call(lambda server: server.send_notice(2106, "HMDS data farm connection is OK:ushmds"))
    tenant.settled("Streaming")
    assert gateway.call(lambda server: len(server.record.connections)) == 1

    tenant.patch(enabled=False)
    assert "socketClosedAt" in tenant.settled("Paused")["stream"]["pause"]
    eventually(lambda: gateway.call(lambda server: not server.record.open_connections))


def test_a_second_job_with_the_same_client_id_waits_until_the_first_is_paused(
    tenant: Tenant, gateway: BackgroundGateway
) -> None:
    tenant.apply("first", **streaming_from(gateway), symbols=["AAPL"])
    tenant.settled("Streaming", "first")
    tenant.apply("second", **streaming_from(gateway), symbols=["MSFT"], heartbeat={"document": "second"})
    eventually(lambda: tenant.condition(c.CONNECTION_SLOT_ACQUIRED, "second") == ("False", c.HELD_BY), 30)
    assert gateway.call(lambda server: server.record.subscribed_symbols) == {"AAPL"}
    tenant.patch("first", enabled=False)
    tenant.settled("Paused", "first")
    tenant.settled("Streaming", "second")
    assert gateway.call(lambda server: server.record.subscribed_symbols) == {"MSFT"}
    assert gateway.call(lambda server: server.record.refused_ids) == []
