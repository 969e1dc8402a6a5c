"""A server that redirects each request to another host, which must get neither a request nor a connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from google.auth import transport
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_operator.adapters import access
from sluice_operator.adapters.api import RequestSender
from sluice_runtime.adapters.api_session import ApiServer, ApiSession
from sluice_runtime.adapters.http.smoke_client import SmokeClient
from sluice_runtime.domain.market_history import HistoryRequest
from sluice_runtime.providers.alpaca.calendar import AlpacaCalendar
from sluice_runtime.providers.alpaca.credentials import Credentials, CredentialsReader
from sluice_runtime.providers.alpaca.endpoints import RestEndpoints
from sluice_runtime.providers.alpaca.history import AlpacaHistory
from sluice_runtime.providers.alpaca.key_pair_check import KeyPairCheck
from sluice_runtime.providers.alpaca.snapshots import AlpacaSnapshots
from sluice_runtime.providers.preflight_process import run_preflight_process
from sluice_runtime.sinks.firestore.identity import check_google_identity
from sluice_runtime.sinks.firestore.token_requests import TokenRequest
from sluice_runtime.sinks.firestore.token_session import TokenSession
from support.alpaca_provider import SECRET, failure_of_connection, mount, source
from support.certificates import self_signed
from support.fake_listener import FakeListener
from support.proxy_variables import remove_proxy_variables
from support.raw_http_peer import RawHTTPPeer, http_answer
from support.service_account_keys import service_account_key

STATUSES = (301, 302, 303, 307, 308)
START = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


class Peers(NamedTuple):
    """The server whose address the client has, and the one to which it redirects."""

    first: RawHTTPPeer
    second: RawHTTPPeer
    folder: Path

    @property
    def url(self) -> str:
        return f"http://{self.first.address}"

    @property
    def reader(self) -> CredentialsReader:
        return CredentialsReader(ALPACA, mount(self.folder, "key", SECRET), None)

    @property
    def endpoints(self) -> RestEndpoints:
        return RestEndpoints(self.url, self.url, is_alpaca_stream=False)


ALPACA = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))


@pytest.fixture(params=STATUSES)
async def peers(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Peers]:
    remove_proxy_variables(monkeypatch)
    settings = {"TENANT_ID": "acme", "ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": SECRET, "MONITORED_SYMBOLS": "X"}
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(RawHTTPPeer().listening())
        first = await stack.enter_async_context(RawHTTPPeer().listening())
        first.answer = http_answer(request.param, b"moved", Location=f"http://{second.address}/next?token=leaked")
        found = Peers(first, second, tmp_path)
        rest = dict.fromkeys(("APCA_API_BASE_URL", "APCA_API_DATA_URL"), found.url)
        for name, value in {**settings, **rest, "FIRESTORE_PROJECT_ID": "demo-project"}.items():
            monkeypatch.setenv(name, value)
        yield found


async def _stream(peers: Peers, engine: AlpacaEngine) -> str:
    url = f"ws://{peers.first.address}/v2/iex"
    made = source(url, mount(peers.folder, "key", SECRET), engine=engine)
    return (await failure_of_connection(made, FakeListener())).message


async def _snapshots(peers: Peers) -> object:
    return await AlpacaSnapshots(ALPACA, peers.reader, peers.url).fetch_latest_quotes_and_trades(["AAPL"])


async def _history(peers: Peers) -> object:
    request = HistoryRequest(kind="trades", symbols=("AAPL",), start=START, end=START + timedelta(hours=1))
    return await AlpacaHistory(ALPACA, peers.reader, peers.url).fetch_page(request, None)


async def _calendar(peers: Peers) -> object:
    return await AlpacaCalendar(peers.reader, peers.url).fetch_trading_days(date(2026, 11, 25), date(2026, 11, 27))


async def _key_pair_check(peers: Peers) -> object:
    return await KeyPairCheck(ALPACA, peers.endpoints).refusal_status(Credentials("key", SECRET), None)


async def _preflight(_peers: Peers) -> object:
    found = await run_preflight_process(["AAPL"])
    assert [each.question for each in found if not each.good] == ["account", "entitlement", "AAPL", "clock", "calendar"]
    return found[0].words


async def _google_token(peers: Peers) -> object:
    return await _refresh_key(peers, TokenRequest())


async def _google_token_by_requests(peers: Peers) -> object:
    return await _refresh_key(peers, Request(TokenSession()))


async def _refresh_key(peers: Peers, request: transport.Request) -> object:
    key: dict[str, Any] = {**service_account_key("demo"), "token_uri": f"{peers.url}/token"}
    credentials: Any = service_account.Credentials.from_service_account_info(key, scopes=["datastore"])  # type: ignore[no-untyped-call]
    return await asyncio.to_thread(credentials.refresh, request)


async def _smoke(peers: Peers) -> object:
    return await asyncio.to_thread(SmokeClient(peers.url, "token").run_steps, 5.0, lambda _line: None)


async def _pod_to_api_server(peers: Peers) -> object:
    session = ApiSession(_api_server(peers))
    headers = session.authorization_header()
    try:
        return await session.client_session().patch(peers.url, data=b"{}", headers=headers)
    finally:
        await session.close()


async def _operator_to_api_server(peers: Peers) -> object:
    async with ApiClient(_configuration(peers)) as client:
        return await RequestSender(client).send_request("GET", "/api/v1/pods")


async def _kopf_to_api_server(peers: Peers) -> object:
    async with ApiClient(_configuration(peers)) as client:
        session = access.create_read_only_session(client, access.ReadOnlyMiddleware(lambda: None), 1)
        async with session:
            return await session.get(f"{peers.url}/api/v1/pods")


def _api_server(peers: Peers) -> ApiServer:
    certificate, _ = self_signed(peers.folder)
    certificate.rename(peers.folder / "ca.crt")
    (peers.folder / "token").write_text("bearer-token")
    return ApiServer(url=peers.url, credentials=peers.folder)


def _configuration(peers: Peers) -> Configuration:
    return Configuration(host=peers.url, api_key={"BearerToken": "Bearer token"})


WAYS: list[Callable[[Peers], Awaitable[object]]] = [
    _snapshots,
    _history,
    _calendar,
    _key_pair_check,
    _preflight,
    _google_token,
    _google_token_by_requests,
    _smoke,
    _pod_to_api_server,
    _operator_to_api_server,
    _kopf_to_api_server,
]


async def _words(way: Callable[[Peers], Awaitable[object]], peers: Peers) -> str:
    try:
        return str(await way(peers))
    except Exception as error:
        return str(error)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
async def test_a_redirect_of_a_request_ends_with_a_sentence(
    peers: Peers, way: Callable[[Peers], Awaitable[object]]
) -> None:
    words = await _words(way, peers)
    assert re.search(r"answered with a redirect \(HTTP 30\d\), which is not followed", words), words
    _assert_only_the_first_was_asked(peers)
    assert "leaked" not in words


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
@pytest.mark.parametrize("scheme", [b"http", b"ws"])  # aiohttp would follow the first, and websockets the second
async def test_a_redirect_of_the_stream_ends_with_a_sentence(peers: Peers, engine: AlpacaEngine, scheme: bytes) -> None:
    peers.first.answer = peers.first.answer.replace(b"http://", scheme + b"://")
    words = await _stream(peers, engine)
    assert "answered with a redirect (HTTP" in words
    assert "set spec.alpaca.streamURL to the final address" in words
    _assert_only_the_first_was_asked(peers)
    assert "leaked" not in words


@pytest.mark.parametrize("peers", [302], indirect=True)
async def test_a_redirect_of_the_metadata_server_ends_the_search_for_an_identity(
    peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._default._get_gcloud_sdk_credentials", lambda **_: (None, None))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, peers.first.address)
    assert not (await check_google_identity()).good
    _assert_only_the_first_was_asked(peers)


def _assert_only_the_first_was_asked(peers: Peers) -> None:
    assert peers.first.connections > 0
    assert (peers.second.connections, peers.second.received) == (0, b"")
