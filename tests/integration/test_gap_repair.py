"""A gap from the lost connection to its document: the simulator's stream and history, a tape, and both sinks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.adapters.recording import QuoteRecordingSource, TapeFile
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.loop_wiring import create_gap_repairer
from sluice_runtime.loops import gap_repair
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.history import AlpacaHistory
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.stream_faults import Reset
from sluice_simulators.alpaca.trades import StockTrade
from support.alpaca_provider import SECRET, mount, source
from support.deadlines import wait_until
from support.eventually import eventually
from support.pod import LIMITS, FakePod, Pod, ShortBackoff
from support.runtime_fakes import job
from support.sinks import fake_sink


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the history to be complete."""
    monkeypatch.setattr(gap_repair, "_SETTLE_SECONDS", 0.2)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running


@asynccontextmanager
async def streaming(server: AlpacaServer, folder: Path) -> AsyncIterator[FakePod]:
    """Run a pod that records to the tape tape.csv in the folder, and repairs its gaps."""
    tape = TapeFile(folder / "tape.csv")
    pod = Pod(QuoteRecordingSource(source(server.url(), mount(folder, "key", SECRET)), tape), fake_sink())
    settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
    history = AlpacaHistory(settings, CredentialsReader(settings, folder, None), server.http_url)
    repairing = asyncio.create_task(create_gap_repairer(pod.runtime, history, tape, ShortBackoff).run())
    pod.job.declare(job(1, symbols=["AAPL", "MSFT"], limits=LIMITS))
    async with pod.running():
        await wait_until(server.record, lambda record: record.quote_symbols == {"AAPL", "MSFT"})
        await eventually(lambda: pod.runtime.stream.state == "Live")
        yield pod
    await cancel_and_wait(repairing)
    tape.close()


async def lose_connection_and_trade(server: AlpacaServer) -> None:
    """Close the connection; before the runtime is back, AAPL is traded twice."""
    await server.refuse_connections(0.5)
    await server.inject(Reset())
    await server.send([StockTrade("AAPL", 10.5, id=3).trade_message(), StockTrade("AAPL", 10.75, id=2).trade_message()])


def documents(pod: FakePod) -> list[dict[str, Any]]:
    return list(pod.sink.gaps.values())


async def test_the_trades_of_a_gap_are_on_the_tape_and_in_its_document(server: AlpacaServer, tmp_path: Path) -> None:
    async with streaming(server, tmp_path) as pod:
        await server.send([StockTrade("AAPL", 9.0).trade_message()])
        await server.send_quote("AAPL", 10.25, 11.0)  # what was sent before this has arrived
        await eventually(lambda: pod.sink.quotes.get("AAPL", {}).get("bid") == 10.25)
        await lose_connection_and_trade(server)
        await eventually(lambda: [each["repaired"] for each in documents(pod)] == [True], 15)
        [gap] = documents(pod)
    assert gap["repair"] == {"trades": 2, "bars": 0, "open_symbols": 0}
    rows = [row.split(",")[1:5] for row in (tmp_path / "tape.csv").read_text().splitlines()]
    assert [row for row in rows if row[1] == "trade"] == [
        ["AAPL", "trade", "10.5", "100.0"],
        ["AAPL", "trade", "10.75", "100.0"],
    ]


async def test_a_gap_that_cannot_be_repaired_stays_open_in_its_document(server: AlpacaServer, tmp_path: Path) -> None:
    async with streaming(server, tmp_path) as pod:
        server.rest.failure_status = 403
        await lose_connection_and_trade(server)
        await eventually(lambda: pod.runtime.counters.gap_repairs.get("open_symbols") == 2, 15)
        await eventually(lambda: len(documents(pod)) == 1)
        assert (documents(pod)[0]["repaired"], documents(pod)[0]["repair"]["open_symbols"]) == (False, 2)
        await server.send_quote("MSFT", 20.0, 21.0)  # the stream is not disturbed
        await eventually(lambda: pod.sink.quotes.get("MSFT"))


async def test_a_stop_does_not_wait_for_a_repair(server: AlpacaServer, tmp_path: Path) -> None:
    async with streaming(server, tmp_path) as pod:
        server.rest.failure_status = 503
        await lose_connection_and_trade(server)
        await eventually(lambda: bool(server.history.requests), 15)
        pod.job.declare(job(2, symbols=["AAPL", "MSFT"], limits=LIMITS, enabled=False))
        began = asyncio.get_running_loop().time()
        await eventually(lambda: pod.runtime.snapshot().acknowledgement is not None)
        assert asyncio.get_running_loop().time() - began < 3
        await asyncio.sleep(0.3)
        requests = len(server.history.requests)
        await asyncio.sleep(1)
        assert len(server.history.requests) == requests
