"""The proxies of a request of the library requests. tests/integration has the connections."""

import pytest
import requests

from sluice_contract.proxies import VARIABLES
from sluice_runtime.adapters.proxy_session import ProxySession


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def _proxies(url: str) -> object:
    with ProxySession() as session:
        return session.merge_environment_settings(url, {}, None, None, None)["proxies"]


def test_a_request_uses_sluice_s_choice_of_proxies(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    environment.setenv("HTTP_PROXY", "http://plain.example:3128")
    environment.setenv("NO_PROXY", "10.0.0.0/8,apis.com")
    assert _proxies("https://oauth2.googleapis.com/token") == dict.fromkeys(
        ("http", "https"), "http://me:secret@proxy.example:3128"
    )
    for url in (
        "http://metadata.google.internal/",
        "http://169.254.169.254/",
        "https://10.1.2.3/",
        "https://a.apis.com",
    ):
        assert _proxies(url) == {}


def test_a_redirect_gets_the_proxy_of_its_target(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    environment.setenv("NO_PROXY", "direct.example")
    with ProxySession() as session:
        redirect = requests.Request("GET", "https://direct.example/", {"Proxy-Authorization": "Basic x"}).prepare()
        assert session.rebuild_proxies(redirect, {"https": "http://proxy.example:3128"}) == {}
    assert "Proxy-Authorization" not in redirect.headers


def test_a_request_without_a_time_limit_gets_one(environment: pytest.MonkeyPatch) -> None:
    limits: list[object] = []
    environment.setattr(requests.Session, "send", lambda _, __, **options: limits.append(options["timeout"]))
    with ProxySession() as session:
        for given in ({}, {"timeout": None}, {"timeout": 3.0}):
            session.send(requests.PreparedRequest(), **given)
    assert limits == [15.0, 15.0, 3.0]
