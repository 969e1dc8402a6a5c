import asyncio
import math
import time
from typing import Any

import aiohttp
import msgpack
import pytest

from sluice_relay.protocol.encoding import JSON, MSGPACK, Codec
from sluice_simulators.alpaca import AlpacaServer, ServerOptions, TapeFeed
from sluice_simulators.alpaca.client import ClientOptions, connect_and_subscribe
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.message_faults import (
    Crossed,
    Duplicate,
    Future,
    Locked,
    Missing,
    NanSide,
    OutOfOrder,
    TimeAsString,
    UnknownKeys,
    UnknownType,
    ZeroSide,
)
from sluice_simulators.alpaca.stream_faults import (
    Burst,
    Close,
    CloseMidFragment,
    EmptyArray,
    Garbage,
    HangUp,
    Mute,
    Oversize,
    Reset,
    SlowClient,
    StallReading,
    Unsubscribed,
    WrongCodec,
)
from sluice_simulators.tapes import generate_quotes
from support.deadlines import wait_until

WSMsgType = aiohttp.WSMsgType
QUOTES = list(generate_quotes(["AAPL"], 20, seed=1))


async def injected(fault: Fault, codec: Codec = MSGPACK) -> list[dict[str, Any]]:
    async with (
        AlpacaServer() as server,
        connect_and_subscribe(server.url(), "AAPL", options=ClientOptions(codec)) as client,
    ):
        assert await server.inject(fault) == 1
        return await client.receive_messages()


async def test_a_mute_server_answers_pings_but_sends_no_data() -> None:
    async with (
        AlpacaServer() as server,
        connect_and_subscribe(server.url(), "AAPL", options=ClientOptions(autoping=False)) as client,
    ):
        await server.inject(Mute())
        assert await server.send_quote("AAPL") == 0
        await client.socket.ping(b"there?")
        assert (await client.receive_frame()).type is WSMsgType.PONG
        assert server.record.connections[0].pings == 1


async def test_a_dead_server_does_not_answer_pings() -> None:
    async with (
        AlpacaServer() as server,
        connect_and_subscribe(server.url(), "AAPL", options=ClientOptions(autoping=False)) as client,
    ):
        await server.inject(Mute(pongs=False))
        await client.socket.ping(b"there?")
        assert await client.is_silent()


async def test_a_dead_server_does_not_answer_a_close() -> None:
    async with AlpacaServer() as server:
        async with connect_and_subscribe(server.url(), "AAPL") as client:
            await server.inject(Mute(pongs=False))
            began = time.monotonic()
            await client.socket.close()
            assert time.monotonic() - began >= 0.2
            assert client.socket.close_code == 1006
        await wait_until(server.record, lambda record: not record.open_connections)


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_the_server_closes_with_a_code(code: int) -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        _, frame = await asyncio.gather(server.inject(Close(code, "because")), client.receive_frame())
        assert (frame.type, frame.data, frame.extra) == (WSMsgType.CLOSE, code, "because")
        await wait_until(server.record, lambda record: record.close_sides_and_codes == [("server", code)])


@pytest.mark.parametrize("fault", [Reset(), HangUp(), CloseMidFragment(), SlowClient(said=False)])
async def test_the_connection_is_lost_without_a_close(fault: Fault) -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        await server.inject(fault)
        assert (await client.receive_frame()).type in (WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
        assert client.socket.close_code == 1006
        await wait_until(server.record, lambda record: record.close_sides_and_codes == [("server", 1006)])


async def test_a_slow_client_gets_error_407_and_is_dropped() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        await server.inject(SlowClient())
        assert await client.receive_messages() == [{"T": "error", "code": 407, "msg": "slow client"}]
        assert (await client.receive_frame()).type in (WSMsgType.CLOSED, WSMsgType.CLOSING)


@pytest.mark.parametrize(
    ("codec", "kind"),
    [(MSGPACK, WSMsgType.TEXT), (JSON, WSMsgType.BINARY)],
)
async def test_the_server_sends_a_frame_in_the_other_encoding(codec: Codec, kind: WSMsgType) -> None:
    async with (
        AlpacaServer() as server,
        connect_and_subscribe(server.url(), "AAPL", options=ClientOptions(codec)) as client,
    ):
        await server.inject(WrongCodec())
        assert (await client.receive_frame()).type is kind


async def test_the_server_sends_a_garbage_frame() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        await server.inject(Garbage())
        assert (await client.receive_frame()).data == b"\xc1"


async def test_the_server_sends_an_empty_array() -> None:
    assert await injected(EmptyArray()) == []


async def test_the_server_sends_a_frame_longer_than_the_client_allows() -> None:
    messages = await injected(Oversize())

    assert len(msgpack.packb(messages)) > 1 << 20


async def test_a_burst_arrives_in_frames() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL", "MSFT") as client:
        await server.inject(Burst(messages=250, batch=100))
        frames = [await client.receive_messages() for _ in range(3)]
        assert [len(frame) for frame in frames] == [100, 100, 50]
        assert {message["S"] for frame in frames for message in frame} == {"AAPL", "MSFT"}


async def test_reading_stalls_for_a_while() -> None:
    async with (
        AlpacaServer() as server,
        connect_and_subscribe(server.url(), "AAPL", options=ClientOptions(autoping=False)) as client,
    ):
        await server.inject(StallReading(0.1))
        began = time.monotonic()
        await client.socket.ping()
        assert (await client.receive_frame()).type is WSMsgType.PONG
        assert time.monotonic() - began >= 0.09


async def test_the_server_sends_a_quote_of_an_unsubscribed_symbol() -> None:
    [quote] = await injected(Unsubscribed("NOPE"))

    assert quote["S"] == "NOPE"


async def test_a_message_has_an_unknown_type() -> None:
    assert [each["T"] for each in await injected(UnknownType())] == ["zz"]


async def test_a_message_has_unknown_keys_after_its_type() -> None:
    [quote] = await injected(UnknownKeys())

    assert list(quote)[:2] == ["T", "zz"]
    assert list(quote)[-1] == "zy"


async def test_a_message_has_no_time() -> None:
    [quote] = await injected(Missing())

    assert "t" not in quote


async def test_a_time_is_a_string() -> None:
    [quote] = await injected(TimeAsString("yesterday"))

    assert quote["t"] == "yesterday"


@pytest.mark.parametrize(("fault", "offset"), [(OutOfOrder(60.0), -60.0), (Future(3600.0), 3600.0)])
async def test_a_message_has_a_wrong_time(fault: Fault, offset: float) -> None:
    [quote] = await injected(fault)

    assert quote["t"].to_unix() - time.time() == pytest.approx(offset, abs=2.0)


async def test_a_message_arrives_twice() -> None:
    first, second = await injected(Duplicate())

    assert first == second


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
async def test_quotes_have_implausible_prices(codec: Codec) -> None:
    [crossed] = await injected(Crossed(), codec)
    [locked] = await injected(Locked(), codec)
    [empty] = await injected(ZeroSide("both"), codec)
    [nan] = await injected(NanSide("ask"), codec)

    assert crossed["bp"] > crossed["ap"]
    assert locked["bp"] == locked["ap"]
    assert [empty[key] for key in ("bp", "bs", "ap", "as")] == [0, 0, 0, 0]
    assert math.isnan(nan["ap"])


async def test_a_scripted_fault_applies_after_its_number_of_messages() -> None:
    async with AlpacaServer(feed=TapeFeed(QUOTES, batch=5)) as server:
        server.faults.schedule(Close(1011, after=10))
        async with connect_and_subscribe(server.url(), "AAPL") as client:
            assert len(await client.receive_at_least(10)) == 10
            assert (await client.receive_frame()).data == 1011


async def test_a_scripted_fault_can_apply_at_the_acknowledgement() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(Reset())
        async with connect_and_subscribe(server.url(), "AAPL") as client:
            await client.receive_frame()
            assert client.socket.close_code == 1006


async def test_a_scripted_fault_changes_only_its_messages() -> None:
    async with AlpacaServer(feed=TapeFeed(QUOTES)) as server:
        server.faults.schedule(Missing(skip=2, messages=3), Missing(key="bp", skip=4))
        async with connect_and_subscribe(server.url(), "AAPL") as client:
            messages = await client.receive_at_least(8)
        assert ["t" in each for each in messages] == [True, True, False, False, False, True, True, True]
        assert ["bp" in each for each in messages].index(False) == 4


async def test_a_fault_can_be_injected_into_one_of_several_connections() -> None:
    async with (
        AlpacaServer() as server,
        connect_and_subscribe(server.url("iex"), "AAPL") as one,
        connect_and_subscribe(server.url("sip"), "AAPL") as other,
    ):
        assert await server.inject(EmptyArray(), connection=2) == 1
        assert await server.inject(Garbage(), endpoint="iex") == 1
        assert await other.receive_messages() == []
        assert (await one.receive_frame()).data == b"\xc1"


async def test_a_client_too_far_behind_a_paced_feed_is_dropped() -> None:
    crowd = [QUOTES[0]] * 60_000
    async with (
        AlpacaServer(options=ServerOptions(backlog=0)) as server,
        connect_and_subscribe(server.url(), "AAPL") as client,
    ):
        await server.play_feed(TapeFeed(crowd, speed=1.0))
        while (frame := await client.receive_frame()).type is WSMsgType.BINARY:
            last = frame.data
        assert msgpack.unpackb(last) == [{"T": "error", "code": 407, "msg": "slow client"}]
        await wait_until(server.record, lambda record: record.close_sides_and_codes == [("server", 1006)])
