import asyncio

import aiohttp
import pytest

from sluice_relay.protocol.encoding import JSON, MSGPACK, Codec
from sluice_simulators.alpaca import (
    BASIC,
    Account,
    AlpacaServer,
    Plan,
    ServerOptions,
    StockTrade,
    quote_message,
    status_message,
)
from sluice_simulators.alpaca.client import ClientOptions, connect, connect_and_subscribe
from sluice_simulators.alpaca.server import PATHS
from sluice_simulators.tapes import TapeQuote
from support.deadlines import scaled, wait_until

AUTHENTICATED = {"T": "success", "msg": "authenticated"}


def refusal(code: int, text: str) -> dict[str, object]:
    return {"T": "error", "code": code, "msg": text}


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
async def test_a_client_gets_welcome_authentication_acknowledgement_and_data(codec: Codec) -> None:
    async with AlpacaServer() as server, connect(server.url("iex"), ClientOptions(codec)) as client:
        assert await client.authenticate() == AUTHENTICATED
        acknowledgement = await client.subscribe("AAPL", "MSFT")
        assert acknowledgement["quotes"] == ["AAPL", "MSFT"]
        assert await server.send_quote("MSFT", 410.0, 410.1) == 1
        [quote] = await client.receive_messages()
        assert (quote["T"], quote["S"], quote["bp"], quote["ap"]) == ("q", "MSFT", 410.0, 410.1)


@pytest.mark.parametrize("feed", PATHS)
async def test_every_documented_path_is_served(feed: str) -> None:
    async with AlpacaServer() as server, connect(server.url(feed)) as client:
        assert await client.authenticate() == AUTHENTICATED


async def test_headers_authenticate_without_a_message() -> None:
    headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
    async with AlpacaServer() as server, connect(server.url(), ClientOptions(headers=headers)) as client:
        assert await client.receive_at_least(2) == [{"T": "success", "msg": "connected"}, AUTHENTICATED]
        again = await client.request({"action": "auth", "key": "key", "secret": "secret"})
        assert again == refusal(403, "already authenticated")


async def test_wrong_credentials_get_402_and_can_be_corrected() -> None:
    async with AlpacaServer() as server, connect(server.url()) as client:
        assert await client.authenticate(secret="wrong") == refusal(402, "auth failed")
        assert await client.request({"action": "auth", "key": "key", "secret": "secret"}) == AUTHENTICATED
        assert server.record.auth_outcomes == ["402", "authenticated"]


@pytest.mark.parametrize("key", ["oauth", "access_token"])
async def test_a_token_authenticates_instead_of_a_key_pair(key: str) -> None:
    async with AlpacaServer() as server, connect(server.url()) as client:
        assert await client.authenticate(key=key, secret="secret") == AUTHENTICATED


async def test_a_client_that_does_not_authenticate_gets_404_and_is_closed() -> None:
    async with AlpacaServer(options=ServerOptions(auth_timeout=0.02)) as server, connect(server.url()) as client:
        assert await client.receive_at_least(2) == [{"T": "success", "msg": "connected"}, refusal(404, "auth timeout")]
        assert (await client.receive_frame()).type is aiohttp.WSMsgType.CLOSE


async def test_a_subscription_before_authentication_gets_401() -> None:
    async with AlpacaServer() as server, connect(server.url()) as client:
        await client.receive_messages()
        assert await client.subscribe("AAPL") == refusal(401, "not authenticated")


@pytest.mark.parametrize("message", [["no", "map"], {"action": "dance"}, {}, {"action": "auth", "key": 1}])
async def test_a_message_that_is_not_a_request_gets_400(message: object) -> None:
    async with AlpacaServer() as server, connect(server.url()) as client:
        await client.receive_messages()
        assert await client.request(message) == refusal(400, "invalid syntax")


async def test_text_on_a_msgpack_connection_and_garbage_get_400() -> None:
    async with AlpacaServer() as server, connect(server.url()) as client:
        await client.receive_messages()
        await client.socket.send_json({"action": "subscribe", "quotes": ["AAPL"]})
        assert await client.receive_messages() == [refusal(400, "invalid syntax")]
        await client.socket.send_bytes(b"\xc1")
        assert await client.receive_messages() == [refusal(400, "invalid syntax")]


async def test_an_invalid_symbol_makes_the_whole_request_fail() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "IBM") as client:
        assert await client.subscribe("AAPL", "M SFT") == refusal(400, "invalid syntax")
        assert server.record.quote_symbols == {"IBM"}


async def test_a_channel_of_another_feed_gets_410() -> None:
    async with AlpacaServer() as server, connect(server.url("crypto")) as client:
        await client.authenticate()
        answer = await client.request({"action": "subscribe", "statuses": ["*"]})
        assert answer == refusal(410, "invalid subscribe action for this feed")


async def test_a_feed_outside_the_plan_gets_409() -> None:
    async with AlpacaServer([Account(plan=BASIC)]) as server, connect(server.url("sip")) as client:
        assert await client.authenticate() == refusal(409, "insufficient subscription")


async def test_too_many_symbols_for_the_plan_get_405_and_change_nothing() -> None:
    account = Account(plan=Plan(symbols=3))
    async with AlpacaServer([account]) as server, connect_and_subscribe(server.url(), "A", "B") as client:
        assert await client.subscribe("C", "D") == refusal(405, "symbol limit exceeded")
        assert await client.subscribe("*") == refusal(405, "symbol limit exceeded")
        assert (await client.subscribe("C"))["quotes"] == ["A", "B", "C"]


async def test_a_second_connection_of_a_key_to_a_feed_gets_406() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url("iex"), "AAPL"):
        async with connect(server.url("iex")) as second, connect(server.url("sip")) as elsewhere:
            assert await second.authenticate() == refusal(406, "connection limit exceeded")
            assert await elsewhere.authenticate() == AUTHENTICATED
        assert server.record.concurrent_max == 3


async def test_a_clean_close_frees_the_slot_at_once() -> None:
    async with AlpacaServer(options=ServerOptions(hold=60)) as server:
        async with connect_and_subscribe(server.url(), "AAPL"):
            pass
        await wait_until(server.record, lambda record: not record.open_connections)
        async with connect(server.url()) as second:
            assert await second.authenticate() == AUTHENTICATED
        assert server.record.close_sides_and_codes[0] == ("client", 1000)
        assert len(server.record.seconds_between_connects) == 1


async def test_a_lost_connection_keeps_its_slot_for_the_hold_time() -> None:
    async with AlpacaServer(options=ServerOptions(hold=scaled(1.0))) as server:
        async with connect_and_subscribe(server.url(), "AAPL") as client:
            transport = client.socket.get_extra_info("socket")
            transport.shutdown(2)
            await wait_until(server.record, lambda record: record.close_sides_and_codes == [("lost", 1006)])
        async with connect(server.url()) as second:
            assert await second.authenticate() == refusal(406, "connection limit exceeded")
            while (await second.request({"action": "auth", "key": "key", "secret": "secret"})) != AUTHENTICATED:
                pass


async def test_subscribing_adds_and_unsubscribing_removes_symbols() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        both = await client.request({"action": "subscribe", "quotes": ["MSFT"], "trades": ["IBM"]})
        assert (both["quotes"], both["trades"], both["corrections"]) == (["AAPL", "MSFT"], ["IBM"], ["IBM"])
        less = await client.request({"action": "unsubscribe", "quotes": ["AAPL", "UNKNOWN"], "trades": ["IBM"]})
        assert (less["quotes"], less["trades"], less["cancelErrors"]) == (["MSFT"], [], [])
        assert [len(each.channels["quotes"]) for each in server.record.subscriptions] == [1, 2, 1]


async def test_only_subscribed_messages_are_sent() -> None:
    quote = quote_message(TapeQuote(1, "IBM", 1.0, 1, 2.0, 1))
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        await client.request({"action": "subscribe", "statuses": ["*"]})
        await server.send([quote, status_message("IBM", "H"), StockTrade("AAPL", 1.0).trade_message()])
        [only] = await client.receive_messages()
        assert (only["T"], only["S"], only["sc"]) == ("s", "IBM", "H")


async def test_the_wildcard_subscribes_all_symbols_of_its_channel() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "*") as client:
        await server.send_quote("ANY")
        assert (await client.receive_messages())[0]["S"] == "ANY"


async def test_a_fragmented_request_is_joined() -> None:
    names = [f"SYM{number}" for number in range(9_000)]
    request = MSGPACK.encode_message({"action": "subscribe", "quotes": names})
    async with AlpacaServer() as server, connect(server.url()) as client:
        await client.authenticate()
        for frame in _masked_fragments(request, 32_768):
            client.socket._writer.transport.write(frame)
        assert len((await client.receive_messages())[0]["quotes"]) == 9_000
        assert len(request) > 65_536


async def test_the_secret_is_not_recorded() -> None:
    async with AlpacaServer() as server, connect(server.url()) as client:
        await client.authenticate()
        assert "'secret': '***'" in str(server.record.messages[0].message)


async def test_a_stopping_server_closes_with_1001() -> None:
    server = AlpacaServer()
    await server.start()
    async with connect_and_subscribe(server.url(), "AAPL") as client:
        _, frame = await asyncio.gather(server.stop(), client.receive_frame())
        assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1001)


def _masked_fragments(payload: bytes, size: int) -> list[bytes]:
    # A mask of zeros does not change the payload.
    pieces = [payload[start : start + size] for start in range(0, len(payload), size)]
    frames = []
    for number, piece in enumerate(pieces):
        opcode = 2 if number == 0 else 0
        final = 0x80 if number == len(pieces) - 1 else 0
        frames.append(bytes((opcode | final, 0xFE)) + len(piece).to_bytes(2, "big") + bytes(4) + piece)
    return frames
