"""The pod's loops with provider ibkr: what the status reports for each fault, and that the next quote arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_runtime.domain.health import heartbeat_state
from sluice_runtime.providers.ibkr.messages import IBKRTimeouts
from sluice_simulators.tws import TWSServer
from sluice_simulators.tws import record as requests
from support.deadlines import wait_until
from support.eventually import eventually
from support.ibkr_provider import source
from support.pod import LIMITS, FakePod, Pod
from support.runtime_fakes import job
from support.sinks import fake_sink

SYMBOLS = ["AAPL", "MSFT"]
FARMS = {
    2103: "Market data farm connection is {}:usfarm",
    2105: "HMDS data farm connection is {}:ushmds",
    2157: "Sec-def data farm connection is {}:secdefnj",
}


@pytest.fixture
async def gateway() -> AsyncIterator[TWSServer]:
    async with TWSServer() as running:
        yield running
    assert running.record.concurrent_max <= 1


@pytest.fixture
def pod(gateway: TWSServer) -> FakePod:
    return Pod(source(gateway.port), fake_sink())


@asynccontextmanager
async def streaming(pod: FakePod) -> AsyncIterator[None]:
    pod.job.declare(job(1, symbols=SYMBOLS, limits=LIMITS))
    async with pod.running():
        await eventually(lambda: pod.runtime.stream.state == "Live")
        yield


async def send_until_written(gateway: TWSServer, pod: FakePod, symbol: str, bid: float) -> None:
    """Send quotes until one reaches the sink, on whichever connection is open by then."""

    def arrived() -> bool:
        gateway.send_quote(symbol, bid, bid + 1.0)
        return pod.runtime.stream.state == "Live" and pod.sink.quotes.get(symbol, {}).get("bid") == bid

    await eventually(arrived, 15)


def assert_each_symbol_was_resubscribed(gateway: TWSServer) -> None:
    """Check that each symbol was requested twice on one connection, by four different ids, and is subscribed once."""
    ids = gateway.record.market_data_ids
    assert len(ids) == len(set(ids)) == 2 * len(SYMBOLS)
    assert len(gateway.record.connections) == 1
    assert sorted(gateway.record.open_connections[0].subscribed.values()) == SYMBOLS


@pytest.mark.parametrize("code", [1101, 1102])
async def test_lost_connectivity_is_a_gap_and_its_return_resubscribes_on_the_same_connection(
    gateway: TWSServer, pod: FakePod, code: int
) -> None:
    async with streaming(pod):
        await send_until_written(gateway, pod, "AAPL", 10.0)
        gateway.send_notice(1100, "Connectivity between IBKR and Trader Workstation has been lost.")
        gateway.forget_subscriptions()
        await eventually(lambda: pod.job.reports[-1][1].failure)
        status = pod.job.reports[-1][1]
        assert (status.state, status.heartbeat.status) == ("BackingOff", "degraded")
        assert status.failure is not None
        assert "code 1100" in status.failure.message
        await asyncio.sleep(0.3)
        assert len(gateway.record.market_data_ids) == 2
        gateway.send_notice(code, "Connectivity between IBKR and Trader Workstation has been restored.")
        await send_until_written(gateway, pod, "AAPL", 77.25)
        await send_until_written(gateway, pod, "MSFT", 78.25)
        assert_each_symbol_was_resubscribed(gateway)
        await eventually(lambda: pod.job.reports[-1][1].failure is None)
        assert [each.cause for each in pod.runtime.snapshot().gaps] == ["disconnect"]


@pytest.mark.parametrize("code", FARMS)
async def test_an_unavailable_farm_is_reported_and_its_return_resubscribes(
    gateway: TWSServer, pod: FakePod, code: int
) -> None:
    async with streaming(pod):
        await send_until_written(gateway, pod, "AAPL", 10.0)
        gateway.send_notice(code, FARMS[code].format("broken"))
        await eventually(lambda: pod.job.reports[-1][1].failure)
        status = pod.job.reports[-1][1]
        assert status.failure is not None
        assert f"code {code}" in status.failure.message
        assert status.heartbeat.status == "degraded"
        assert status.state == ("BackingOff" if code == 2103 else "Live")
        gateway.forget_subscriptions()
        gateway.send_notice(code + 1, FARMS[code].format("OK"))
        await send_until_written(gateway, pod, "AAPL", 77.25)
        await send_until_written(gateway, pod, "MSFT", 78.25)
        assert_each_symbol_was_resubscribed(gateway)
        await eventually(lambda: pod.job.reports[-1][1].failure is None)
        assert heartbeat_state(pod.runtime.snapshot()) == "running"
        assert len(pod.runtime.snapshot().gaps) == (1 if code == 2103 else 0)


async def test_a_gateway_s_first_notices_about_farms_change_nothing(gateway: TWSServer, pod: FakePod) -> None:
    async with streaming(pod):
        gateway.send_notice(2104, "Market data farm connection is OK:usfarm")
        gateway.send_notice(
            2108, "Market data farm connection is inactive but should be available upon demand.:usfuture"
        )
        await send_until_written(gateway, pod, "AAPL", 10.0)
        await asyncio.sleep(0.3)
        assert len(gateway.record.market_data_ids) == 2
        assert pod.failures == []


async def test_a_connection_to_a_disconnected_gateway_subscribes_when_connectivity_returns(
    gateway: TWSServer, pod: FakePod
) -> None:
    gateway.behavior.greetings = ((2110, "Connectivity between TWS and server is broken."),)
    pod.job.declare(job(1, symbols=SYMBOLS, limits=LIMITS))
    async with pod.running():
        await eventually(lambda: pod.runtime.snapshot().failure)
        await asyncio.sleep(0.3)
        assert (gateway.record.requests_of_kind(requests.CONTRACT_DETAILS), pod.runtime.stream.state) == (
            [],
            "Subscribing",
        )
        gateway.send_notice(1102, "Connectivity restored")
        await send_until_written(gateway, pod, "AAPL", 77.25)
        assert len(gateway.record.connections) == 1


@pytest.mark.parametrize("reset", [False, True])
async def test_a_lost_connection_is_reported_and_replaced_by_one_connection(
    gateway: TWSServer, pod: FakePod, reset: bool
) -> None:
    async with streaming(pod):
        await send_until_written(gateway, pod, "AAPL", 10.0)
        gateway.drop_connections(reset=reset)
        await eventually(lambda: pod.failures)
        await send_until_written(gateway, pod, "AAPL", 77.25)
        assert ([each.type for each in pod.failures], len(gateway.record.connections)) == (["upstreamClosed"], 2)


async def test_the_pod_reconnects_to_a_restarted_gateway(gateway: TWSServer, pod: FakePod) -> None:
    async with streaming(pod):
        await send_until_written(gateway, pod, "AAPL", 10.0)
        await gateway.refuse_connections()
        gateway.drop_connections()
        await eventually(lambda: [each.type for each in pod.failures] == ["upstreamClosed", "network"])
        await gateway.accept_connections()
        await send_until_written(gateway, pod, "AAPL", 77.25)


async def test_a_connection_to_a_silent_gateway_is_replaced(gateway: TWSServer, pod: FakePod) -> None:
    async with streaming(pod):
        gateway.behavior.silent.add(requests.CURRENT_TIME)
        await eventually(lambda: pod.failures)
        gateway.behavior.silent.clear()
        await send_until_written(gateway, pod, "AAPL", 77.25)
        assert {each.type for each in pod.failures} == {"stall"}


async def test_symbols_change_on_the_open_connection(gateway: TWSServer, pod: FakePod) -> None:
    async with streaming(pod):
        pod.job.declare(job(2, symbols=["AAPL", "SPY"], limits=LIMITS))
        await wait_until(gateway.record, lambda record: record.subscribed_symbols == {"AAPL", "SPY"})
        await send_until_written(gateway, pod, "SPY", 77.25)
        assert len(gateway.record.connections) == 1


@pytest.mark.parametrize("silence", [0, 71, 61, 9, None])
async def test_a_pause_in_any_phase_closes_the_socket_and_prevents_connections_until_it_ends(
    gateway: TWSServer, silence: int | None
) -> None:
    pod = Pod(source(gateway.port, timeouts=IBKRTimeouts()), fake_sink())
    if silence is not None:
        gateway.behavior.silent.add(silence)
    pod.job.declare(job(1, symbols=SYMBOLS, limits=LIMITS))
    async with pod.running():
        await wait_until(gateway.record, lambda record: record.connections)
        if silence is None:
            await eventually(lambda: pod.runtime.stream.state == "Live")
        elif silence > 0:
            await wait_until(gateway.record, lambda record: record.requests_of_kind(silence))
        pod.job.declare(job(2, symbols=SYMBOLS, enabled=False, limits=LIMITS))
        await wait_until(gateway.record, lambda record: not record.open_connections)
        await eventually(lambda: pod.runtime.stream.state == "Paused")
        await asyncio.sleep(0.3)
        assert len(gateway.record.connections) == 1
        gateway.behavior.silent.clear()
        pod.job.declare(job(3, symbols=SYMBOLS, limits=LIMITS))
        await send_until_written(gateway, pod, "AAPL", 77.25)
        assert len(gateway.record.connections) == 2
