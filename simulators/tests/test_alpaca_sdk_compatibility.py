import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgpack
import pytest

from sluice_simulators.alpaca import AlpacaServer, StockTrade, TapeFeed
from sluice_simulators.alpaca.record import StreamRecord
from sluice_simulators.alpaca.stream_faults import EmptyArray
from sluice_simulators.tapes import generate_quotes
from support.deadlines import wait_until

# alpaca-py still uses websockets.legacy, whose import and use raise deprecation warnings.
pytestmark = [
    pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning"),
]

TIMEOUT_SECONDS = 5.0


class RunningStream:
    """A stream of alpaca-py, and the messages that its handler received in the stream's own thread."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.received: queue.Queue[Any] = queue.Queue()

    async def handle(self, message: Any) -> None:
        self.received.put(message)

    async def next(self) -> Any:
        return await asyncio.to_thread(self.received.get, timeout=TIMEOUT_SECONDS)

    async def subscribe(self, *symbols: str) -> None:
        await asyncio.to_thread(self.stream.subscribe_quotes, self.handle, *symbols)

    async def unsubscribe(self, *symbols: str) -> None:
        await asyncio.to_thread(self.stream.unsubscribe_quotes, *symbols)


@contextlib.asynccontextmanager
async def running(server: AlpacaServer, stream: Any, *symbols: str) -> AsyncIterator[RunningStream]:
    """Run the stream in a thread, because its `run()` calls asyncio.run; on exit, stop it and wait for its end."""
    client = RunningStream(stream)
    stream.subscribe_quotes(client.handle, *symbols)
    thread = threading.Thread(target=stream.run, name="alpaca-py", daemon=True)
    thread.start()
    await wait_until(server.record, subscribed(*symbols), TIMEOUT_SECONDS)
    try:
        yield client
    finally:
        await asyncio.to_thread(stream.stop)
        # The SDK checks its stop flag only after a frame, or after 5 s without one, so send an empty frame.
        await server.inject(EmptyArray())
        await asyncio.to_thread(thread.join, TIMEOUT_SECONDS)
        assert not thread.is_alive()


def subscribed(*symbols: str) -> Callable[[StreamRecord], bool]:
    return lambda record: record.quote_symbols >= set(symbols)


def stock_stream(server: AlpacaServer, **options: Any) -> Any:
    from alpaca.data.live import StockDataStream

    return StockDataStream("key", "secret", url_override=server.url("iex"), **options)


def crypto_stream(server: AlpacaServer) -> Any:
    from alpaca.data.live import CryptoDataStream

    return CryptoDataStream("key", "secret", url_override=server.url("crypto"))


async def test_the_sdk_converts_messages_to_quote_models() -> None:
    async with AlpacaServer() as server, running(server, stock_stream(server), "AAPL") as client:
        await server.send_quote("AAPL", 189.5, 189.52)
        quote = await client.next()

    assert type(quote).__name__ == "Quote"
    assert (quote.symbol, quote.bid_price, quote.ask_price) == ("AAPL", 189.5, 189.52)
    assert (quote.bid_exchange, quote.bid_size, quote.conditions, quote.tape) == ("V", 200.0, ["R"], "C")


async def test_raw_data_keeps_the_types_of_the_stream() -> None:
    async with AlpacaServer() as server, running(server, stock_stream(server, raw_data=True), "AAPL") as client:
        await server.send_quote("AAPL", 189.5, 189.52)
        quote = await client.next()

    assert list(quote) == ["T", "S", "bx", "bp", "bs", "ax", "ap", "as", "c", "z", "t"]
    assert isinstance(quote["t"], msgpack.Timestamp)


async def test_the_sdk_receives_the_whole_tape() -> None:
    quotes = list(generate_quotes(["AAPL", "MSFT"], 500, seed=11))
    async with (
        AlpacaServer(feed=TapeFeed(quotes, batch=10)) as server,
        running(server, stock_stream(server), "AAPL", "MSFT") as client,
    ):
        received = [await client.next() for _ in quotes]

    assert [each.bid_price for each in received] == [quote.bid for quote in quotes]


async def test_symbols_are_added_and_removed_while_the_stream_runs() -> None:
    async with AlpacaServer() as server, running(server, stock_stream(server), "AAPL") as client:
        # The SDK sends new subscriptions only once it consumes, so wait for a first quote.
        await server.send_quote("AAPL")
        assert (await client.next()).symbol == "AAPL"
        await client.subscribe("MSFT")
        await wait_until(server.record, subscribed("AAPL", "MSFT"))
        await server.send_quote("MSFT")
        assert (await client.next()).symbol == "MSFT"
        await client.unsubscribe("AAPL")
        await wait_until(server.record, lambda record: record.quote_symbols == {"MSFT"})
        assert await server.send_quote("AAPL") == 0


async def test_five_thousand_symbols_are_subscribed_in_fragments() -> None:
    names = [f"SYMBOL{number}" for number in range(5_000)]
    async with AlpacaServer() as server, running(server, stock_stream(server), *names) as client:
        assert server.record.quote_symbols == set(names)
        await server.send_quote("SYMBOL4999")
        assert (await client.next()).symbol == "SYMBOL4999"


async def test_a_crypto_pair_keeps_its_slash_and_fractions() -> None:
    async with AlpacaServer() as server, running(server, crypto_stream(server), "BTC/USD") as client:
        await server.send_quote("BTC/USD", 64_000.25, 64_001.0)
        quote = await client.next()

    assert (quote.symbol, quote.bid_price, quote.bid_exchange) == ("BTC/USD", 64_000.25, None)


async def test_the_sdk_converts_trades_corrections_and_cancellations_to_models() -> None:
    async with AlpacaServer() as server:
        stream = stock_stream(server)
        client = RunningStream(stream)
        stream.subscribe_trades(client.handle, "AAPL")
        stream.register_trade_corrections(client.handle)
        stream.register_trade_cancels(client.handle)
        first = StockTrade("AAPL", 189.5, 100, id=7, exchange="D", conditions=("@", "4"))
        second = StockTrade("AAPL", 189.25, 200, id=8, exchange="D")
        async with running(server, stream, "MSFT"):
            await server.send([first.trade_message(), first.correction_message(second)])
            await server.send([second.cancellation_message("E")])
            trade, correction, cancellation = [await client.next() for _ in range(3)]

    assert (trade.id, trade.exchange, trade.price, trade.size) == (7, "D", 189.5, 100.0)
    assert (trade.conditions, trade.tape) == (["@", "4"], "C")
    assert (correction.original_id, correction.original_price, correction.original_conditions) == (7, 189.5, ["@", "4"])
    assert (correction.corrected_id, correction.corrected_price, correction.corrected_conditions) == (8, 189.25, ["@"])
    assert (cancellation.id, cancellation.exchange, cancellation.price, cancellation.action) == (8, "D", 189.25, "E")


async def test_stopping_the_sdk_stream_closes_with_1000() -> None:
    async with AlpacaServer() as server:
        async with running(server, stock_stream(server), "AAPL"):
            pass
        await wait_until(server.record, lambda record: record.close_sides_and_codes == [("client", 1000)])
        assert server.record.auth_outcomes == ["authenticated"]
        assert server.record.connect_count == 1
