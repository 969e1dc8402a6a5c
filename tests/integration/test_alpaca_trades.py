"""Trades that do not count, from Alpaca's stream to the document, with both engines and real parts.

Also looked for: messages in one frame and in several, a correction, a cancellation that arrives after a reconnect, the
snapshot's view of a trade that was canceled while no connection was open, and crypto, which has no conditions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_contract.spec import Channel
from sluice_relay.protocol.messages import Message
from sluice_runtime.providers.alpaca import credentials as alpaca_mount
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_simulators.alpaca import Account, AlpacaServer, StockTrade
from support.alpaca_provider import SECRET, mount, source, streaming
from support.eventually import eventually
from support.fake_listener import FakeListener
from support.trades import last_price

CHANNELS: frozenset[Channel] = frozenset({"quotes", "trades"})
GOOD = StockTrade("AAPL", 18.31, id=1, tape="A")
BAD = StockTrade("AAPL", 99.0, 250_000, id=2, exchange="D", tape="A")


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running


@pytest.fixture(params=get_args(AlpacaEngine))
def client(
    request: pytest.FixtureRequest, server: AlpacaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AlpacaSource:
    """The client with each engine."""
    monkeypatch.setattr(alpaca_mount, "POLL_SECONDS", 0.02)
    return source(server.url(), mount(tmp_path, "key", SECRET), engine=request.param)


async def test_a_canceled_trade_is_not_the_last_one(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    async with streaming(client, listener, "AAPL", channels=CHANNELS):
        await server.send([GOOD.trade_message(), BAD.trade_message()])
        await eventually(lambda: last_price(listener, "AAPL") == 99.0)
        await server.send([BAD.cancellation_message()])
        await eventually(lambda: last_price(listener, "AAPL") == 18.31)
        await server.send([GOOD.cancellation_message("E")])
        await eventually(lambda: last_price(listener, "AAPL") is None)


async def test_a_corrected_trade_has_the_corrected_price(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    right = StockTrade("AAPL", 18.33, 250_000, id=3, exchange="D", tape="A")
    async with streaming(client, listener, "AAPL", channels=CHANNELS):
        await server.send([GOOD.trade_message(), BAD.trade_message(), BAD.correction_message(right)])
        await eventually(lambda: last_price(listener, "AAPL") == 18.33)
        await server.send([right.cancellation_message()])
        await eventually(lambda: last_price(listener, "AAPL") == 18.31)


async def test_a_trade_whose_conditions_do_not_count_is_not_the_last_one(
    server: AlpacaServer, client: AlpacaSource
) -> None:
    listener = FakeListener()
    others = [
        StockTrade("AAPL", 25.0, id=3, conditions=("@", "4", "W"), tape="A"),
        StockTrade("AAPL", 26.0, 1, id=4, conditions=("@", "I"), tape="A"),
        StockTrade("AAPL", 27.0, id=5, conditions=(" ", "B"), tape="A"),
        StockTrade("AAPL", 28.0, id=6, conditions=("@", "W"), tape="C"),
        StockTrade("AAPL", 29.0, 0, id=7, conditions=("@",), tape="C"),
    ]
    async with streaming(client, listener, "AAPL", channels=CHANNELS):
        await server.send([each.trade_message() for each in (GOOD, *others)])
        await eventually(lambda: len(listener.trades) == 6)
        assert last_price(listener, "AAPL") == 18.31


async def test_cancellations_come_with_the_trades_and_end_with_them(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    async with streaming(client, listener, "AAPL", channels=CHANNELS) as connection:
        assert await server.send([BAD.cancellation_message()]) == 1
        await connection.set_subscriptions(frozenset({"AAPL"}), frozenset({"quotes"}))
        assert await server.send([BAD.cancellation_message(), BAD.correction_message(GOOD)]) == 0


async def test_malformed_messages_about_trades_are_skipped(server: AlpacaServer, client: AlpacaSource) -> None:
    listener = FakeListener()
    broken: list[Message] = [
        {"T": "x", "S": "AAPL", "i": "two"},
        {"T": "c", "S": "AAPL", "oi": 2},
        {**GOOD.trade_message(), "c": [1, 2]},
        {**GOOD.trade_message(), "p": "18.31"},
    ]
    async with streaming(client, listener, "AAPL", channels=CHANNELS):
        await server.send([*broken, GOOD.trade_message(), {"T": "x", "S": "AAPL", "i": 2, "x": "D"}])
        await eventually(lambda: len(listener.trade_events) == 2)
    assert last_price(listener, "AAPL") == 18.31


async def test_trades_of_crypto_pairs_have_no_conditions(server: AlpacaServer, tmp_path: Path) -> None:
    listener = FakeListener()
    client = source(server.url("crypto"), mount(tmp_path, "key", SECRET))
    moment = GOOD.trade_message()["t"]
    async with streaming(client, listener, "BTC/USD", channels=CHANNELS):
        trade = {"T": "t", "S": "BTC/USD", "p": 64_000.5, "s": 0.0001, "i": 7, "tks": "B", "t": moment}
        await server.send([trade, {**trade, "c": None, "p": 64_001.5}])
        await eventually(lambda: len(listener.trades) == 2)
    assert last_price(listener, "BTC/USD") == 64_001.5
    [first, _] = listener.trades
    assert (first.rule.effect, first.id, first.exchange) == ("sets", 7, "")
