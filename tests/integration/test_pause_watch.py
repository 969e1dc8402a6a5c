"""The pod's watch of pause objects, against a fake API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from sluice_contract.identity import PAUSES
from sluice_runtime.adapters import object_watch, pause_watch, pinged_watch
from sluice_runtime.adapters.api_session import ApiServer, ApiSession
from sluice_runtime.adapters.pause_watch import PauseWatch
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.pause_objects import MAX_PAUSES, pause_of_job
from sluice_runtime.state.pause_states import PauseStates
from support.eventually import eventually
from support.job_client import credentials
from support.pause_server import FakePauseServer

__all__ = ["credentials"]


class Watching:
    """A running watch of the pauses of job `us`, and what it has found."""

    def __init__(self, session: ApiSession) -> None:
        self.failures: list[str] = []
        self.states = PauseStates(self.failures.append)
        self.states.expect_first_read(None)
        backoff = Backoff(0.02, 0.05, lambda _, high: high)
        watch = PauseWatch(session, f"namespaces/acme/{PAUSES}", partial(pause_of_job, job="us"), self.states, backoff)
        self.task = asyncio.create_task(watch.run())

    @property
    def sources(self) -> list[str] | None:
        """The sources of the pauses that may concern the job; None until they have been read."""
        found = self.states.value.of_namespace
        return sorted(each.source for each in found.pauses) if found.are_read else None

    async def until(self, *sources: str) -> None:
        await eventually(lambda: self.sources == list(sources))


@pytest.fixture(params=[True, False], ids=["websocket", "http"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakePauseServer]:
    async with FakePauseServer(speaks_websocket=request.param).serving() as fake:
        yield fake


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits, so that a test sees several of them."""
    monkeypatch.setattr(pause_watch, "_MIN_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(pause_watch, "_MAX_RETRY_SECONDS", 0.1)


@pytest.fixture
async def watching(server: FakePauseServer, credentials: Path) -> AsyncIterator[Watching]:
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    made = Watching(session)
    yield made
    await cancel_and_wait(made.task)
    await session.close()


async def test_pauses_that_can_concern_the_job_are_found_and_followed(
    server: FakePauseServer, watching: Watching
) -> None:
    await watching.until()
    server.change("a", jobs=["us"])
    await watching.until("pause:a")
    server.change("b", jobSelector={"matchLabels": {"desk": "rates"}})
    server.change("c", jobs=["other"])
    await watching.until("pause:a", "pause:b")
    server.change("a", jobs=["other"])
    await watching.until("pause:b")
    server.delete("b")
    await watching.until()
    assert len(server.watches) == 1
    assert server.watches[0]["allowWatchBookmarks"] == "true"


async def test_objects_are_read_in_pages(server: FakePauseServer, credentials: Path) -> None:
    for number in range(45):
        server.store(f"p{number:02}", jobs=["us"] if number % 2 else ["other"])
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    watching = Watching(session)
    await eventually(lambda: watching.sources is not None)
    assert len(watching.sources or []) == 22
    assert [each.get("continue") for each in server.lists] == [None, "20", "40"]
    await cancel_and_wait(watching.task)
    await session.close()


async def test_an_ended_or_expired_watch_is_followed_by_a_new_read(server: FakePauseServer, watching: Watching) -> None:
    await watching.until()
    server.store("a", jobs=["us"])
    server.events.put_nowait(None)
    await watching.until("pause:a")
    server.store("b", jobs=["us"])
    server.events.put_nowait({"type": "ERROR", "object": {"kind": "Status", "code": 410}})
    await watching.until("pause:a", "pause:b")


@pytest.fixture
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the watch compare itself with a live read after 0.1 s of silence."""
    monkeypatch.setattr(object_watch, "LIVE_READ_SECONDS", 0.1)
    monkeypatch.setattr(pinged_watch, "LIVE_READ_SECONDS", (0.1, 0.1))
    monkeypatch.setattr(object_watch, "_EVENT_SECONDS", 0.1)


@pytest.mark.usefixtures("frequent_checks")
async def test_what_a_silent_watch_does_not_deliver_is_found_by_a_live_read(
    server: FakePauseServer, watching: Watching
) -> None:
    await watching.until()
    server.change("a", jobs=["us"])
    server.change("other", jobs=["other"])
    await watching.until("pause:a")
    reads = server.metadata_reads
    await eventually(lambda: server.metadata_reads > reads + 2)
    assert len(server.watches) == 1  # nothing has changed, so the watch stays open
    server.store("b", jobs=["us"])
    await watching.until("pause:a", "pause:b")
    del server.objects["a"]  # only the number of objects shows this
    await watching.until("pause:b")


@pytest.mark.usefixtures("frequent_checks")
async def test_a_silent_watch_without_any_pause_stays_open(server: FakePauseServer, watching: Watching) -> None:
    await watching.until()
    await eventually(lambda: server.metadata_reads > 2)
    assert (len(server.watches), len(server.lists)) == (1, 1)


async def test_a_kind_that_is_not_served_has_no_pauses_and_is_looked_for_again(
    server: FakePauseServer, watching: Watching
) -> None:
    server.status = 404
    await watching.until()
    server.store("a", jobs=["us"])
    server.status = 200
    await watching.until("pause:a")
    assert watching.failures == []


async def test_a_kind_that_may_not_be_read_is_reported_and_its_known_pauses_stay_in_force(
    server: FakePauseServer, watching: Watching
) -> None:
    await eventually(lambda: server.watches)
    watches = len(server.watches)
    server.store("a", jobs=["us"])
    server.events.put_nowait(None)
    await watching.until("pause:a")
    await eventually(lambda: len(server.watches) > watches)
    server.status = 403
    server.events.put_nowait(None)
    await eventually(lambda: watching.failures)
    assert watching.sources == ["pause:a"]
    [failure] = watching.failures
    assert failure.startswith("The pod may not read ingestpauses")
    assert watching.states.value.problem == failure
    del server.objects["a"]
    server.status = 200
    await watching.until()
    # Only the watch that follows the read shows that the pod has all rights again.
    await eventually(lambda: not watching.states.value.problem)


async def test_pauses_that_may_be_read_but_not_watched_are_reported_once_and_obeyed(
    server: FakePauseServer, watching: Watching
) -> None:
    await watching.until()
    server.watch_status = 403
    server.events.put_nowait(None)
    await eventually(lambda: watching.failures)
    reads = len(server.lists)
    server.store("a", jobs=["us"])
    await watching.until("pause:a")
    await eventually(lambda: len(server.lists) > reads + 3)
    [failure] = watching.failures
    assert failure.startswith("The pod may not watch ingestpauses")
    assert watching.states.value.problem == failure
    server.watch_status = 200
    await eventually(lambda: not watching.states.value.problem)
    assert watching.sources == ["pause:a"]


async def test_a_first_read_that_is_refused_only_for_a_moment_leaves_the_pauses_unread(
    server: FakePauseServer, credentials: Path
) -> None:
    server.status = 403
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    watching = Watching(session)
    await eventually(lambda: server.refusals > 0)
    assert watching.sources is None
    server.store("a", jobs=["us"])
    server.status = 200
    await watching.until("pause:a")
    assert watching.failures == []
    await cancel_and_wait(watching.task)
    await session.close()


async def test_a_kind_that_may_not_be_read_from_the_start_is_reported_and_does_not_hold_the_job(
    server: FakePauseServer, credentials: Path
) -> None:
    server.status = 403
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    watching = Watching(session)
    await watching.until()
    assert server.refusals >= 3
    assert len(watching.failures) == 1
    await cancel_and_wait(watching.task)
    await session.close()


async def test_an_api_server_that_does_not_answer_leaves_the_pauses_unread(
    server: FakePauseServer, credentials: Path
) -> None:
    server.status = 503
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    watching = Watching(session)
    await asyncio.sleep(0.5)
    assert watching.sources is None
    server.status = 200
    await watching.until()
    await cancel_and_wait(watching.task)
    await session.close()


async def test_more_pauses_than_a_pod_keeps_are_reported_until_they_are_deleted(
    server: FakePauseServer, credentials: Path
) -> None:
    ended = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for number in range(MAX_PAUSES + 50):
        server.store(f"ended{number}", jobs=["us"], until=ended)
    server.store("last", jobs=["us"])
    session = ApiSession(ApiServer(url=server.url, credentials=credentials))
    watching = Watching(session)
    await eventually(lambda: "pause:last" in (watching.sources or []))
    assert not watching.states.value.of_namespace.has_too_many
    for number in range(MAX_PAUSES):
        server.store(f"open{number}", jobs=["us"])
    server.events.put_nowait(None)
    await eventually(lambda: watching.states.value.of_namespace.has_too_many)
    assert len(watching.sources or []) <= MAX_PAUSES + 1
    server.objects.clear()
    await eventually(lambda: not watching.states.value.of_namespace.has_too_many)
    assert watching.sources == []
    await cancel_and_wait(watching.task)
    await session.close()
