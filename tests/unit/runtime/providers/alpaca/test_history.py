"""Past trades and bars, with the simulator."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_relay.protocol.messages import bar_message, timestamp
from sluice_runtime.domain.market import Bar, Trade
from sluice_runtime.domain.market_history import HistoryPage, HistoryRequest
from sluice_runtime.history_ports import HistoryError
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.history import AlpacaHistory
from sluice_simulators.alpaca import AlpacaServer
from sluice_simulators.alpaca.trades import StockTrade
from support.alpaca_provider import mount

REAL_TIME = True
START = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
END = START + timedelta(hours=10)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer() as running:
        yield running


def history(server: AlpacaServer, folder: Path, **settings: Any) -> AlpacaHistory:
    alpaca = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"), **settings)
    return AlpacaHistory(alpaca, CredentialsReader(alpaca, folder, None), server.http_url)


def request(kind: Any = "trades", *symbols: str) -> HistoryRequest:
    return HistoryRequest(kind=kind, symbols=symbols or ("AAPL",), start=START, end=END)


def at(seconds: float) -> dict[str, Any]:
    return {"t": timestamp(int((START.timestamp() + seconds) * 1_000_000_000))}


async def test_trades_of_all_pages(server: AlpacaServer, tmp_path: Path) -> None:
    await server.send([StockTrade("AAPL", 1.0 + n, id=n).trade_message() | at(n) for n in range(10_001)])
    await server.send([StockTrade("AAPL", 0.0).trade_message() | at(0.5)])  # without a valid price
    fetched = history(server, mount(tmp_path, "key", "secret"))
    first = await fetched.fetch_page(request(), None)
    second = await fetched.fetch_page(request(), first.next_page)
    assert [len(first.trades), len(second.trades), second.next_page] == [9_999, 2, None]
    assert first.trades[0] == Trade(symbol="AAPL", ts=START, price=1.0, size=100.0)


async def test_bars_of_one_minute(server: AlpacaServer, tmp_path: Path) -> None:
    await server.send([bar_message("AAPL", 50.0, 300) | at(60)])
    page = await history(server, mount(tmp_path, "key", "secret")).fetch_page(request("bars"), None)
    minute = START + timedelta(minutes=1)
    assert page.bars == [Bar(symbol="AAPL", ts=minute, open=49.5, high=50.5, low=49.0, close=50.0, volume=300.0)]
    assert server.history.requests[0][1]["timeframe"] == "1Min"


async def test_crypto_pairs_have_their_own_path(server: AlpacaServer, tmp_path: Path) -> None:
    await server.send([StockTrade("BTC/USD", 7.0).trade_message() | at(0)])
    page = await history(server, mount(tmp_path, "key", "secret"), feed="crypto").fetch_page(
        request("trades", "BTC/USD"), None
    )
    assert [each.price for each in page.trades] == [7.0]
    path, query = server.history.requests[0]
    assert (path, "feed" in query) == ("/v1beta3/crypto/us/trades", False)


async def test_what_a_gap_of_the_delayed_feed_hides_happened_a_quarter_of_an_hour_before(
    server: AlpacaServer, tmp_path: Path
) -> None:
    await history(server, mount(tmp_path, "key", "secret"), feed="delayed_sip").fetch_page(request(), None)
    _, query = server.history.requests[0]
    assert (query["feed"], query["start"]) == ("sip", "2026-11-27T14:45:00Z")


@pytest.mark.parametrize(("feed", "has"), [("iex", True), ("crypto", True), ("test", False), ("overnight", False)])
def test_feeds_with_history(feed: Any, has: bool) -> None:
    assert AlpacaHistory.has_history(AlpacaSettings(feed=feed)) is has


async def test_a_symbol_without_data_is_an_empty_page(server: AlpacaServer, tmp_path: Path) -> None:
    page = await history(server, mount(tmp_path, "key", "secret")).fetch_page(request(), None)
    assert page == HistoryPage(trades=[], bars=[])


async def test_errors_say_whether_a_retry_can_help(server: AlpacaServer, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="there are no credentials") as failure:
        await history(server, tmp_path).fetch_page(request(), None)
    assert not failure.value.is_final
    server.rest.failure_status = 503
    fetched = history(server, mount(tmp_path, "key", "secret"))
    with pytest.raises(HistoryError, match=r"answered HTTP 503$") as failure:
        await fetched.fetch_page(request(), None)
    assert not failure.value.is_final
    mount(tmp_path, "key", "wrong")
    with pytest.raises(HistoryError, match=r"answered HTTP 401$") as failure:
        await fetched.fetch_page(request(), None)
    assert failure.value.is_final
    await server.stop()
    with pytest.raises(HistoryError, match="cannot be reached"):
        await fetched.fetch_page(request(), None)
