"""A pause under full load and in every phase, seen from the server. `make bench` measures how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_runtime.providers.alpaca.websocket import Timeouts
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import AckMissing, AuthSilence, HttpError, NoWelcome
from sluice_simulators.alpaca.stream_faults import Mute
from support.alpaca_provider import SECRET, mount, source
from support.deadlines import wait_until
from support.eventually import eventually
from support.pod import LIMITS, FakePod, Pod
from support.runtime_fakes import job
from support.sinks import fake_sink
from support.upstream import Upstream

ROUNDS = 10


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running
    assert running.record.concurrent_max <= 1


@pytest.fixture(params=get_args(AlpacaEngine))
def pod(request: pytest.FixtureRequest, server: AlpacaServer, tmp_path: Path) -> FakePod:
    """A pod with either engine and the default timeouts."""
    made = source(server.url(), mount(tmp_path, "key", SECRET), engine=request.param, timeouts=Timeouts())
    return Pod(made, fake_sink())


def declare(pod: FakePod, generation: int, *, enabled: bool) -> None:
    """Declare the job, as if a user had patched it."""
    pod.job.declare(job(generation, symbols=["AAPL", "MSFT", "SPY"], enabled=enabled, limits=LIMITS))


async def wait_for_acknowledgement(pod: FakePod, generation: int) -> None:
    """Wait until the status has the acknowledged pause of this generation."""

    def is_acknowledged() -> bool:
        status = pod.job.reports[-1][1]
        return status.observed_generation == generation and bool(status.pause and status.pause.acknowledged_at)

    await eventually(is_acknowledged)


def has_written_since(pod: FakePod, before: int) -> bool:
    return len(pod.sink.writes) > before


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_under_load_nothing_is_written_after_the_acknowledgement(engine: AlpacaEngine, tmp_path: Path) -> None:
    with Upstream("--quotes-per-second", "5000", "--batch", "10") as upstream:
        made = source(upstream.url, mount(tmp_path, "key", "secret"), engine=engine, timeouts=Timeouts())
        pod = Pod(made, fake_sink())
        async with pod.running():
            for generation in range(1, 2 * ROUNDS, 2):
                declare(pod, generation, enabled=True)
                before = len(pod.sink.writes)
                await eventually(partial(has_written_since, pod, before))
                declare(pod, generation + 1, enabled=False)
                await wait_for_acknowledgement(pod, generation + 1)
                written = len(pod.sink.writes)
                await asyncio.sleep(0.1)
                assert len(pod.sink.writes) == written
                seen = await asyncio.to_thread(upstream.record)
                assert (seen["open"], len(seen["connections"])) == (0, generation // 2 + 1)
        assert seen["concurrent_max"] == 1


@pytest.mark.parametrize(
    ("phase", "fault"),
    [
        ("Connecting", NoWelcome()),
        ("Authenticating", AuthSilence()),
        ("Subscribing", AckMissing()),
        ("BackingOff", HttpError(status=503)),
        ("Live", Mute(pongs=False)),
    ],
)
async def test_in_every_phase_a_pause_closes_the_socket_and_prevents_connections_until_it_ends(
    server: AlpacaServer, pod: FakePod, phase: str, fault: Fault
) -> None:
    pod.backoff.seconds = 60.0
    server.faults.schedule(fault)
    async with pod.running():
        declare(pod, 1, enabled=True)
        await eventually(lambda: pod.runtime.stream.state == phase)
        # Otherwise the fault would be left for the next connection.
        await wait_until(server.record, lambda record: record.connect_count or record.refused_upgrades, 20)
        await asyncio.sleep(0.05)
        connected = server.record.connect_count
        declare(pod, 2, enabled=False)
        await wait_for_acknowledgement(pod, 2)
        await wait_until(server.record, lambda record: not record.open_connections)
        await asyncio.sleep(0.3)
        assert server.record.connect_count == connected
        declare(pod, 3, enabled=True)
        await eventually(lambda: pod.runtime.stream.state == "Live")
        await server.send_quote("AAPL", 77.25, 78.0)
        await eventually(lambda: pod.sink.quotes.get("AAPL", {}).get("bid") == 77.25)
