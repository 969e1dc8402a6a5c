import aiohttp
import msgpack
import pytest

from sluice_simulators.alpaca.client import ClientOptions, connect, connect_and_subscribe
from support.relay_source import ListSource, metrics, quote, served, trade


async def test_the_newest_quote_follows_the_acknowledgement() -> None:
    source = ListSource()
    async with served(source=source) as relay:
        source.send(quote("SPY", 1.0), quote("SPY", 2.0))
        async with connect(relay.url()) as client:
            await client.authenticate()
            answer = await client.request({"action": "subscribe", "quotes": ["SPY"]})
            assert answer == {"T": "subscription", "trades": [], "quotes": ["SPY"]}
            assert [each["bp"] for each in await client.receive_messages()] == [2.0]


async def test_a_client_that_reads_nothing_slows_no_other_and_then_gets_the_newest_quote() -> None:
    slow_options = ClientOptions(autoping=False)  # it answers no ping, as a library whose queue is full
    async with (
        served() as relay,
        connect_and_subscribe(relay.url(), "SPY", options=slow_options) as slow,
        connect_and_subscribe(relay.url(), "SPY") as fast,
    ):
        for number in range(1, 101):
            relay.source.send(quote("SPY", float(number)))
            while (await fast.receive_messages())[-1]["bp"] != float(number):
                pass
        frames = [await slow.receive_frame(), await slow.receive_frame()]
        assert [each.type for each in frames] == [aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.PING]
        assert await slow.is_silent()  # one frame is in flight
        assert (await metrics(relay))["sluice_relay_conflated_quotes_total"] >= 98

        await slow.socket.pong(frames[1].data)
        assert [each["bp"] for each in await slow.receive_messages()] == [100.0]


async def test_a_client_with_too_many_waiting_trades_gets_error_407() -> None:
    async with served() as relay, connect(relay.url(), ClientOptions(autoping=False)) as client:
        await client.authenticate()
        await client.request({"action": "subscribe", "trades": ["SPY"]})
        relay.source.send(trade(1))
        await client.receive_messages()
        await client.receive_frame()  # the ping, which stays without an answer
        relay.source.send(*(trade(number) for number in range(2, 10_003)))

        assert (await client.receive_messages())[0]["code"] == 407
        assert (await client.receive_frame()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)
        assert (await metrics(relay))['sluice_relay_errors_total{code="407"}'] == 1


async def test_credentials_in_the_headers_authenticate() -> None:
    headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
    async with served() as relay, connect(relay.url(), ClientOptions(headers=headers)) as client:
        assert [each["msg"] for each in await client.receive_at_least(2)] == ["connected", "authenticated"]


async def test_a_client_that_does_not_authenticate_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice_relay.connection.AUTH_SECONDS", 0.05)
    async with served() as relay, connect(relay.url()) as client:
        assert [each.get("code") for each in await client.receive_at_least(2)] == [None, 404]


async def test_a_client_that_has_read_nothing_for_long_gets_error_407(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice_relay.connection.READ_SECONDS", 0.05)
    options = ClientOptions(autoping=False)
    async with served() as relay, connect_and_subscribe(relay.url(), "SPY", options=options) as client:
        relay.source.send(quote("SPY"))
        frames = [await client.receive_frame() for _ in range(3)]
        assert msgpack.unpackb(frames[2].data)[0]["code"] == 407


async def test_a_refusal_is_logged_without_what_the_client_sent(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as relay, connect(relay.url()) as client:
        assert (await client.authenticate("key", "hidden-1"))["code"] == 402
        assert (await client.request({"action": "auth", "key": "hidden-2", "secret": "s"}))["code"] == 402
    assert "the secret of a known key is wrong" in caplog.text
    assert "no client has this key" in caplog.text
    assert "hidden" not in caplog.text
