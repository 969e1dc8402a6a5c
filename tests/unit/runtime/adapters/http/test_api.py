from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from sluice_contract.status import StreamStatus
from sluice_runtime.adapters.http.api import create_http_application, serve_http
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.loops.journal import Journal
from sluice_runtime.loops.latest_value import LatestValue
from support.runtime_fakes import desired, identity
from support.virtual_time import START

REAL_TIME = True


class Clock:
    """A wall clock that stands still."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(clock: Clock) -> Journal:
    return Journal(identity(), LatestValue(desired()), Coalescer(), clock)


@pytest.fixture
async def client(book: Journal) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    async with TestClient(TestServer(create_http_application(book))) as made:
        yield made


async def said(client: TestClient, path: str) -> tuple[int, str]:  # type: ignore[type-arg]
    async with client.get(path) as response:
        return response.status, await response.text()


async def test_the_process_is_alive_while_its_loop_runs(client: TestClient, book: Journal, clock: Clock) -> None:  # type: ignore[type-arg]
    assert await said(client, "/livez") == (200, "ok\n")
    clock.at += timedelta(seconds=31)
    assert await said(client, "/livez") == (503, "the flush loop has not run for 31 s\n")
    book.loop_tick_at = clock.at
    assert await said(client, "/livez") == (200, "ok\n")


async def test_the_process_is_alive_in_any_stream_state(client: TestClient, book: Journal) -> None:  # type: ignore[type-arg]
    book.record_stream_failure(StreamError("auth", "check the Secret"))
    book.on_state("Blocked")
    assert (await said(client, "/livez"))[0] == 200


async def test_the_process_is_ready_when_it_streams(client: TestClient, book: Journal) -> None:  # type: ignore[type-arg]
    assert await said(client, "/readyz") == (503, "Stopped\n")
    book.on_state("Live")
    assert await said(client, "/readyz") == (200, "Live\n")


async def test_the_process_is_ready_when_it_is_paused_as_requested(client: TestClient, book: Journal) -> None:  # type: ignore[type-arg]
    book.on_state("Paused")
    assert (await said(client, "/readyz"))[0] == 503
    book.acknowledge_pause()
    assert await said(client, "/readyz") == (200, "Paused\n")


async def test_a_process_that_is_not_ready_gives_the_reason(client: TestClient, book: Journal) -> None:  # type: ignore[type-arg]
    book.record_stream_failure(StreamError("auth", "check the Secret"))
    book.on_state("Blocked")
    assert await said(client, "/readyz") == (503, "Blocked: check the Secret\n")


async def test_the_status_is_that_of_the_ingest_job(client: TestClient, book: Journal) -> None:  # type: ignore[type-arg]
    book.desired.set(with_pause(desired(), PauseInForce(source="cr:acme/us", reason="vendor")))
    async with client.get("/runtime/ingest/status") as response:
        assert response.content_type == "application/json"
        status = msgspec.json.decode(await response.read(), type=StreamStatus)
    assert status == stream_status(book.snapshot())


async def test_the_symbols_are_a_list_with_one_object_each(client: TestClient) -> None:  # type: ignore[type-arg]
    async with client.get("/runtime/ingest/symbols") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert [each["symbol"] for each in await response.json()] == ["AAPL", "MSFT"]


async def test_the_metrics_are_prometheus_text(client: TestClient) -> None:  # type: ignore[type-arg]
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert "ingest_active{" in await response.text()


@pytest.mark.parametrize(
    "path", ["/runtime/ingest/stop", "/runtime/ingest/status", "/runtime/ingest/symbols", "/livez"]
)
async def test_the_read_only_interface_accepts_no_changes(client: TestClient, path: str) -> None:  # type: ignore[type-arg]
    async with client.post(path) as response:
        assert response.status in (404, 405)


async def test_it_serves_until_its_context_is_left(book: Journal, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/livez"
    async with aiohttp.ClientSession() as session:
        async with serve_http(book, "127.0.0.1", unused_tcp_port), session.get(url) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_an_unknown_path_below_runtime_gets_a_json_error(client: TestClient) -> None:  # type: ignore[type-arg]
    assert await said(client, "/runtime/nowhere") == (404, '{"error":"GET /runtime/nowhere: Not Found"}')
    assert await said(client, "/nowhere") == (404, "404: Not Found")
