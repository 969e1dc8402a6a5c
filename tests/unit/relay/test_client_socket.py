import pytest

from sluice_relay.faults import FaultClock, ScriptedFault
from sluice_relay.protocol.encoding import JSON
from sluice_simulators.alpaca.client import ClientOptions, StreamClient, connect, connect_and_subscribe
from support.deadlines import within
from support.relay_source import quote, served


@pytest.mark.parametrize("options", [None, ClientOptions(codec=JSON)])
async def test_a_client_gets_the_quotes_in_the_encoding_that_it_asks_for(options: ClientOptions | None) -> None:
    async with served() as relay, connect_and_subscribe(relay.url(), "SPY", "BRK.B", options=options) as client:
        relay.source.send(quote("AAPL"), quote("BRK.B", 478.1))

        [message] = await client.receive_messages()
        assert (message["T"], message["S"], message["bp"]) == ("q", "BRK.B", 478.1)


async def test_a_half_open_connection_answers_nothing() -> None:
    async with served(faults=FaultClock([ScriptedFault("half-open", 0.3, 3600)])) as relay:
        async with connect_and_subscribe(relay.url(), "SPY", options=ClientOptions(autoping=False)) as client:
            async with within(10):
                while await _pings_answered(client):
                    pass
            relay.source.send(quote("SPY"))
            assert await client.is_silent()
        async with connect(relay.url()) as late:
            assert await late.is_silent()


async def _pings_answered(client: StreamClient) -> bool:
    await client.socket.ping(b"x")
    return not await client.is_silent(0.2)


async def test_a_frame_in_the_other_encoding_is_refused() -> None:
    async with served() as relay, connect(relay.url()) as client:
        await client.receive_messages()
        await client.socket.send_str('{"action": "auth"}')
        assert (await client.receive_messages())[0]["code"] == 400
        await client.socket.send_bytes(b"\xc1")
        assert (await client.receive_messages())[0]["code"] == 400


async def test_a_close_and_a_ping_are_answered() -> None:
    options = ClientOptions(autoping=False)
    async with served() as relay, connect_and_subscribe(relay.url(), "SPY", options=options) as client:
        assert await _pings_answered(client)
        await client.socket.close(code=1000)
        assert client.socket.close_code == 1000
