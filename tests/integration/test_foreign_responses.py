"""Servers whose responses contain a planted word, which must occur in no failure and in no log line of any level."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.domain.market_history import HistoryRequest
from sluice_runtime.providers.alpaca.calendar import AlpacaCalendar
from sluice_runtime.providers.alpaca.credentials import Credentials, CredentialsReader
from sluice_runtime.providers.alpaca.endpoints import RestEndpoints
from sluice_runtime.providers.alpaca.history import AlpacaHistory
from sluice_runtime.providers.alpaca.key_pair_check import KeyPairCheck
from sluice_runtime.providers.alpaca.snapshots import AlpacaSnapshots
from sluice_runtime.providers.preflight_process import run_preflight_process
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.handshake_faults import ForeignWelcome
from support.alpaca_provider import SECRET, failure_of_connection, mount, source
from support.fake_listener import FakeListener
from support.proxy_variables import remove_proxy_variables
from support.raw_http_peer import RawHTTPPeer, http_answer

PLANTED = "planted"
WORD = PLANTED.encode()
ALPACA = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
START = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: planted\r\nConnection: planted\r\n"

# Each is a whole answer to a request.
ANSWERS = {
    "page": http_answer(200, b"<html><head><title>planted</title></head>planted</html>"),
    "json": http_answer(200, json.dumps({"message": PLANTED, "code": 1}).encode()),
    "json of other types": http_answer(200, json.dumps({PLANTED: {"latestQuote": {"t": PLANTED}}}).encode()),
    "days of other types": http_answer(200, b'[{"date": "2026-11-27", "open": "planted", "close": "planted"}]'),
    "text": http_answer(200, b"planted"),
    "refused": http_answer(403, b'{"message":"planted","code":40310000}'),
    "unknown path": http_answer(404, b"planted"),
    "server error": http_answer(500, b'{"message":"planted"}'),
    "redirect": http_answer(302, b"planted", Location="http://planted.example/planted"),
    "header": http_answer(401, b"planted", X_Planted="planted", WWW_Authenticate="planted"),
    "reason": b"HTTP/1.1 503 planted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "another protocol": b"-ERR planted\r\n\r\n",
    "another version": b"HTTP/planted 200 OK\r\n\r\n",
    "line without a colon": b"HTTP/1.1 200 OK\r\nplanted\r\n\r\n",
    "long line": b"HTTP/1.1 200 OK\r\nX: " + WORD * 10_000 + b"\r\n\r\n",
    "broken length": b"HTTP/1.1 200 OK\r\nContent-Length: planted\r\n\r\n",
    "broken chunk": CHUNKED + b"planted\r\nplanted\r\n0\r\n\r\n",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nplanted",
    "upgraded": UPGRADED + b"Sec-WebSocket-Accept: planted\r\n\r\nplanted",
    "nothing": b"\r\n",
}  # fmt: skip


# Each takes alpaca-py another way; the preflight is a process of its own, so the other answers would take a minute.
OF_PREFLIGHT = ("json", "json of other types", "text", "refused", "reason", "another protocol", "broken chunk")


@pytest.fixture(params=list(ANSWERS.values()), ids=list(ANSWERS))
async def peer(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[RawHTTPPeer]:
    remove_proxy_variables(monkeypatch)
    caplog.set_level(logging.DEBUG)
    async with RawHTTPPeer(request.param).listening() as running:
        yield running


def _assert_nothing_is_quoted(words: str, caplog: pytest.LogCaptureFixture) -> None:
    assert PLANTED not in words.lower()
    assert PLANTED not in caplog.text.lower()


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_the_failure_of_a_stream_quotes_no_response(
    peer: RawHTTPPeer, tmp_path: Path, engine: AlpacaEngine, caplog: pytest.LogCaptureFixture
) -> None:
    made = source(f"ws://{peer.address}/v2/iex", mount(tmp_path, "key", SECRET), engine=engine)
    failure = await failure_of_connection(made, FakeListener())
    assert peer.connections >= 1
    _assert_nothing_is_quoted(failure.message, caplog)


async def _snapshots(url: str, reader: CredentialsReader) -> object:
    return await AlpacaSnapshots(ALPACA, reader, url).fetch_latest_quotes_and_trades(["AAPL"])


async def _history(url: str, reader: CredentialsReader) -> object:
    request = HistoryRequest(kind="trades", symbols=("AAPL",), start=START, end=START + timedelta(hours=1))
    return await AlpacaHistory(ALPACA, reader, url).fetch_page(request, None)


async def _calendar(url: str, reader: CredentialsReader) -> object:
    return await AlpacaCalendar(reader, url).fetch_trading_days(date(2026, 11, 25), date(2026, 11, 27))


async def _key_pair_check(url: str, _reader: CredentialsReader) -> object:
    endpoints = RestEndpoints(url, url, is_alpaca_stream=False)
    return await KeyPairCheck(ALPACA, endpoints).refusal_status(Credentials("key", SECRET), None)


@pytest.mark.parametrize("way", [_snapshots, _history, _calendar, _key_pair_check])
async def test_the_failure_of_a_request_quotes_no_response(
    peer: RawHTTPPeer,
    tmp_path: Path,
    way: Callable[[str, CredentialsReader], Awaitable[object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = CredentialsReader(ALPACA, mount(tmp_path, "key", SECRET), None)
    words = ""
    try:
        await way(f"http://{peer.address}", reader)
    except Exception as error:
        words = str(error)
    assert peer.connections >= 1
    _assert_nothing_is_quoted(words, caplog)


@pytest.mark.parametrize("peer", [ANSWERS[name] for name in OF_PREFLIGHT], indirect=True, ids=OF_PREFLIGHT)
async def test_no_finding_of_the_preflight_quotes_a_response(
    peer: RawHTTPPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://{peer.address}"
    settings = {"TENANT_ID": "acme", "ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": SECRET, "MONITORED_SYMBOLS": "X"}
    rest = dict.fromkeys(("APCA_API_BASE_URL", "APCA_API_DATA_URL"), url)
    for name, value in {**settings, **rest, "FIRESTORE_PROJECT_ID": "demo-project", "LOG_LEVEL": "DEBUG"}.items():
        monkeypatch.setenv(name, value)
    found = await run_preflight_process(["AAPL"])
    assert found
    assert peer.connections >= 2
    assert PLANTED not in str(found).lower()


WELCOMES = [
    ForeignWelcome(text="planted"),
    ForeignWelcome(text='{"planted":"planted"}'),
    ForeignWelcome(text="<html><title>planted</title>"),
    ForeignWelcome(text='[{"T":"error","code":406,"msg":"planted"}]'),
    ForeignWelcome(text='[{"T":"error","code":299,"msg":"planted"}]'),
    ForeignWelcome(text='[{"T":"planted","msg":"planted"}]'),
    ForeignWelcome(text='[{"T":"q","S":"planted"}]'),
    ForeignWelcome(data=WORD.hex()),
    ForeignWelcome(data=(b"\xc1" + WORD).hex()),
]


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
@pytest.mark.parametrize("welcome", WELCOMES, ids=range(len(WELCOMES)))
async def test_the_failure_of_a_login_quotes_no_frame(
    tmp_path: Path, engine: AlpacaEngine, welcome: ForeignWelcome, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with AlpacaServer([Account("key", SECRET)]) as server:
        server.faults.schedule(welcome, times=None)
        made = source(server.url(), mount(tmp_path, "key", SECRET), engine=engine)
        failure = await failure_of_connection(made, FakeListener())
    caplog.handler.records[:] = [each for each in caplog.records if "simulators" not in each.name]
    _assert_nothing_is_quoted(failure.message, caplog)
