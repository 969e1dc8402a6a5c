"""The preflight in its own process, against the REST routes of the simulator."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import msgspec
import pytest

from sluice_runtime.providers.alpaca.endpoints import rest_endpoints
from sluice_runtime.providers.preflight_process import run_preflight_process
from sluice_simulators.alpaca import BASIC, Account, AlpacaServer
from support.connect_proxy import ConnectProxy
from support.runtime_fakes import job_spec

SECRET = "very-secret"
SYMBOLS = ["A", "B"]


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlpacaServer]:
    """Start a server, and set the environment of a standalone process that uses it."""
    async with AlpacaServer([Account("key", SECRET, BASIC)]) as running:
        for name in ("APCA_API_BASE_URL", "APCA_API_DATA_URL"):
            monkeypatch.setenv(name, running.http_url)
        settings = {
            "TENANT_ID": "acme",
            "ALPACA_KEY_ID": "key",
            "ALPACA_SECRET_KEY": SECRET,
            "MONITORED_SYMBOLS": "X",  # as in a pod's environment, which has only the cold part of the job
        }
        for name, value in {**settings, "FIRESTORE_PROJECT_ID": "demo-project"}.items():
            monkeypatch.setenv(name, value)
        yield running


async def test_a_sufficient_account_has_only_good_findings(server: AlpacaServer) -> None:
    found = await run_preflight_process(SYMBOLS)
    assert [(each.question, each.good) for each in found] == [
        ("account", True),
        ("entitlement", True),
        ("clock", True),
        ("calendar", True),
    ]


async def test_each_problem_has_a_message(server: AlpacaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_DATA_FEED", "sip")
    server.rest.unknown, server.rest.inactive, server.rest.clock_skew = {"A"}, {"B"}, 60.0
    found = {each.question: each.words for each in await run_preflight_process(SYMBOLS) if not each.good}
    assert found.keys() == {"entitlement", "A", "B", "clock"}
    assert "HTTP 403" in found["entitlement"]
    assert "choose another feed" in found["entitlement"]
    assert "HTTP 404" in found["A"]
    assert found["A"].endswith("; remove the symbol, or correct its spelling")
    assert found["B"] == "inactive; remove it from spec.symbols"
    assert "60 s behind Alpaca's: run NTP" in found["clock"]


async def test_a_crypto_pair_is_requested_by_its_name_and_has_no_market_hours(
    server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPACA_DATA_FEED", "crypto")
    server.rest.unknown = {"ETH/USD"}
    found = {each.question: each for each in await run_preflight_process(["BTC/USD", "ETH/USD"])}
    assert [question for question, each in found.items() if each.good] == ["account", "entitlement", "clock"]
    assert found["clock"].words == "the market is always open"
    assert "HTTP 404" in found["ETH/USD"].words


async def test_a_wrong_key_and_an_absent_server_are_findings_without_the_secret(
    server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPACA_SECRET_KEY", "another-secret")
    found = await run_preflight_process(SYMBOLS)
    assert [(each.question, each.good) for each in found] == [("account", False), ("entitlement", False)]
    assert all("HTTP 401" in each.words and "; check the key pair" in each.words for each in found)
    assert "another-secret" not in msgspec.json.encode(found).decode()
    monkeypatch.setenv("APCA_API_BASE_URL", "http://127.0.0.1:9")
    assert "cannot be reached" in (await run_preflight_process(SYMBOLS))[0].words


async def test_a_child_that_cannot_be_started_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    [found] = await run_preflight_process(SYMBOLS)
    assert (found.good, found.words) == (False, "the preflight process could not be started: No such file or directory")


async def test_the_command_prints_a_line_for_each_finding_and_fails_if_one_is_bad(
    server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITORED_SYMBOLS", "A,B")

    async def run() -> tuple[int | None, str]:
        command = (sys.executable, "-m", "sluice_runtime", "preflight")
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=os.environ)
        output, _ = await child.communicate()
        return child.returncode, output.decode()

    code, output = await run()
    assert (code, "ok  account: ACTIVE" in output) == (0, True)
    server.rest.inactive = {"B"}
    code, output = await run()
    assert (code, "NOT B: inactive" in output) == (1, True)


def test_the_error_names_an_image_without_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    from sluice_runtime.providers.alpaca.account_check import AccountCheck
    from sluice_runtime.providers.alpaca.credentials import Credentials
    from sluice_runtime.providers.alpaca.environment import EnvironmentCredentialsReader

    monkeypatch.setitem(sys.modules, "sluice_runtime.providers.alpaca.preflight", None)
    alpaca = {"credentialsSecretRef": {"name": "alpaca"}}
    spec = job_spec(provider="alpaca", alpaca=alpaca)
    assert spec.alpaca is not None
    mount = EnvironmentCredentialsReader(spec.alpaca, Credentials("key", SECRET))
    [found] = AccountCheck(spec, mount, rest_endpoints(spec.alpaca, None, None)).run_checks()
    assert (found.good, "this image has no alpaca-py" in found.words) == (False, True)


async def test_the_preflight_uses_the_proxy_and_names_it_when_it_fails(
    server: AlpacaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("APCA_API_BASE_URL", "APCA_API_DATA_URL"):
        monkeypatch.setenv(name, server.http_url.replace("127.0.0.1", "alpaca.example"))
    proxy = ConnectProxy(credentials="me:p@ss")
    proxy.hosts["alpaca.example"] = "127.0.0.1"
    async with proxy.listening() as address:
        for password in ("p%40ss", "other"):
            monkeypatch.setenv("HTTP_PROXY", address.replace("://", f"://me:{password}@"))
            found = await run_preflight_process(SYMBOLS)
            assert all(each.good for each in found) is (password == "p%40ss"), found
        assert {each.partition("://")[2].partition(":")[0] for each in proxy.asked} == {"alpaca.example"}
        for name in ("APCA_API_BASE_URL", "APCA_API_DATA_URL"):
            monkeypatch.setenv(name, "https://alpaca.example")
        monkeypatch.setenv("HTTPS_PROXY", address.replace("://", "://me:other@"))
        words = (await run_preflight_process(SYMBOLS))[0].words
        assert f"the proxy {address} (HTTPS_PROXY) refuses the connection (HTTP 407); check the user and the" in words
        assert "other" not in words
        monkeypatch.setenv("NO_PROXY", "example")
        assert "proxy" not in (await run_preflight_process(SYMBOLS))[0].words
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:other@127.0.0.1")
    [finding] = await run_preflight_process(SYMBOLS)
    assert (finding.question, finding.good) == ("proxy", False)
    assert "HTTPS_PROXY is not the URL of an HTTP proxy" in finding.words
