"""A plan compares the same hosts as the operator."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_cli.model.plan.servers import host_of_url, is_host_of_namespace, normal_host, servers_of_job
from sluice_contract.provider_urls import normal_host as normal_host_of_contract
from sluice_contract.provider_urls import server_of_url
from sluice_contract.resource import decode_ingest_job
from sluice_operator.domain.provider_hosts import is_host_of_namespace as is_host_of_namespace_by_operator

HOSTS = [
    "Example.COM", "example.com.", "[2001:DB8::1]", "::1", "[bad]", "a..b", "", "10.0.0.1", "gw", "gw.acme", "gw.beta",
    "gw.acme.svc", "x.gw.acme.svc.cluster.local", "127.1", "gw.acme.example.com",
]  # fmt: skip
URLS = [
    "wss://stream.example.com/v2", "wss://user@Host:8443", "https://a.b:99999", "https://a.b:0", "ws://[::1]:80/x",
    "http://a%2eb", "nonsense", "https://a\\b",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_read_as_the_operator_reads_it(host: str) -> None:
    assert normal_host(host) == normal_host_of_contract(host)
    assert is_host_of_namespace(host, "acme") == is_host_of_namespace_by_operator(host, "acme")


@pytest.mark.parametrize("url", URLS)
def test_the_host_of_a_url_is_that_of_the_contract(url: str) -> None:
    server = server_of_url(url)
    assert host_of_url(url) == (server.host if server is not None else "")


CREDENTIALS = {"credentialsSecretRef": {"name": "a"}}
URL_FIELDS = {
    "streamURL": "wss://s.example.com",
    "dataURL": "https://d.example.com",
    "tradingURL": "https://t.example.com",
}


@pytest.mark.parametrize("number", range(8))
def test_the_servers_that_get_credentials_are_those_of_the_contract(number: int) -> None:
    chosen = {name: url for bit, (name, url) in enumerate(URL_FIELDS.items()) if number >> bit & 1}
    spec: dict[str, Any] = {"tenant": "acme", "provider": "alpaca", "symbols": ["SPY"], "alpaca": CREDENTIALS | chosen}
    job = decode_ingest_job({"metadata": {"namespace": "acme", "name": "x"}, "spec": spec})
    assert job.spec.alpaca is not None
    expected = [
        (each.field, getattr(server_of_url(each.url), "host", "")) for each in job.spec.alpaca.credentials_urls()
    ]
    assert [(each.field, each.host) for each in servers_of_job(spec)] == expected


def test_a_job_without_credentials_has_no_server_and_a_gateway_is_one() -> None:
    assert list(servers_of_job({"provider": "alpaca", "alpaca": {"feed": "iex"}})) == []
    [gateway] = servers_of_job({"provider": "ibkr", "ibkr": {"host": "GW.example.com"}})
    assert (gateway.field, gateway.host, gateway.is_gateway) == ("spec.ibkr.host", "gw.example.com", True)
