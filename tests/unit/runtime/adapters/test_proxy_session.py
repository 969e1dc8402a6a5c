"""The proxies of a request of the library requests. tests/integration has the connections."""

import pytest
import requests

from sluice_runtime.adapters.proxy_session import ProxySession
from support.proxy_variables import remove_proxy_variables


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    remove_proxy_variables(monkeypatch)
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


def test_a_request_without_a_time_limit_gets_one(environment: pytest.MonkeyPatch) -> None:
    limits: list[object] = []

    def send(_session: object, _request: object, **options: object) -> requests.Response:
        limits.append(options["timeout"])
        return requests.Response()

    environment.setattr(requests.Session, "send", send)
    with ProxySession() as session:
        for given in ({}, {"timeout": None}, {"timeout": 3.0}):
            session.send(requests.PreparedRequest(), **given)
    assert limits == [15.0, 15.0, 3.0]
