import asyncio
from itertools import islice
from pathlib import Path

import aiohttp
import pytest

from sluice_relay.protocol.encoding import JSON, MSGPACK, Codec
from sluice_simulators.alpaca import AlpacaServer, GeneratorFeed, TapeFeed
from sluice_simulators.alpaca.client import ClientOptions, connect, connect_and_subscribe
from sluice_simulators.alpaca.feeds import random_walk_quotes
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.tapes import generate_quotes, write_generated_tape
from support.deadlines import wait_until

SYMBOLS = ["AAPL", "MSFT"]
QUOTES = list(generate_quotes(SYMBOLS, 1200, seed=3))


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
@pytest.mark.parametrize("batch", [1, 10, 100])
@pytest.mark.parametrize("compress", [0, 15])
async def test_a_client_receives_the_whole_tape_in_order_and_in_frames(codec: Codec, batch: int, compress: int) -> None:
    options = ClientOptions(codec, compress=compress)
    async with (
        AlpacaServer(feed=TapeFeed(QUOTES, batch=batch)) as server,
        connect_and_subscribe(server.url(), *SYMBOLS, options=options) as client,
    ):
        frames = [await client.receive_messages() for _ in range(1200 // batch)]
    assert {len(frame) for frame in frames} == {batch}
    received = codec.encode([message for frame in frames for message in frame])
    assert received == codec.encode([quote_message(quote) for quote in QUOTES])


async def test_a_tape_is_read_from_a_file(tmp_path: Path) -> None:
    tape = write_generated_tape(tmp_path / "tape.csv.gz", SYMBOLS, 20, seed=3)
    async with AlpacaServer(feed=TapeFeed(tape)) as server, connect_and_subscribe(server.url(), "*") as client:
        assert len(await client.receive_at_least(20)) == 20
        await server.wait_for_feed_end()
        assert await client.is_silent()
        assert server.record.connections[0].sent == 20


async def test_a_tape_starts_when_all_the_expected_symbols_are_subscribed() -> None:
    feed = TapeFeed(QUOTES, expect=frozenset(SYMBOLS))
    async with AlpacaServer(feed=feed) as server, connect_and_subscribe(server.url(), "AAPL") as client:
        assert await client.is_silent()
    async with AlpacaServer(feed=feed) as server, connect_and_subscribe(server.url(), "AAPL") as client:
        await client.subscribe("MSFT")
        assert len(await client.receive_at_least(1200)) == 1200


async def test_a_connection_gets_the_quotes_of_its_own_symbols() -> None:
    expected = [quote for quote in QUOTES if quote.symbol == "MSFT"]
    feed = TapeFeed(QUOTES, expect=frozenset(SYMBOLS))
    async with (
        AlpacaServer(feed=feed) as server,
        connect_and_subscribe(server.url("sip"), "MSFT") as one,
        connect_and_subscribe(server.url("iex"), "AAPL") as other,
    ):
        received = await one.receive_at_least(len(expected))
        await other.receive_at_least(len(QUOTES) - len(expected))
    assert [each["bp"] for each in received] == [quote.bid for quote in expected]


async def test_a_tape_plays_at_its_recorded_pace_times_the_speed() -> None:
    short = QUOTES[:10]
    seconds = (short[-1].time_ms - short[0].time_ms) / 1000
    began = asyncio.get_running_loop().time()
    async with (
        AlpacaServer(feed=TapeFeed(short, speed=2.0)) as server,
        connect_and_subscribe(server.url(), "*") as client,
    ):
        assert len(await client.receive_at_least(10)) == 10
    assert asyncio.get_running_loop().time() - began >= seconds / 2


async def test_a_tape_can_close_the_connections_at_its_end() -> None:
    async with (
        AlpacaServer(feed=TapeFeed(QUOTES[:5], at_end="close")) as server,
        connect_and_subscribe(server.url(), "*") as client,
    ):
        await client.receive_at_least(5)
        frame = await client.receive_frame()
        assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1000)


async def test_a_tape_can_repeat_with_the_time_of_sending() -> None:
    feed = TapeFeed(QUOTES[:5], at_end="repeat", restamp=True)
    async with AlpacaServer(feed=feed) as server, connect_and_subscribe(server.url(), "*") as client:
        messages = await client.receive_at_least(20)
    times = [each["t"].to_unix_nano() for each in messages]
    assert times == sorted(times)
    assert [each["S"] for each in messages[5:10]] == [quote.symbol for quote in QUOTES[:5]]
    assert len(set(times)) > 1


@pytest.mark.parametrize("rate", [0.0, 5_000.0])
async def test_a_generator_sends_the_subscribed_symbols_in_turn(rate: float) -> None:
    async with (
        AlpacaServer(feed=GeneratorFeed(rate, seed=5, batch=10)) as server,
        connect_and_subscribe(server.url(), "MSFT", "AAPL") as client,
    ):
        frame = await client.receive_messages()
    assert len(frame) == 10
    assert [message["S"] for message in frame[:4]] == ["AAPL", "MSFT", "AAPL", "MSFT"]
    expected = [quote.bid for quote in islice(random_walk_quotes(5, "AAPL"), 5)]
    assert [message["bp"] for message in frame if message["S"] == "AAPL"] == expected


async def test_a_generator_keeps_its_rate() -> None:
    async with AlpacaServer(feed=GeneratorFeed(1_000.0)) as server, connect_and_subscribe(server.url(), "*") as client:
        began = asyncio.get_running_loop().time()
        await client.receive_at_least(100)
        assert asyncio.get_running_loop().time() - began >= 0.09


async def test_a_generator_sends_crypto_quotes_for_currency_pairs() -> None:
    async with (
        AlpacaServer(feed=GeneratorFeed(0.0)) as server,
        connect_and_subscribe(server.url("crypto"), "BTC/USD") as client,
    ):
        quote = (await client.receive_messages())[0]
    assert "bx" not in quote
    assert isinstance(quote["bs"], float)


async def test_a_tape_at_full_speed_waits_while_no_client_is_subscribed() -> None:
    async with AlpacaServer(feed=TapeFeed(QUOTES, at_end="repeat")) as server:
        async with connect_and_subscribe(server.url(), "*") as client:
            await client.receive_at_least(1)
        await wait_until(server.record, lambda record: not record.open_connections)
        async with connect(server.url()) as client:
            await client.authenticate()
            await client.subscribe("*")
            before = server.record.connections[0].sent
            await client.receive_at_least(1)
            assert server.record.connections[0].sent == before > 0


async def test_stopping_the_server_raises_the_error_of_a_failed_feed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with AlpacaServer() as server:
            await asyncio.wait({server.play_feed(TapeFeed(tmp_path / "nothing.csv"))})
