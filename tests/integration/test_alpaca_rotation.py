"""Rotation of the key pair, with both engines, with and without a REST interface, at each moment of a job's life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_contract.status import StreamStatus
from sluice_runtime.domain.health import stream_status
from sluice_runtime.providers.alpaca import credentials as alpaca_mount
from sluice_runtime.providers.alpaca import rotation
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.stream_faults import Reset
from support.alpaca_provider import mount, source_with_rest
from support.deadlines import wait_until
from support.eventually import eventually
from support.pod import LIMITS, FakePod, Pod
from support.runtime_fakes import job
from support.sinks import fake_sink

FIRST, SECOND, THIRD = (Account(name, f"{name}-secret") for name in ("first", "second", "third"))
SECRETS = [each.secret for each in (FIRST, SECOND, THIRD)] + ["bad-secret"]


@dataclass
class World:
    """A pod that streams from the simulator, and the folder with its Secret."""

    server: AlpacaServer
    pod: FakePod
    folder: Path
    has_rest: bool

    @property
    def status(self) -> StreamStatus:
        return stream_status(self.pod.runtime.snapshot())

    @property
    def logins(self) -> list[str]:
        return self.server.record.auth_outcomes

    def rotate(self, account: Account) -> None:
        mount(self.folder, account.key, account.secret)

    async def wait_until_live(self, connections: int) -> None:
        """Wait until the stream is live on this connection, counted from 1."""
        await wait_until(
            self.server.record, lambda record: record.connect_count == connections and record.quote_symbols == {"AAPL"}
        )
        await eventually(lambda: self.pod.runtime.stream.state == "Live")

    async def wait_for_problem(self) -> str:
        await eventually(lambda: self.status.credentials_problem is not None)
        return self.status.credentials_problem or ""

    async def wait_for_generation(self, generation: int) -> None:
        await eventually(
            lambda: (self.status.credentials_generation, self.status.credentials_problem) == (generation, None)
        )


@pytest.fixture(params=[True, False], ids=["REST", "no REST"])
def has_rest(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


@pytest.fixture(params=get_args(AlpacaEngine))
async def world(
    request: pytest.FixtureRequest,
    has_rest: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[World]:
    """A pod that streams with the first key pair. No log contains a secret at the end."""
    monkeypatch.setattr(alpaca_mount, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(rotation, "_RETRY_SECONDS", (0.05, 0.05))
    caplog.set_level("DEBUG")
    async with AlpacaServer([FIRST, SECOND, THIRD]) as server:
        data_url = server.http_url if has_rest else None
        made = source_with_rest(server.url(), data_url, mount(tmp_path, FIRST.key, FIRST.secret), request.param)
        pod = Pod(made, fake_sink())
        pod.job.declare(job(1, symbols=["AAPL"], limits=LIMITS))
        async with pod.running():
            found = World(server, pod, tmp_path, has_rest)
            await found.wait_until_live(1)
            yield found
        assert server.record.concurrent_max == 1
    assert [secret for secret in SECRETS if secret in caplog.text] == []


def bad() -> Account:
    return Account("second", "bad-secret")


async def test_an_accepted_pair_replaces_the_connection_once(world: World) -> None:
    await world.wait_for_generation(1)
    world.rotate(SECOND)
    await world.wait_until_live(2)
    await world.wait_for_generation(2)
    await asyncio.sleep(0.3)
    assert world.logins == ["authenticated"] * 2


async def test_a_refused_pair_leaves_the_old_one_streaming_and_says_what_to_do(world: World) -> None:
    world.rotate(bad())
    problem = await world.wait_for_problem()
    await world.wait_until_live(1 if world.has_rest else 3)
    assert "Alpaca refuses the new key pair in the Secret alpaca (" in problem
    assert "Correct the pair in the Secret" in problem
    await asyncio.sleep(0.5)  # the pair is not tried again
    assert world.logins == (["authenticated"] if world.has_rest else ["authenticated", "402", "authenticated"])
    assert (world.status.failure, world.status.credentials_generation) == (None, 1)
    world.rotate(SECOND)
    await world.wait_for_generation(2)
    await eventually(lambda: world.pod.runtime.stream.state == "Live")


async def test_a_refused_pair_is_not_tried_again_after_a_lost_connection(world: World) -> None:
    world.rotate(bad())
    await world.wait_for_problem()
    await world.wait_until_live(1 if world.has_rest else 3)
    await world.server.inject(Reset())
    await world.wait_until_live(2 if world.has_rest else 4)
    assert world.logins.count("402") == (0 if world.has_rest else 1)
    assert world.status.credentials_problem is not None


async def test_the_old_pair_that_returns_ends_the_problem_without_a_new_connection(world: World) -> None:
    world.rotate(bad())
    await world.wait_for_problem()
    await world.wait_until_live(1 if world.has_rest else 3)
    world.rotate(FIRST)
    await world.wait_for_generation(1)
    assert world.logins[-1] == "authenticated"
    assert world.server.record.connect_count == (1 if world.has_rest else 3)


async def test_two_rotations_in_a_row_end_with_the_last_pair(world: World) -> None:
    world.rotate(SECOND)
    await asyncio.sleep(0.06)
    world.rotate(THIRD)
    await eventually(lambda: world.logins[1:] and world.pod.runtime.stream.state == "Live")
    await eventually(lambda: world.server.record.quote_symbols == {"AAPL"})
    await asyncio.sleep(0.4)
    assert (world.status.credentials_generation, world.status.credentials_problem) in ((2, None), (3, None))
    world.rotate(SECOND)  # shows that the last pair was in use
    before = world.server.record.connect_count
    await world.wait_until_live(before + 1)
    assert "402" not in world.logins


async def test_a_pair_that_is_written_half_is_never_used(world: World) -> None:
    (world.folder / "ALPACA_KEY_ID").write_text(SECOND.key)  # the secret follows a moment later
    await asyncio.sleep(0.4)
    (world.folder / "ALPACA_SECRET_KEY").write_text(SECOND.secret)
    await world.wait_for_generation(2)
    await eventually(lambda: world.pod.runtime.stream.state == "Live")
    assert world.logins.count("402") == (0 if world.has_rest else 1)


async def test_a_removed_pair_keeps_the_stream_and_its_return_is_no_rotation(world: World) -> None:
    (world.folder / "ALPACA_KEY_ID").unlink()
    await asyncio.sleep(0.3)
    world.rotate(FIRST)
    await asyncio.sleep(0.3)
    assert (world.logins, world.pod.runtime.stream.state) == (["authenticated"], "Live")
    (world.folder / "ALPACA_KEY_ID").unlink()
    await asyncio.sleep(0.1)
    world.rotate(SECOND)
    await world.wait_for_generation(2)


async def test_a_pair_that_is_rotated_during_a_pause_is_used_when_the_job_resumes(world: World) -> None:
    world.pod.job.declare(job(2, symbols=["AAPL"], limits=LIMITS, enabled=False))
    await eventually(lambda: world.pod.runtime.stream.state == "Paused")
    world.rotate(bad())
    await asyncio.sleep(0.3)
    assert (world.status.credentials_problem, world.server.record.connect_count) == (None, 1)
    world.pod.job.declare(job(3, symbols=["AAPL"], limits=LIMITS))
    await world.wait_for_problem()
    await world.wait_until_live(3)
    world.pod.job.declare(job(4, symbols=["AAPL"], limits=LIMITS, enabled=False))
    await eventually(lambda: world.pod.runtime.stream.state == "Paused")
    world.rotate(SECOND)
    world.pod.job.declare(job(5, symbols=["AAPL"], limits=LIMITS))
    await world.wait_for_generation(2)


async def test_a_pair_that_is_rotated_while_the_server_is_away_falls_back_too(world: World) -> None:
    await world.server.refuse_connections(1.0)
    await world.server.inject(Reset())
    await eventually(lambda: world.pod.runtime.stream.state == "BackingOff")
    world.rotate(bad())
    await world.wait_for_problem()
    await eventually(lambda: world.pod.runtime.stream.state == "Live")
    assert world.logins.count("402") == 1
    world.rotate(SECOND)
    await world.wait_for_generation(2)


@pytest.mark.parametrize("has_rest", [True], indirect=True, ids=["REST"])
async def test_a_revoked_pair_that_still_streams_is_kept_while_the_new_one_is_refused(world: World) -> None:
    world.server.accounts.revoke(FIRST.key)
    world.rotate(bad())
    await world.wait_for_problem()
    await asyncio.sleep(0.3)
    assert world.logins == ["authenticated"]


async def test_when_every_pair_is_refused_the_job_blocks_until_a_pair_is_accepted(world: World) -> None:
    world.server.accounts.revoke(FIRST.key)
    world.rotate(bad())
    await world.wait_for_problem() if world.has_rest else None
    await world.server.inject(Reset())
    await eventually(lambda: world.pod.runtime.stream.state == "Blocked", 15)
    assert world.status.failure is not None
    assert (world.status.failure.type, world.status.credentials_problem) == ("auth", None)
    world.rotate(SECOND)
    await world.wait_for_generation(2)
    await eventually(lambda: world.pod.runtime.stream.state == "Live")


async def test_a_rest_interface_that_fails_leaves_the_decision_to_the_stream(world: World) -> None:
    world.server.rest.failure_status = 503
    world.rotate(SECOND)
    await world.wait_until_live(2)
    await world.wait_for_generation(2)
