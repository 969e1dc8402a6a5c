"""The pod's loops with the Alpaca client and simulator: fixed errors, lost connections, pauses, and shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_runtime.providers.alpaca import credentials as alpaca_mount
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.stream_faults import Reset
from support.alpaca_provider import SECRET, failure_of_connection, mount, source, streaming
from support.deadlines import wait_for, wait_until
from support.eventually import eventually
from support.fake_listener import FakeListener
from support.pod import LIMITS, Pod
from support.runtime_fakes import job
from support.sinks import fake_sink

ACCOUNT = Account("key", SECRET)


@pytest.fixture(autouse=True)
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check for a changed Secret often."""
    monkeypatch.setattr(alpaca_mount, "POLL_SECONDS", 0.02)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([ACCOUNT]) as running:
        yield running


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """The Secret as Kubernetes mounts it."""
    return mount(tmp_path, "key", SECRET)


async def test_quotes_reach_the_documents_before_and_after_a_lost_connection_and_a_pause(
    server: AlpacaServer, mounted: Path
) -> None:
    pod = Pod(source(server.url(), mounted), fake_sink())
    pod.job.declare(job(1, symbols=["AAPL", "MSFT"], limits=LIMITS))
    async with pod.running():
        await wait_until(server.record, lambda record: record.quote_symbols == {"AAPL", "MSFT"})
        await server.send_quote("AAPL", 10.0, 11.0)
        await eventually(lambda: pod.sink.quotes.get("AAPL", {}).get("bid") == 10.0)

        await server.inject(Reset())
        await wait_until(
            server.record, lambda record: record.connect_count == 2 and record.quote_symbols == {"AAPL", "MSFT"}
        )
        await server.send_quote("AAPL", 12.0, 13.0)
        await eventually(lambda: pod.sink.quotes["AAPL"]["bid"] == 12.0)

        pod.job.declare(job(2, symbols=["AAPL", "SPY"], limits=LIMITS))
        await wait_until(server.record, lambda record: record.quote_symbols == {"AAPL", "SPY"})
        assert server.record.connect_count == 2

        pod.job.declare(job(3, symbols=["AAPL", "SPY"], enabled=False, limits=LIMITS))
        await wait_until(server.record, lambda record: not record.open_connections)
        await eventually(lambda: pod.runtime.stream.state == "Paused")
        pod.job.declare(job(4, symbols=["AAPL", "SPY"], limits=LIMITS))
        await wait_until(
            server.record, lambda record: record.connect_count == 3 and record.quote_symbols == {"AAPL", "SPY"}
        )
        await server.send_quote("SPY", 14.0, 15.0)
        await eventually(lambda: pod.sink.quotes.get("SPY"))
    assert not server.record.open_connections
    assert server.record.concurrent_max == 1
    assert pod.sink.history[-1] == "beat stopped"


async def test_a_wrong_key_blocks_after_three_logins_and_a_right_one_unblocks(
    server: AlpacaServer, mounted: Path
) -> None:
    pod = Pod(source(server.url(), mount(mounted, "key", "wrong")), fake_sink())
    pod.job.declare(job(1, symbols=["AAPL"], limits=LIMITS))
    async with pod.running():
        await eventually(lambda: pod.runtime.stream.state == "Blocked")
        await asyncio.sleep(0.5)
        assert server.record.auth_outcomes == ["402"] * 3
        mount(mounted, "key", SECRET)
        await wait_until(server.record, lambda record: record.quote_symbols == {"AAPL"})
        await eventually(lambda: pod.runtime.stream.state == "Live")
        assert pod.runtime.snapshot().failure is None


async def test_a_rotated_secret_is_picked_up(server: AlpacaServer, mounted: Path) -> None:
    made = source(server.url(), mount(mounted, "key", "wrong"))
    assert (await failure_of_connection(made, FakeListener())).kind == "auth"
    waiting = asyncio.create_task(made.wait_for_fix())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    mount(mounted, "key", SECRET)
    await wait_for(waiting, 2)
    async with streaming(made, FakeListener(), "AAPL"):
        assert server.record.auth_outcomes == ["402", "authenticated"]


@pytest.mark.parametrize("missing", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
async def test_the_error_of_an_incomplete_secret_says_what_to_create_and_creating_it_helps(
    server: AlpacaServer, mounted: Path, missing: str
) -> None:
    (mounted / missing).unlink()
    made = source(server.url(), mounted)
    failure = await failure_of_connection(made, FakeListener())
    assert failure.kind == "configuration"
    assert f"the Secret alpaca lacks the key {missing}; add it" in failure.message
    assert "kubectl patch secret alpaca" in failure.message
    assert server.record.connect_count == 0
    waiting = asyncio.create_task(made.wait_for_fix())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    mount(mounted, "key", SECRET)
    await wait_for(waiting, 2)


async def test_unreadable_certificates_are_reported_and_repairing_them_helps(
    server: AlpacaServer, mounted: Path, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca.crt"
    made = source(server.url(), mounted, certificates)
    failure = await failure_of_connection(made, FakeListener())
    assert (failure.kind, "spec.alpaca.caConfigMapRef" in failure.message) == ("certificate", True)
    waiting = asyncio.create_task(made.wait_for_fix())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    certificates.write_text("not a certificate")
    await wait_for(waiting, 2)
    assert (await failure_of_connection(made, FakeListener())).kind == "certificate"


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_an_invalid_address_is_reported(mounted: Path, engine: AlpacaEngine) -> None:
    made = source("wss://host..example/v2/iex", mounted, engine=engine)
    failure = await failure_of_connection(made, FakeListener())
    sentence = "wss://host..example/v2/iex cannot be reached: the URL is not valid"
    assert (failure.kind, failure.message) == ("network", sentence)


@pytest.mark.parametrize("address", ["127.0.0.1:9/v2/iex?token=hunter2", "127.0.0.1:999999/v2/iex"])
@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_a_password_in_an_address_is_never_reported(mounted: Path, engine: AlpacaEngine, address: str) -> None:
    failure = await failure_of_connection(
        source(f"ws://user:hunter2@{address}", mounted, engine=engine), FakeListener()
    )
    assert f"ws://{address.partition('?')[0]} cannot be reached" in failure.message
    assert "hunter2" not in failure.message
