import ssl
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from sluice_relay.clients import Client, ClientDirectory
from sluice_relay.faults import FaultClock, ScriptedFault
from sluice_relay.listening import Address, create_listener, create_tls_context
from sluice_relay.server import RelayServer
from sluice_simulators.alpaca.client import ClientOptions, connect, connect_and_subscribe
from support.certificates import self_signed
from support.relay_source import CLIENT, ListSource, metrics, page, quote, served


async def test_crypto_clients_get_pairs() -> None:
    async with served() as relay, connect_and_subscribe(relay.url("/v1beta3/crypto/us"), "*") as client:
        relay.source.send(quote("SPY"), quote("BTC/USD"))
        assert [each["S"] for each in await client.receive_messages()] == ["BTC/USD"]


async def test_each_client_reads_only_the_feeds_of_its_own_jobs() -> None:
    other = Client(key="other", secret="s", tenant="globex", jobs=("us-equities",))
    async with served(CLIENT, other) as relay, connect(relay.url()) as client:
        await client.authenticate("other", "s")
        await client.subscribe("*")
        relay.source.send(quote("SPY"))
        relay.source.send(quote("AAPL"), feed="globex/us-equities")
        assert [each["S"] for each in await client.receive_messages()] == ["AAPL"]


async def test_a_client_that_is_removed_or_changed_is_disconnected() -> None:
    async with served() as relay, connect_and_subscribe(relay.url(), "SPY") as client:
        await relay.server.replace_clients({"key": msgspec.structs.replace(CLIENT, symbols=1)})

        assert (await client.receive_messages())[0]["code"] == 402
        async with connect(relay.url()) as again:
            assert (await again.authenticate())["msg"] == "authenticated"


async def test_the_pages_tell_health_and_state_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as relay, connect(relay.url()) as client:
        assert (await client.authenticate("key", "hidden-1"))["code"] == 402
        assert (await client.request({"action": "auth", "key": "hidden-2", "secret": "s"}))["code"] == 402
        await client.request({"action": "auth", "key": "key", "secret": "secret"})

        assert await page(relay, "/healthz") == "ok\n"
        state = msgspec.json.decode(await page(relay, "/_state"))
        assert state == {"clients": 1, "connections": 1, "source": {"source": "list"}}
        assert (await metrics(relay))['sluice_relay_clients{tenant="acme"}'] == 1
    assert "the secret of a known key is wrong" in caplog.text
    assert "no client has this key" in caplog.text
    assert "hidden" not in caplog.text


def clock(kind: Any, after: float = 0.0) -> FaultClock:
    return FaultClock([ScriptedFault(kind, after, 3600)])


async def test_a_scripted_gap_ends_connections_and_refuses_new_ones() -> None:
    async with served(faults=clock("gap", 0.3)) as relay, connect_and_subscribe(relay.url(), "SPY") as client:
        assert (await client.receive_frame()).type is aiohttp.WSMsgType.CLOSED
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            async with connect(relay.url()):
                pass


async def test_a_scripted_slow_client_gets_error_407() -> None:
    async with served(faults=clock("407", 0.3)) as relay, connect_and_subscribe(relay.url(), "SPY") as client:
        assert (await client.receive_messages())[0]["code"] == 407


async def test_clients_can_connect_over_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    address = Address("127.0.0.1", 0, certificate=certificate, key=key)
    server = RelayServer(ListSource(), ClientDirectory(None))
    listener = create_listener(address)
    trusted = ssl.create_default_context(cafile=str(certificate))
    async with (
        server.serve(listener, create_tls_context(address)),
        connect(f"{address.url(listener)}/v2/iex", ClientOptions(tls=trusted)) as client,
    ):
        assert (await client.authenticate())["msg"] == "authenticated"
