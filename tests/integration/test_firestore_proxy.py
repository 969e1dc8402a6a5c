"""Firestore and Google's token requests through a real HTTP proxy.

The emulator has a host name that only the proxy can resolve, so a direct connection cannot succeed.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from google.auth import transport
from google.auth.transport.requests import Request

from sluice_contract.spec import FirestoreSettings
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.sink import FirestoreSink
from sluice_runtime.sinks.firestore.token_requests import TokenRequest
from sluice_runtime.sinks.firestore.token_session import TokenSession
from support.connect_proxy import ConnectProxy
from support.fake_sink import JOB
from support.firestore import VARIABLE
from support.proxy_variables import remove_proxy_variables
from support.sinks import TENANT, quote

HOST = "firestore.example"
PASSWORD = "p@ss/w:rd"
_projects = itertools.count(1)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    remove_proxy_variables(monkeypatch)
    monkeypatch.setenv("no_grpc_proxy", "")  # restored after the test
    return monkeypatch


@pytest.fixture
def proxy() -> ConnectProxy:
    found = ConnectProxy(credentials=f"me:{PASSWORD}")
    found.hosts[HOST] = "127.0.0.1"
    return found


def _with_credentials(url: str) -> str:
    return url.replace("://", "://me:p%40ss%2Fw%3Ard@")


@asynccontextmanager
async def _sink() -> AsyncIterator[FirestoreSink]:
    connection = await open_firestore_connection(FirestoreSettings(), f"demo-sluice-proxy-{next(_projects)}", None)
    sink = FirestoreSink(connection, TENANT, "live_quotes", "market_ingest", JOB)
    try:
        yield sink
    finally:
        await sink.close()


async def _write_with_retries(sink: FirestoreSink) -> None:
    """Write a quote. The first writes may exceed the deadline while the emulator warms up."""
    for _ in range(4):
        with suppress(SinkError):
            return await sink.write_quotes([quote("AAPL")])
    return await sink.write_quotes([quote("AAPL")])


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_documents_are_written_through_the_proxy(
    emulator: str, proxy: ConnectProxy, environment: pytest.MonkeyPatch, variable: str
) -> None:
    port = emulator.rpartition(":")[2]
    environment.setenv(VARIABLE, f"http://{HOST}:{port}/")
    environment.setenv("NO_PROXY", "firestore.example.org,example:1,10.0.0.0/8")
    async with proxy.listening() as address:
        environment.setenv(variable, _with_credentials(address))
        async with _sink() as sink:
            await _write_with_retries(sink)
            assert await sink.quote_document_times(["AAPL"])
    assert set(proxy.asked) == {f"{HOST}:{port}"}


@pytest.mark.parametrize("no_proxy", ["", "nothing.example"])
async def test_an_emulator_on_this_machine_is_reached_directly(
    emulator: str, proxy: ConnectProxy, environment: pytest.MonkeyPatch, no_proxy: str
) -> None:
    environment.setenv(VARIABLE, f"http://{emulator}")
    environment.setenv("no_proxy", no_proxy)
    async with proxy.listening() as address:
        for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "grpc_proxy"):
            environment.setenv(name, address)
        async with _sink() as sink:
            await _write_with_retries(sink)
    assert proxy.asked == []


@pytest.mark.parametrize("no_proxy", ["*", ".example", f"{HOST}:9", "firestore.example"])
async def test_an_exception_is_reached_directly_whatever_grpc_understands(
    environment: pytest.MonkeyPatch, proxy: ConnectProxy, no_proxy: str
) -> None:
    environment.setenv(VARIABLE, f"{HOST}:9")
    environment.setenv("no_proxy", no_proxy)
    async with proxy.listening() as address:
        environment.setenv("https_proxy", address)
        async with _sink() as sink:
            with pytest.raises(SinkError) as failure:
                await sink.write_quotes([quote("AAPL")])
    assert proxy.asked == []
    assert "proxy" not in failure.value.message


async def test_an_entry_of_no_proxy_that_only_grpc_would_apply_is_not_applied(
    emulator: str, proxy: ConnectProxy, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(VARIABLE, f"{HOST}:{emulator.rpartition(':')[2]}")
    environment.setenv("no_proxy", "restore.example")  # the end of the name, but no domain of it
    async with proxy.listening() as address:
        environment.setenv("https_proxy", _with_credentials(address))
        async with _sink() as sink:
            await _write_with_retries(sink)
    assert proxy.asked


@pytest.mark.parametrize(
    ("refusal", "fault", "words"),
    [
        (407, "none", "refuses the connection (HTTP 407); check the user and the password in HTTPS_PROXY"),
        (502, "none", "refuses the connection (HTTP 502); the proxy cannot reach the host itself"),
        (0, "hang", "did not accept a write within 2.5 s through the proxy"),
        (0, "drop after CONNECT", "through the proxy"),
    ],
)
async def test_a_proxy_that_fails_is_named_with_what_to_do(
    proxy: ConnectProxy, environment: pytest.MonkeyPatch, refusal: int, fault: str, words: str
) -> None:
    proxy.refusal, proxy.fault = refusal, fault  # type: ignore[assignment]
    environment.setenv(VARIABLE, f"{HOST}:8080")
    async with proxy.listening() as address:
        environment.setenv("HTTPS_PROXY", _with_credentials(address))
        async with _sink() as sink:
            with pytest.raises(SinkError) as failure:
                await sink.write_quotes([quote("AAPL")])
    assert words in failure.value.message
    assert f"{address} (HTTPS_PROXY)" in failure.value.message
    assert "p@ss" not in failure.value.message
    assert "p%40ss" not in failure.value.message


async def test_a_proxy_with_tls_is_refused_with_a_sentence(environment: pytest.MonkeyPatch) -> None:
    environment.setenv(VARIABLE, f"{HOST}:8080")
    environment.setenv("HTTPS_PROXY", f"https://me:{PASSWORD}@proxy.example:3129")
    with pytest.raises(ValueError, match=r"cannot use the proxy https://proxy.example:3129 \(HTTPS_PROXY\)") as error:
        await open_firestore_connection(FirestoreSettings(), "demo", None)
    assert "name one with http://" in str(error.value)
    assert PASSWORD not in str(error.value)


class _Handler(BaseHTTPRequestHandler):
    """Answers every request with {}."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def token_port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("request_of", [lambda: Request(TokenSession()), TokenRequest], ids=["requests", "urllib3"])
async def test_token_requests_use_the_proxy_and_the_metadata_server_is_reached_directly(
    token_port: int,
    proxy: ConnectProxy,
    environment: pytest.MonkeyPatch,
    request_of: Callable[[], transport.Request],
) -> None:
    request = request_of()
    async with proxy.listening() as address:
        environment.setenv("HTTP_PROXY", _with_credentials(address))
        environment.setenv("GCE_METADATA_HOST", f"127.0.0.1:{token_port}")
        for host in (HOST, "127.0.0.1"):
            answer = await asyncio.to_thread(request, f"http://{host}:{token_port}/token")
            assert answer.status == 200
    assert proxy.asked == [f"http://{HOST}:{token_port}/token"]
