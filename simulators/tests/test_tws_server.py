"""The unchanged client of ib_async works against the simulated gateway."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
from ib_async import IB, Contract, RequestError, StartupFetchNONE, Stock

from sluice_simulators.tws import TWSServer
from sluice_simulators.tws.server import ASK, HALTED, LAST
from support.deadlines import wait_for, wait_until
from support.eventually import eventually


@pytest.fixture
async def gateway() -> AsyncIterator[TWSServer]:
    async with TWSServer() as running:
        yield running


@pytest.fixture
async def client(gateway: TWSServer) -> AsyncIterator[IB]:
    connected = IB()
    connected.RaiseRequestErrors = True
    await connected.connectAsync("127.0.0.1", gateway.port, 7, readonly=True, fetchFields=StartupFetchNONE)
    yield connected
    connected.disconnect()
    await wait_until(gateway.record, lambda record: not record.open_connections)


async def test_a_contract_is_qualified_and_its_ticks_arrive(gateway: TWSServer, client: IB) -> None:
    [contract] = await client.qualifyContractsAsync(Stock("BRK B", "SMART", "USD"))
    assert isinstance(contract, Stock)
    assert contract.conId > 0
    ticker = client.reqMktData(contract)
    await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"BRK B"})
    gateway.send_quote("BRK B", 500.25, 500.5)
    gateway.send_price("BRK B", LAST, 500.3, 7)
    gateway.send_halt("BRK B", 1)
    await eventually(lambda: ticker.halted == 1)
    assert (ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize) == (500.25, 200, 500.5, 300)
    assert (ticker.last, ticker.lastSize, HALTED) == (500.3, 7, 49)
    client.cancelMktData(contract)
    await wait_until(gateway.record, lambda record: not record.subscribed_symbols)


async def test_a_side_is_nan_before_its_first_tick_and_minus_one_when_empty(gateway: TWSServer, client: IB) -> None:
    [contract] = await client.qualifyContractsAsync(Stock("SPY", "SMART", "USD"))
    assert isinstance(contract, Contract)
    ticker = client.reqMktData(contract)
    await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"SPY"})
    assert math.isnan(ticker.ask)
    gateway.send_price("SPY", ASK, -1, 0)
    await eventually(lambda: ticker.ask == -1)
    assert math.isnan(ticker.bid)


async def test_an_unknown_contract_is_refused_with_200(gateway: TWSServer, client: IB) -> None:
    gateway.behavior.unknown.add("NOPE")
    with pytest.raises(RequestError) as refusal:
        await client.reqContractDetailsAsync(Stock("NOPE", "SMART", "USD"))
    assert refusal.value.code == 200


async def test_a_second_client_with_the_same_id_is_refused_with_326(gateway: TWSServer, client: IB) -> None:
    assert client.isConnected()
    second, codes = IB(), []
    second.errorEvent += lambda _, code, *__: codes.append(code)
    with pytest.raises(TimeoutError):
        await second.connectAsync("127.0.0.1", gateway.port, 7, timeout=0.5)
    assert codes == [326]
    assert (gateway.record.refused_ids, len(gateway.record.open_connections)) == ([7], 1)


async def test_a_client_gets_notices_and_the_end_of_its_connection(gateway: TWSServer, client: IB) -> None:
    codes: list[int] = []
    disconnected = asyncio.Event()
    client.errorEvent += lambda _, code, *__: codes.append(code)
    client.disconnectedEvent += disconnected.set
    gateway.send_notice(2103, "Market data farm connection is broken:usfarm")
    await eventually(lambda: 2103 in codes)
    gateway.drop_connections()
    await wait_for(disconnected.wait(), 5)
