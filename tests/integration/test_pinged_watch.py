"""The pings of a watch of pause objects, against a fake API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from sluice_contract.identity import PAUSES
from sluice_runtime.adapters import object_watch, pinged_watch
from sluice_runtime.adapters.api_session import ApiServer, ApiSession
from sluice_runtime.adapters.pause_watch import PauseWatch
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.pause_objects import pause_of_job
from sluice_runtime.state.pause_states import PauseStates
from support.eventually import eventually
from support.job_client import credentials
from support.pause_server import FakePauseServer

__all__ = ["credentials"]

PING_SECONDS = pinged_watch.PING_SECONDS


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the silence after which a ping is sent, and the one before a live read over plain HTTP."""
    monkeypatch.setattr(pinged_watch, "PING_SECONDS", 0.2)
    monkeypatch.setattr(object_watch, "LIVE_READ_SECONDS", 0.2)


@pytest.fixture
async def server() -> AsyncIterator[FakePauseServer]:
    async with FakePauseServer().serving() as fake:
        yield fake


@pytest.fixture
async def states(server: FakePauseServer, credentials: Path) -> AsyncIterator[PauseStates]:
    """The pauses that a running watch has found."""
    found = PauseStates(lambda _: None)
    found.expect_first_read(None)
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    backoff = Backoff(0.02, 0.05, lambda _, high: high)
    watch = PauseWatch(session, f"namespaces/acme/{PAUSES}", partial(pause_of_job, job="us"), found, backoff)
    task = asyncio.create_task(watch.run())
    yield found
    await cancel_and_wait(task)
    await session.close()


async def test_a_watch_whose_server_answers_pings_stays_open_without_any_read(
    server: FakePauseServer, states: PauseStates
) -> None:
    await eventually(lambda: server.pings > 4)
    assert (len(server.lists), server.metadata_reads, len(server.watches)) == (1, 0, 1)
    server.change("a", jobs=["us"])
    await eventually(lambda: states.value.of_namespace.pauses)


async def test_a_watch_whose_pings_are_not_answered_is_replaced_and_the_pauses_are_read(
    server: FakePauseServer, states: PauseStates, caplog: pytest.LogCaptureFixture
) -> None:
    await eventually(lambda: server.watches)
    server.answers_pings = False
    server.store("a", jobs=["us"])
    await eventually(lambda: states.value.of_namespace.pauses, 3)
    assert "the watch of ingestpauses failed (the server did not answer a ping)" in caplog.text


async def test_a_connection_that_is_lost_is_replaced(
    server: FakePauseServer, states: PauseStates, caplog: pytest.LogCaptureFixture
) -> None:
    await eventually(lambda: server.websockets)
    server.store("a", jobs=["us"])
    transport = server.websockets[-1].transport
    assert transport is not None
    transport.abort()
    await eventually(lambda: states.value.of_namespace.pauses)
    assert "the watch of ingestpauses failed (the connection was lost)" in caplog.text


async def test_a_refused_websocket_is_logged_once_and_plain_http_is_used(
    server: FakePauseServer, states: PauseStates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server.speaks_websocket = False
    await eventually(lambda: server.watches)
    for count in (2, 3):
        server.events.put_nowait(None)
        await eventually(partial(_has_watches, server, count))
    server.change("a", jobs=["us"])
    await eventually(lambda: states.value.of_namespace.pauses)
    assert caplog.text.count("a WebSocket for a watch was refused (HTTP 400); watching over plain HTTP") == 1


def test_a_dead_watch_is_found_within_ten_seconds() -> None:
    assert PING_SECONDS * 1.5 + 1 <= 10  # aiohttp rounds the time up to a whole second


def _has_watches(server: FakePauseServer, count: int) -> bool:
    return len(server.watches) == count
