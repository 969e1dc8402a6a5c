"""The history routes, with alpaca-py's own client, unchanged."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from sluice_relay.protocol.messages import bar_message, timestamp
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.accounts import BASIC
from sluice_simulators.alpaca.trades import StockTrade

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # alpaca-py still imports websockets.legacy
    from alpaca.common.exceptions import APIError
    from alpaca.data.enums import DataFeed
    from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
    from alpaca.data.requests import CryptoBarsRequest, CryptoTradesRequest, StockBarsRequest, StockTradesRequest
    from alpaca.data.timeframe import TimeFrame

START = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", "secret", BASIC)]) as running:
        yield running


def at(seconds: float) -> Any:
    return timestamp(int((START.timestamp() + seconds) * 1_000_000_000))


async def send_trades(server: AlpacaServer, symbol: str, count: int) -> None:
    """Send one trade per second, while no client is connected."""
    await server.send([StockTrade(symbol, 100.0 + n, id=n).trade_message() | {"t": at(n)} for n in range(count)])


async def test_trades_of_several_symbols_and_pages_are_complete(server: AlpacaServer) -> None:
    for symbol in ("MSFT", "AAPL"):
        await send_trades(server, symbol, 12_000)
    client = StockHistoricalDataClient("key", "secret", url_override=server.http_url)
    request = StockTradesRequest(
        symbol_or_symbols=["AAPL", "MSFT"], start=START, end=START + timedelta(days=1), feed=DataFeed.IEX
    )
    found = await asyncio.to_thread(client.get_stock_trades, request)
    assert [len(found["AAPL"]), len(found["MSFT"])] == [12_000, 12_000]
    assert [each.price for each in found["AAPL"]] == [100.0 + n for n in range(12_000)]
    assert len(server.history.requests) == 3  # 10,000 a page


async def test_only_the_period_is_served_and_both_ends_belong_to_it(server: AlpacaServer) -> None:
    await send_trades(server, "AAPL", 10)
    client = StockHistoricalDataClient("key", "secret", url_override=server.http_url)
    period: Any = {"start": START + timedelta(seconds=2), "end": START + timedelta(seconds=4)}
    found = await asyncio.to_thread(
        client.get_stock_trades, StockTradesRequest(symbol_or_symbols="AAPL", **period, feed=DataFeed.IEX)
    )
    assert [each.price for each in found["AAPL"]] == [102.0, 103.0, 104.0]


async def test_bars_and_crypto(server: AlpacaServer) -> None:
    await server.send([bar_message("AAPL", 50.0) | {"t": at(0)}, bar_message("BTC/USD", 60.0) | {"t": at(60)}])
    await server.send([StockTrade("BTC/USD", 61.0).trade_message() | {"t": at(1), "tks": "B"}])
    period: Any = {"start": START, "end": START + timedelta(hours=1)}
    stocks = StockHistoricalDataClient("key", "secret", url_override=server.http_url)
    bars = await asyncio.to_thread(
        stocks.get_stock_bars,
        StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, **period, feed=DataFeed.IEX),
    )
    assert [(each.timestamp, each.close, each.volume) for each in bars["AAPL"]] == [(START, 50.0, 1000)]
    crypto = CryptoHistoricalDataClient("key", "secret", url_override=server.http_url)
    pair_bars = await asyncio.to_thread(
        crypto.get_crypto_bars, CryptoBarsRequest(symbol_or_symbols="BTC/USD", timeframe=TimeFrame.Minute, **period)
    )
    assert [each.close for each in pair_bars["BTC/USD"]] == [60.0]
    trades = await asyncio.to_thread(
        crypto.get_crypto_trades, CryptoTradesRequest(symbol_or_symbols="BTC/USD", **period)
    )
    assert [each.price for each in trades["BTC/USD"]] == [61.0]


async def test_a_symbol_without_history_is_absent(server: AlpacaServer) -> None:
    client = StockHistoricalDataClient("key", "secret", url_override=server.http_url, raw_data=True)
    found = await asyncio.to_thread(client.get_stock_trades, StockTradesRequest(symbol_or_symbols="AAPL", start=START))
    assert found == {}


async def test_wrong_keys_and_feeds_outside_the_plan_are_refused(server: AlpacaServer) -> None:
    request = StockTradesRequest(symbol_or_symbols="AAPL", start=START, feed=DataFeed.SIP)
    for key, status in (("key", 403), ("unknown", 401)):
        client = StockHistoricalDataClient(key, "secret", url_override=server.http_url)
        with pytest.raises(APIError) as failure:
            await asyncio.to_thread(client.get_stock_trades, request)
        assert failure.value.status_code == status


async def test_what_is_sent_over_the_control_route_is_history_too(server: AlpacaServer) -> None:
    message = {"T": "t", "S": "AAPL", "p": 5.0, "s": 1, "t": int(START.timestamp()) * 1_000_000_000}
    async with aiohttp.ClientSession() as session:
        await session.post(f"{server.http_url}/_send", json={"messages": [message]})
        headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
        async with session.get(
            f"{server.http_url}/v2/stocks/trades", params={"symbols": "AAPL"}, headers=headers
        ) as answer:
            assert (await answer.json())["trades"]["AAPL"][0]["p"] == 5.0
