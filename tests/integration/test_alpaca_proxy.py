"""Alpaca's stream and snapshots through a real HTTP proxy, with both engines.

The server has a host name that only the proxy can resolve, so a direct connection cannot succeed.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.domain.failure import SnapshotError
from sluice_runtime.domain.market_history import HistoryRequest
from sluice_runtime.providers.alpaca.calendar import AlpacaCalendar
from sluice_runtime.providers.alpaca.credentials import Credentials, CredentialsReader
from sluice_runtime.providers.alpaca.endpoints import RestEndpoints
from sluice_runtime.providers.alpaca.history import AlpacaHistory
from sluice_runtime.providers.alpaca.key_pair_check import KeyPairCheck
from sluice_runtime.providers.alpaca.snapshots import AlpacaSnapshots
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_runtime.providers.alpaca.websocket import Timeouts
from sluice_simulators.alpaca import Account, AlpacaServer, ServerOptions
from support.alpaca_provider import SECRET, SHORT_TIMEOUTS, failure_of_connection, mount, source, streaming
from support.certificates import self_signed
from support.connect_proxy import ConnectProxy, Fault
from support.eventually import eventually
from support.fake_listener import FakeListener
from support.proxy_variables import remove_proxy_variables

HOST = "stream.example"
PASSWORD = "p@ss/w:rd"
START = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
HANGING = Timeouts(upgrade=1.0)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    remove_proxy_variables(monkeypatch)
    return monkeypatch


@pytest.fixture(params=get_args(AlpacaEngine))
def engine(request: pytest.FixtureRequest) -> AlpacaEngine:
    chosen: AlpacaEngine = request.param
    return chosen


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    return mount(tmp_path, "key", SECRET)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return self_signed(tmp_path, HOST)


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running


@pytest.fixture
async def server_with_tls(tls: ssl.SSLContext) -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)], options=ServerOptions(tls=tls)) as running:
        yield running


@dataclass
class Peers:
    """The servers, and the files of the job: its Secret, and the certificate that it trusts."""

    server: AlpacaServer
    server_with_tls: AlpacaServer
    proxy: ConnectProxy
    mounted: Path
    certificate: Path
    tls: ssl.SSLContext

    def source(self, url: str, engine: AlpacaEngine, timeouts: Timeouts = SHORT_TIMEOUTS) -> AlpacaSource:
        return source(url, self.mounted, self.certificate, engine=engine, timeouts=timeouts)

    def snapshots(self, url: str) -> AlpacaSnapshots:
        settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
        return AlpacaSnapshots(settings, CredentialsReader(settings, self.mounted, self.certificate), url)


@pytest.fixture
def peers(
    server: AlpacaServer,
    server_with_tls: AlpacaServer,
    mounted: Path,
    certificate: tuple[Path, Path],
    tls: ssl.SSLContext,
) -> Peers:
    proxy = ConnectProxy()
    proxy.hosts[HOST] = "127.0.0.1"
    return Peers(server, server_with_tls, proxy, mounted, certificate[0], tls)


@pytest.fixture(autouse=True)
def no_password_in_the_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level("DEBUG")
    yield
    assert PASSWORD not in caplog.text
    assert "p%40ss" not in caplog.text


def _with_credentials(url: str) -> str:
    return url.replace("://", "://me:p%40ss%2Fw%3Ard@")


def _of_host(url: str) -> str:
    return url.replace("127.0.0.1", HOST)


async def _streams_a_quote(made: AlpacaSource, server: AlpacaServer) -> bool:
    listener = FakeListener()
    async with streaming(made, listener, "AAPL"):
        await server.send_quote("AAPL", 77.25, 78.0)
        await eventually(lambda: listener.ticks)
    return listener.ticks[0].to_quote().bid == 77.25


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["wss", "ws"])
async def test_a_stream_goes_through_a_tunnel_with_and_without_tls(
    peers: Peers, engine: AlpacaEngine, environment: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    peers.proxy.credentials = f"me:{PASSWORD}"
    server = peers.server_with_tls if scheme == "wss" else peers.server
    url = _of_host(server.url())
    async with peers.proxy.listening() as address:
        environment.setenv(variable, _with_credentials(address))
        assert await _streams_a_quote(peers.source(url, engine), server)
    assert peers.proxy.asked == [url.removeprefix(f"{scheme}://").partition("/")[0]]


@pytest.mark.parametrize("scheme", ["wss", "ws"])
async def test_the_proxy_itself_may_have_tls(
    peers: Peers, engine: AlpacaEngine, environment: pytest.MonkeyPatch, scheme: str
) -> None:
    server = peers.server_with_tls if scheme == "wss" else peers.server
    url = _of_host(server.url())
    async with peers.proxy.listening(peers.tls) as address:
        environment.setenv("HTTPS_PROXY", address)
        assert await _streams_a_quote(peers.source(url, engine), server)
        peers.certificate, _ = self_signed(peers.mounted / "other")
        failure = await failure_of_connection(peers.source(url, engine), FakeListener())
    assert failure.kind == "certificate"
    assert address in failure.message


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "", "other.example"])
async def test_this_machine_is_reached_directly(
    peers: Peers, engine: AlpacaEngine, environment: pytest.MonkeyPatch, no_proxy: str
) -> None:
    async with peers.proxy.listening() as address:
        environment.setenv("HTTPS_PROXY", address)
        environment.setenv("NO_PROXY", no_proxy)
        assert await _streams_a_quote(peers.source(peers.server.url(), engine), peers.server)
    assert peers.proxy.asked == []


@dataclass
class Case:
    """How the proxy fails, and what the error says."""

    words: str
    refusal: int = 0
    fault: Fault = "none"
    timeouts: Timeouts = SHORT_TIMEOUTS


@pytest.mark.parametrize(
    "case",
    [
        Case("refuses the connection (HTTP 407); check the user and the password in HTTPS_PROXY", 407),
        Case("refuses the connection (HTTP 403); allow the host in the proxy, or add the host to NO_PROXY", 403),
        Case("refuses the connection (HTTP 502); the proxy cannot reach the host itself", 502),
        Case("did not answer within 1 s through the proxy", fault="hang", timeouts=HANGING),
        Case("cannot be reached", fault="drop"),
        Case("cannot be reached through the proxy", fault="drop after CONNECT"),
    ],
    ids=lambda case: case.words,
)
@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_proxy_that_fails_is_named_with_what_to_do(
    peers: Peers, engine: AlpacaEngine, environment: pytest.MonkeyPatch, case: Case, scheme: str
) -> None:
    peers.proxy.refusal, peers.proxy.fault = case.refusal, case.fault
    async with peers.proxy.listening() as address:
        environment.setenv("HTTPS_PROXY", _with_credentials(address))
        made = peers.source(f"{scheme}://{HOST}/v2/iex", engine, case.timeouts)
        failure = await failure_of_connection(made, FakeListener())
    assert failure.kind == "network"
    assert case.words in failure.message
    assert f"{address} (HTTPS_PROXY)" in failure.message
    assert "p@ss" not in failure.message
    assert "p%40ss" not in failure.message


async def test_a_proxy_that_cannot_be_reached_is_named(
    mounted: Path, engine: AlpacaEngine, environment: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    environment.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:{unused_tcp_port}")
    failure = await failure_of_connection(source(f"wss://{HOST}/v2/iex", mounted, engine=engine), FakeListener())
    assert f"the proxy http://127.0.0.1:{unused_tcp_port} (HTTPS_PROXY)" in failure.message
    assert PASSWORD not in failure.message


async def test_the_error_of_a_proxy_that_wants_credentials_says_where_they_belong(
    peers: Peers, engine: AlpacaEngine, environment: pytest.MonkeyPatch
) -> None:
    peers.proxy.credentials = f"me:{PASSWORD}"
    async with peers.proxy.listening() as address:
        environment.setenv("HTTPS_PROXY", address)
        failure = await failure_of_connection(peers.source(f"wss://{HOST}/v2/iex", engine), FakeListener())
    assert "add the user and the password to HTTPS_PROXY, as in http://user:password@" in failure.message


async def test_a_variable_that_names_no_proxy_is_reported(
    mounted: Path, engine: AlpacaEngine, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("HTTPS_PROXY", f"socks5://me:{PASSWORD}@127.0.0.1:1080")
    failure = await failure_of_connection(source(f"wss://{HOST}/v2/iex", mounted, engine=engine), FakeListener())
    assert failure.kind == "network"
    assert "HTTPS_PROXY is not the URL of an HTTP proxy" in failure.message
    assert PASSWORD not in failure.message


async def test_snapshots_go_through_the_proxy_with_and_without_tls(
    peers: Peers, environment: pytest.MonkeyPatch
) -> None:
    peers.proxy.credentials = f"me:{PASSWORD}"
    async with peers.proxy.listening() as address:
        environment.setenv("HTTPS_PROXY", _with_credentials(address))
        environment.setenv("HTTP_PROXY", _with_credentials(address))
        for server in (peers.server, peers.server_with_tls):
            await peers.snapshots(_of_host(server.http_url)).fetch_latest_quotes_and_trades(["AAPL"])
    assert [each.removeprefix("http://").partition(":")[0] for each in peers.proxy.asked] == [HOST, HOST]


@pytest.mark.parametrize(
    "case",
    [
        Case("HTTP 407", 407),
        Case("HTTP 502", 502),
        Case("cannot be reached", fault="drop after CONNECT"),
    ],
    ids=lambda case: case.words,
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_failed_snapshot_names_the_proxy(
    peers: Peers, environment: pytest.MonkeyPatch, case: Case, scheme: str
) -> None:
    peers.proxy.refusal, peers.proxy.fault = case.refusal, case.fault
    async with peers.proxy.listening() as address:
        environment.setenv("ALL_PROXY", _with_credentials(address))
        with pytest.raises(SnapshotError) as failure:
            await peers.snapshots(f"{scheme}://{HOST}").fetch_latest_quotes_and_trades(["AAPL"])
    assert case.words in str(failure.value)
    assert f"{address} (ALL_PROXY)" in str(failure.value)
    assert "p%40ss" not in str(failure.value)


async def test_calendar_history_and_the_check_of_a_key_pair_go_through_the_proxy(
    peers: Peers, environment: pytest.MonkeyPatch
) -> None:
    settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
    reader = CredentialsReader(settings, peers.mounted, peers.certificate)
    period = HistoryRequest(kind="bars", symbols=("AAPL",), start=START, end=START + timedelta(days=1))
    pair, url = Credentials("key", SECRET), _of_host(peers.server_with_tls.http_url)
    peers.proxy.credentials = f"me:{PASSWORD}"
    async with peers.proxy.listening() as address:
        environment.setenv("HTTPS_PROXY", _with_credentials(address))
        await AlpacaCalendar(reader, url).fetch_trading_days(START.date(), START.date())
        await AlpacaHistory(settings, reader, url).fetch_page(period, None)
        check = KeyPairCheck(settings, RestEndpoints(trading_url=url, data_url=url, is_alpaca_stream=False))
        assert await check.refusal_status(pair, reader.tls_context()) is None
    assert [each.partition(":")[0] for each in peers.proxy.asked] == [HOST] * 3
