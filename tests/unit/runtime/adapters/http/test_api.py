from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from sluice_contract.http_server import create_listener
from sluice_contract.status import StreamStatus
from sluice_runtime.adapters.http.api import create_http_application, serve_http
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, identity, runtime_view
from support.virtual_time import START

REAL_TIME = True
Client: TypeAlias = TestClient[Any, Any]


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
def runtime(clock: Clock) -> RuntimeState:
    return RuntimeState(identity(), LatestValue(desired()), Coalescer(), clock)


@pytest.fixture
async def client(runtime: RuntimeState) -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_http_application(runtime_view(runtime)))) as made:
        yield made


async def said(client: Client, path: str) -> tuple[int, str]:
    async with client.get(path) as response:
        return response.status, await response.text()


async def test_the_process_is_alive_while_its_loop_runs(client: Client, runtime: RuntimeState, clock: Clock) -> None:
    assert await said(client, "/livez") == (200, "ok\n")
    clock.at += timedelta(seconds=31)
    assert await said(client, "/livez") == (503, "the flush loop has not run for 31 s\n")
    runtime.process.loop_tick_at = clock.at
    assert await said(client, "/livez") == (200, "ok\n")


async def test_the_process_is_alive_in_any_stream_state(client: Client, runtime: RuntimeState) -> None:
    runtime.stream.record_failure(StreamError("auth", "check the Secret"))
    runtime.stream.on_state("Blocked")
    assert (await said(client, "/livez"))[0] == 200


async def test_the_process_is_ready_when_it_streams(client: Client, runtime: RuntimeState) -> None:
    assert await said(client, "/readyz") == (503, "Stopped\n")
    runtime.stream.on_state("Live")
    assert await said(client, "/readyz") == (200, "Live\n")


async def test_the_process_is_ready_when_it_is_paused_as_requested(client: Client, runtime: RuntimeState) -> None:
    runtime.stream.on_state("Paused")
    assert (await said(client, "/readyz"))[0] == 503
    runtime.stream.acknowledge_pause(runtime.sink_health.last_write_at)
    assert await said(client, "/readyz") == (200, "Paused\n")


async def test_a_process_that_is_not_ready_gives_the_type_of_the_failure(client: Client, runtime: RuntimeState) -> None:
    runtime.stream.record_failure(StreamError("symbolLimit", "the plan has no room for MSFT"))
    runtime.stream.on_state("Blocked")
    assert await said(client, "/readyz") == (503, "Blocked: symbolLimit\n")


async def test_open_responses_name_no_symbol(client: Client, runtime: RuntimeState) -> None:
    runtime.market.coalescer.set_wanted_symbols(frozenset({"AAPL", "MSFT"}))
    runtime.stream.record_failure(StreamError("symbolLimit", "the plan has no room for MSFT"))
    for path in ("/livez", "/readyz", "/metrics"):
        text = (await said(client, path))[1]
        assert not [symbol for symbol in ("AAPL", "MSFT") if symbol in text]


async def test_the_status_is_that_of_the_ingest_job(client: Client, runtime: RuntimeState) -> None:
    runtime.desired.set(with_pause(desired(), PauseInForce(source="spec.enabled", reason="vendor")))
    async with client.get("/runtime/ingest/status") as response:
        assert response.content_type == "application/json"
        status = msgspec.json.decode(await response.read(), type=StreamStatus)
    assert status == stream_status(runtime.snapshot())


async def test_the_symbols_are_a_list_with_one_object_each(client: Client) -> None:
    async with client.get("/runtime/ingest/symbols") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert [each["symbol"] for each in await response.json()] == ["AAPL", "MSFT"]


async def test_the_metrics_are_prometheus_text(client: Client) -> None:
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert "ingest_active{" in await response.text()


@pytest.mark.parametrize(
    "path", ["/runtime/ingest/stop", "/runtime/ingest/status", "/runtime/ingest/symbols", "/livez"]
)
async def test_the_read_only_interface_accepts_no_changes(client: Client, path: str) -> None:
    async with client.post(path) as response:
        assert response.status in (404, 405)


async def test_it_serves_until_its_context_is_left(runtime: RuntimeState, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/livez"
    async with aiohttp.ClientSession() as session:
        listeners = [create_listener("127.0.0.1", unused_tcp_port)]
        async with serve_http(runtime_view(runtime), listeners), session.get(url) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_an_unknown_path_below_runtime_gets_a_json_error(client: Client) -> None:
    assert await said(client, "/runtime/nowhere") == (404, '{"error":"GET /runtime/nowhere: Not Found"}')
    assert await said(client, "/nowhere") == (404, "404: Not Found")


async def test_each_get_request_below_runtime_is_refused_if_the_check_refuses_it_and_no_other_is(
    runtime: RuntimeState,
) -> None:
    app = create_http_application(runtime_view(runtime), read_check=lambda _: "no; ask the tenant")
    paths = {each.resource.canonical for each in app.router.routes() if each.resource is not None}
    async with TestClient(TestServer(app)) as client:
        refused = {path for path in paths if (await said(client, path)) == (403, '{"error":"no; ask the tenant"}')}
    assert refused == {path for path in paths if path.startswith("/runtime")}
    assert refused
