"""Alpaca's snapshots, from the REST routes of the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.domain.failure import SnapshotError
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.snapshots import AlpacaSnapshots
from sluice_simulators.alpaca import BASIC, Account, AlpacaServer
from support.alpaca_provider import SECRET, mount

AT = "2026-03-02T15:00:00.123456Z"
QUOTE = {"t": AT, "bx": "V", "bp": 100.0, "bs": 2, "ax": "V", "ap": 0, "as": 0, "c": ["R"], "z": "C"}
TRADE = {"t": AT, "x": "V", "p": 100.5, "s": 10, "c": ["@"], "i": 1, "z": "C"}
SNAPSHOT = {"latestQuote": QUOTE, "latestTrade": TRADE, "minuteBar": {"o": 1}, "dailyBar": None}


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET, BASIC)]) as running:
        yield running


def snapshots(server: AlpacaServer, folder: Path, feed: Any = "iex") -> AlpacaSnapshots:
    return snapshots_of(server.http_url, folder, feed)


def snapshots_of(url: str, folder: Path, feed: Any = "iex") -> AlpacaSnapshots:
    settings = AlpacaSettings(feed=feed, credentials_secret_ref=SecretReference(name="alpaca"))
    return AlpacaSnapshots(settings, CredentialsReader(settings, mount(folder, "key", SECRET), None), url)


@pytest.mark.parametrize(
    ("changes", "effects", "canceled"),
    [
        ({}, ["sets"], []),
        ({"c": ["@", "I"]}, ["never"], []),
        ({"c": ["@", "4", "W"], "z": "A"}, ["first_of_day"], []),
        ({"c": None}, ["sets"], []),
        ({"u": "corrected"}, ["sets"], []),
        ({"u": "canceled"}, [], [1]),
        ({"u": "incorrect"}, [], [1]),
        ({"s": 0}, ["never"], []),
        ({"p": 0}, [], []),
    ],
)
async def test_a_trade_of_a_snapshot_has_the_rule_of_its_conditions(
    server: AlpacaServer, tmp_path: Path, changes: dict[str, object], effects: list[str], canceled: list[int]
) -> None:
    server.rest.snapshots = {"AAPL": {**SNAPSHOT, "latestTrade": {**TRADE, **changes}}}
    found = await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(["AAPL"])
    assert [each.rule.effect for each in found.trades] == effects
    assert [each.id for each in found.cancellations] == canceled


async def test_a_snapshot_has_the_newest_quote_and_trade_of_each_symbol(server: AlpacaServer, tmp_path: Path) -> None:
    server.rest.snapshots = {"AAPL": SNAPSHOT, "BRK.B": {"latestQuote": None}, "SPY": SNAPSHOT}
    found = await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(["AAPL", "BRK.B"])
    [quote], [trade] = found.quotes, found.trades
    assert (quote.symbol, quote.bid, quote.bid_size, quote.ask, quote.ask_size) == ("AAPL", 100.0, 2.0, None, None)
    assert quote.ts == datetime(2026, 3, 2, 15, 0, 0, 123456, UTC)
    assert (trade.symbol, trade.price, trade.ts) == ("AAPL", 100.5, quote.ts)


async def test_a_snapshot_has_the_newest_bar_and_a_malformed_one_costs_no_quote(
    server: AlpacaServer, tmp_path: Path
) -> None:
    bar = {"t": "2026-03-02T14:59:00Z", "o": 1.0, "h": 4.0, "l": 0.5, "c": 3.0, "v": 200, "n": 5, "vw": 2.0}
    server.rest.snapshots = {"AAPL": SNAPSHOT | {"minuteBar": bar}, "MSFT": SNAPSHOT, "SPY": {"minuteBar": None}}
    found = await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(["AAPL", "MSFT", "SPY"])
    [newest] = found.bars
    assert (newest.symbol, newest.ts) == ("AAPL", datetime(2026, 3, 2, 14, 59, tzinfo=UTC))
    assert (newest.open, newest.high, newest.low, newest.close, newest.volume) == (1.0, 4.0, 0.5, 3.0, 200.0)
    assert {each.symbol for each in found.quotes} == {"AAPL", "MSFT"}


async def test_a_snapshot_states_the_provider_s_time(server: AlpacaServer, tmp_path: Path) -> None:
    server.rest.snapshots = {"AAPL": SNAPSHOT}
    found = (await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(["AAPL"])).without_trades()
    assert found.clock_reading is not None
    assert abs((datetime.now(UTC) - found.clock_reading.earliest).total_seconds()) < 10


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        (429, "7", (7.0, False)),
        (429, "9999999", (600.0, False)),
        (429, "soon", (0.0, False)),
        (503, "", (0.0, False)),
        (403, "", (0.0, True)),
    ],
)
async def test_a_refused_request_says_when_to_request_again(
    tmp_path: Path, status: int, retry_after: str, expected: tuple[float, bool]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": retry_after})

    application = web.Application()
    application.router.add_get("/v2/stocks/snapshots", answer)
    async with TestServer(application) as server:
        with pytest.raises(SnapshotError, match=f"HTTP {status}") as failure:
            await snapshots_of(str(server.make_url("/")).rstrip("/"), tmp_path).fetch_latest_quotes_and_trades(["AAPL"])
    assert (failure.value.retry_after, failure.value.is_refused) == expected


async def test_a_malformed_answer_for_a_symbol_loses_only_that_symbol(server: AlpacaServer, tmp_path: Path) -> None:
    without_zone = {"latestQuote": QUOTE | {"t": "2026-03-02T15:00:00"}}
    server.rest.snapshots = {"AAPL": {"latestQuote": {"t": "noon"}}, "MSFT": [], "IBM": without_zone, "SPY": SNAPSHOT}
    found = await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(["AAPL", "MSFT", "IBM", "SPY"])
    assert [each.symbol for each in found.quotes] == ["SPY"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"\xff": {}}', b'{"AAPL": ' + b"[" * 100_000], ids=len)
async def test_an_invalid_answer_is_reported(body: bytes, tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    application = web.Application()
    application.router.add_get("/v2/stocks/snapshots", answer)
    async with TestServer(application) as server:
        with pytest.raises(SnapshotError, match="cannot be parsed"):
            await snapshots_of(str(server.make_url("/")).rstrip("/"), tmp_path).fetch_latest_quotes_and_trades(["AAPL"])


async def test_an_invalid_address_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be reached"):
        await snapshots_of("https://host..example", tmp_path).fetch_latest_quotes_and_trades(["AAPL"])


async def test_many_symbols_take_more_than_one_request(server: AlpacaServer, tmp_path: Path) -> None:
    names = [f"S{number}" for number in range(450)]
    server.rest.snapshots = dict.fromkeys(names, SNAPSHOT)
    found = await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(names)
    assert len(found.quotes) == 450
    assert [len(each) for each in server.rest.requested_symbols] == [200, 200, 50]


async def test_pairs_are_requested_from_the_crypto_routes(server: AlpacaServer, tmp_path: Path) -> None:
    server.rest.snapshots = {"BTC/USD": SNAPSHOT}
    found = await snapshots(server, tmp_path, "crypto").fetch_latest_quotes_and_trades(["BTC/USD"])
    assert [each.symbol for each in found.quotes] == ["BTC/USD"]


@pytest.mark.parametrize("status", [429, 500])
async def test_a_rejected_request_is_reported_without_the_secret(
    server: AlpacaServer, tmp_path: Path, status: int
) -> None:
    server.rest.failure_status = status
    with pytest.raises(SnapshotError, match=f"HTTP {status}") as error:
        await snapshots(server, tmp_path).fetch_latest_quotes_and_trades(["AAPL"])
    assert SECRET not in str(error.value)


async def test_a_plan_without_the_feed_is_rejected(server: AlpacaServer, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="HTTP 403"):
        await snapshots(server, tmp_path, "sip").fetch_latest_quotes_and_trades(["AAPL"])


async def test_an_unresponsive_server_and_a_missing_key_are_reported(
    server: AlpacaServer, tmp_path: Path, unused_tcp_port: int
) -> None:
    asked = snapshots(server, tmp_path)
    (tmp_path / "ALPACA_SECRET_KEY").unlink()
    with pytest.raises(SnapshotError, match="there is no key pair for Alpaca yet"):
        await asked.fetch_latest_quotes_and_trades(["AAPL"])
    settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
    reader = CredentialsReader(settings, mount(tmp_path, "key", SECRET), None)
    with pytest.raises(SnapshotError, match="cannot be reached"):
        await AlpacaSnapshots(settings, reader, f"http://127.0.0.1:{unused_tcp_port}").fetch_latest_quotes_and_trades(
            ["AAPL"]
        )
