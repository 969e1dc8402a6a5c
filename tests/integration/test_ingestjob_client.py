"""The pod's client of its own IngestJob: its reads, against a fake API server with one object."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from sluice_contract.job_policy import JobPolicy
from sluice_runtime.adapters import object_watch
from sluice_runtime.adapters.ingestjob import IngestJobClient
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.health import stream_status
from support.api_server import FakeApiServer, document
from support.deadlines import wait_for
from support.eventually import eventually
from support.job_client import TOKEN, client, credentials, server
from support.runtime_fakes import runtime_state

__all__ = ["client", "credentials", "server"]


class Watcher:
    """Collects the generations that a watch reports; None stands for a deletion."""

    def __init__(self, client: IngestJobClient) -> None:
        self.seen: list[int | None] = []
        self.last: DeclaredJob | None = None
        self.task = asyncio.create_task(self._watch(client))

    async def _watch(self, client: IngestJobClient) -> None:
        async for found in client.watch():
            self.last = found
            self.seen.append(found.metadata.generation if found else None)

    async def until(self, *generations: int | None) -> None:
        await eventually(lambda: self.seen == list(generations))


@pytest.fixture
async def watcher(client: IngestJobClient) -> AsyncIterator[Watcher]:
    made = Watcher(client)
    yield made
    await cancel_and_wait(made.task)


async def test_the_watch_reports_the_job_and_then_each_change_of_its_spec(
    server: FakeApiServer, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(2, symbols=["SPY"]))
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert watcher.last.spec is not None
    assert watcher.last.spec.symbols == ["SPY"]
    [watch] = server.watches
    assert watch["fieldSelector"] == "metadata.name=us"
    assert watch["resourceVersion"] == "101"
    assert watch["allowWatchBookmarks"] == "true"
    assert server.tokens == {f"Bearer {TOKEN}"}


async def test_a_change_of_only_the_status_is_not_reported(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    for _ in range(3):
        server.change("MODIFIED", document(1))
    server.events.put_nowait({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "900"}}})
    server.change("MODIFIED", document(2))
    await watcher.until(1, 2)


async def test_a_change_of_the_policy_in_the_status_is_reported(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(1) | {"status": {"policy": {"names": ["tenants"], "denied": "no"}}})
    await watcher.until(1, 1)
    assert watcher.last is not None
    assert watcher.last.policy == JobPolicy(names=["tenants"], denied="no")


async def test_an_ended_watch_is_reopened_and_changes_in_between_are_reported(
    server: FakeApiServer, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.events.put_nowait(None)
    await eventually(lambda: len(server.watches) == 2)
    assert watcher.seen == [1]
    server.object = document(2)
    server.events.put_nowait(None)
    await watcher.until(1, 2)


async def test_an_incomplete_line_of_the_watch_is_ignored(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.events.put_nowait(b'{"type": "MODI')
    server.events.put_nowait(None)
    await eventually(lambda: len(server.watches) == 2)
    line = json.dumps({"type": "MODIFIED", "object": document(2)}).encode() + b"\n"
    server.events.put_nowait(line[:50])
    server.events.put_nowait(line[50:])
    await watcher.until(1, 2)
    server.events.put_nowait(b"not json\n")
    await eventually(lambda: len(server.watches) == 3)


async def test_an_expired_resource_version_causes_a_new_read(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.object = document(5)
    server.events.put_nowait({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})
    await watcher.until(1, 5)


@pytest.fixture
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the client compare a silent watch with a live read after 0.1 s."""
    monkeypatch.setattr(object_watch, "LIVE_READ_SECONDS", 0.1)
    monkeypatch.setattr(object_watch, "_EVENT_SECONDS", 0.1)


@pytest.mark.usefixtures("frequent_checks")
async def test_a_silent_watch_of_a_job_that_has_not_changed_stays_open(server: FakeApiServer, watcher: Watcher) -> None:
    await eventually(lambda: server.gets >= 4)
    assert (watcher.seen, len(server.watches)) == ([1], 1)


@pytest.mark.usefixtures("frequent_checks")
async def test_a_change_that_the_watch_does_not_deliver_is_found_by_a_live_read(
    server: FakeApiServer, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    await watcher.until(1)
    server.object = document(2, enabled=False)
    await watcher.until(1, 2)
    assert "the watch has not delivered the change" in caplog.text


async def test_a_newer_spec_in_the_response_to_a_report_is_used_at_once(
    server: FakeApiServer, client: IngestJobClient, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.object = document(2, enabled=False)
    await client.report_status(stream_status(runtime_state().snapshot()))
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert not watcher.last.stops.enabled


async def test_an_older_spec_in_a_late_response_is_ignored(
    server: FakeApiServer, client: IngestJobClient, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(3, enabled=False))
    await watcher.until(1, 3)
    server.object = document(2)
    await client.report_status(stream_status(runtime_state().snapshot()))
    await asyncio.sleep(0.05)
    assert watcher.seen == [1, 3]


async def test_a_deletion_held_by_a_finalizer_is_reported(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    held = document(1)
    held["metadata"] |= {"deletionTimestamp": "2026-03-02T15:00:00Z", "resourceVersion": "102"}
    server.change("MODIFIED", held)
    await watcher.until(1, 1)
    assert watcher.last is not None
    assert watcher.last.metadata.deletion_timestamp is not None


async def test_watches_that_end_at_once_are_reopened_with_a_backoff(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    server.watching = False
    watcher = Watcher(client)
    await asyncio.sleep(1.0)
    assert 2 <= server.gets <= 6
    await cancel_and_wait(watcher.task)


async def test_the_client_waits_for_an_unreachable_api_server(
    server: FakeApiServer, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    await watcher.until(1)
    server.answer = lambda: web.Response(status=503)
    server.events.put_nowait(None)
    await eventually(lambda: "the watch of the IngestJob failed" in caplog.text)
    assert TOKEN not in caplog.text
    server.object = document(2)
    server.answer = None
    await watcher.until(1, 2)


async def test_the_stop_fields_of_a_spec_that_is_not_understood_are_reported(
    server: FakeApiServer, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(2, symbols=["not a symbol"], enabled=False))
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert (watcher.last.spec, watcher.last.stops.enabled) == (None, False)
    assert watcher.last.problem.startswith("spec.symbols[0] is not understood: ")
    server.change("MODIFIED", document(3))
    await watcher.until(1, 2, 3)


@pytest.mark.parametrize(
    "status", ["text", {"phase": 7}, {"stream": []}, {"stream": {"heartbeat": {"at": []}, "state": "Dreaming"}}]
)
async def test_the_spec_is_read_whatever_the_status_contains(
    server: FakeApiServer, watcher: Watcher, status: object
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(2, enabled=False) | {"status": status})
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert not watcher.last.stops.enabled


async def test_the_deletion_of_the_job_ends_the_watch(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.change("DELETED", document(1))
    await watcher.until(1, None)
    await wait_for(watcher.task, 1)


async def test_a_job_deleted_between_two_watches_is_reported_as_gone(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.object = None
    server.events.put_nowait(None)
    await watcher.until(1, None)


async def test_a_new_job_of_the_same_name_is_another_job(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.change("ADDED", document(1, uid="another"))
    await watcher.until(1, None)


async def test_a_new_job_of_the_same_name_on_the_first_read_is_another_job(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    server.object = document(1, uid="another")
    watcher = Watcher(client)
    await watcher.until(None)
