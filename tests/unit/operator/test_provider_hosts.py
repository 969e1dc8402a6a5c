"""The hosts to which a job may send credentials, and the gateways that it may connect to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.provider_urls import server_of_url
from sluice_contract.spec import IngestJobSpec
from sluice_operator.domain.provider_hosts import (
    DEFAULT_PROVIDER_HOSTS,
    denied_provider_hosts,
    is_host_of_namespace,
    parse_provider_hosts,
)

SECRET = {"credentialsSecretRef": {"name": "alpaca"}}


def spec(**fields: Any) -> IngestJobSpec:
    return msgspec.convert({"tenant": "acme", "provider": "alpaca", "symbols": ["SPY"], **fields}, IngestJobSpec)


def denied(hosts: str, **alpaca: Any) -> str:
    """Return the message about a job of provider alpaca; empty if it is allowed."""
    found = next(denied_provider_hosts(spec(alpaca={**SECRET, **alpaca}), "acme", parse_provider_hosts(hosts)), None)
    return found.message if found is not None else ""


def denied_gateway(host: str, hosts: str = "*.alpaca.markets", port: int = 4002) -> str:
    job = spec(provider="ibkr", ibkr={"host": host, "port": port})
    found = next(denied_provider_hosts(job, "acme", parse_provider_hosts(hosts)), None)
    return found.message if found is not None else ""


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        (
            "*.alpaca.markets",
            ["wss://stream.data.alpaca.markets/v2/iex", "https://DATA.alpaca.markets.:443"],
            [
                "ws://stream.data.alpaca.markets",
                "http://data.alpaca.markets",
                "wss://alpaca.markets",
                "wss://evilalpaca.markets",
                "wss://a.alpaca.markets.evil.example",
                "wss://a.alpaca.markets:8443",
            ],
        ),
        ("Stream.Example.com", ["wss://stream.example.com", "https://stream.example.com"], ["wss://a.stream.example.com"]),
        ("a.example:8443", ["wss://a.example:8443", "https://a.example:8443"], ["wss://a.example", "ws://a.example:8443"]),
        ("a.example:*", ["wss://a.example:8443", "wss://a.example"], ["ws://a.example:8443"]),
        ("ws://127.0.0.1:*", ["ws://127.0.0.1:1", "ws://127.0.0.1"], ["wss://127.0.0.1:1", "ws://127.0.0.2:1", "ws://127.1:1"]),
        ("ws://*.svc", ["ws://a.b.svc"], ["ws://a.b.svc:8080", "http://a.b.svc", "ws://a.b.svc.cluster.local"]),
        ("http://[::1]:80", ["http://[0:0::1]"], ["http://[::2]"]),
        ("ws://*:*", ["ws://anything:9", "ws://[::1]:9", "ws://2130706433"], ["wss://anything:9"]),
    ],
)  # fmt: skip
def test_an_entry_allows_exactly_its_schemes_hosts_and_ports(
    entry: str, allowed: list[str], refused: list[str]
) -> None:
    [host] = parse_provider_hosts(entry)
    servers = {url: server_of_url(url) for url in allowed + refused}
    assert [url for url, server in servers.items() if server is not None and host.allows(server)] == allowed


def test_entries_are_separated_by_commas_and_spaces() -> None:
    assert [each.text for each in parse_provider_hosts(" a.example,\n b.example:1 ,, ")] == ["a.example", "b.example:1"]
    assert parse_provider_hosts(" , ") == ()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("https//a", "write it like"),
        ("ftp://a.example", "write it like"),
        ("a.*.example", "write it like"),
        ("*example.com", "write it like"),
        ("*.", "write it like"),
        ("*.0.0.1", "write it like"),
        ("a..b", "write it like"),
        ("a.example/path", "write it like"),
        ("user@a.example", "write it like"),
        ("[::1", "write it like"),
        ("[1::2::3]", "write it like"),
        ("a.example:0", "write a port from 1 to 65535"),
        ("a.example:99999", "write a port from 1 to 65535"),
        ("tcp://a.example", "without a port: add one"),
    ],
)
def test_a_malformed_entry_is_named_with_what_to_write(entry: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="SLUICE_PROVIDER_HOSTS has the entry") as error:
        parse_provider_hosts(f"a.example,{entry}")
    assert repr(entry) in str(error.value)
    assert sentence in str(error.value)


def test_by_default_a_job_reaches_alpaca_and_no_other_host() -> None:
    assert next(denied_provider_hosts(spec(alpaca=SECRET), "acme", DEFAULT_PROVIDER_HOSTS), None) is None
    assert denied("*.alpaca.markets", streamURL="wss://evil.example/v2/iex") == (
        "spec.alpaca.streamURL would send the credentials to wss://evil.example, which the platform does not allow. "
        "Use an allowed host (*.alpaca.markets; without a scheme only wss and https), or ask the administrator of the "
        "platform to add wss://evil.example to SLUICE_PROVIDER_HOSTS."
    )


@pytest.mark.parametrize("field", ["dataURL", "tradingURL"])
def test_each_rest_url_is_checked(field: str) -> None:
    urls = {"streamURL": "wss://a.alpaca.markets", field: "http://data.alpaca.markets"}
    message = denied("*.alpaca.markets", **urls)
    assert message.startswith(
        f"spec.alpaca.{field} would send the credentials to http://data.alpaca.markets in clear text,"
    )


def test_alpaca_s_own_servers_are_checked_too() -> None:
    message = denied("stream.data.alpaca.markets,data.alpaca.markets")
    assert message.startswith("spec.alpaca.tradingURL is absent, so the job would send its credentials to https://api.")


def test_the_message_shows_no_part_of_a_url_but_the_server() -> None:
    message = denied("*.alpaca.markets", streamURL="wss://me:hunter2@evil.example/path?token=abc#frag")
    assert "wss://evil.example," in message
    assert not any(part in message for part in ("hunter2", "me:", "path", "abc", "frag"))


def test_a_url_that_clients_may_read_differently_is_denied_although_every_host_is_allowed() -> None:
    message = denied("*:*", streamURL="wss://a.alpaca.markets\\@evil.example")
    assert message.startswith("spec.alpaca.streamURL does not name a server in a form that Sluice can compare")


def test_a_long_list_of_allowed_hosts_is_cut_in_the_message() -> None:
    message = denied(",".join(f"h{n}.example" for n in range(8)), streamURL="wss://evil.example")
    assert "(h0.example, h1.example, h2.example, h3.example, h4.example and 3 more; " in message


@pytest.mark.parametrize(
    "fields",
    [
        {"provider": "synthetic"},
        {"dryRun": True},
        {"dryRun": True, "alpaca": {"streamURL": "ws://evil.example"}},
        {"provider": "replay", "replay": {"tape": {"configMapRef": {"name": "tape"}}}},
    ],
    ids=["synthetic", "dry run", "dry run with a URL", "replay"],
)
def test_a_job_without_credentials_is_not_restricted(fields: dict[str, Any]) -> None:
    assert next(denied_provider_hosts(spec(**fields), "acme", DEFAULT_PROVIDER_HOSTS), None) is None


def test_a_dry_run_with_credentials_is_restricted() -> None:
    job = spec(dryRun=True, alpaca={**SECRET, "streamURL": "ws://evil.example"})
    assert next(denied_provider_hosts(job, "acme", DEFAULT_PROVIDER_HOSTS), None) is not None


@pytest.mark.parametrize(
    "host",
    [
        "gateway",
        "Gateway",
        "gateway.acme",
        "gateway.acme.svc",
        "gateway.acme.svc.cluster.local",
        "gateway-0.gateway.acme.svc",
        "g0.gateway.acme.svc.cluster.local",
    ],
)
def test_a_gateway_of_the_job_s_namespace_is_allowed(host: str) -> None:
    assert is_host_of_namespace(host, "acme")
    assert denied_gateway(host) == ""


@pytest.mark.parametrize(
    "host",
    [
        "gateway.beta",
        "gateway.beta.svc",
        "gateway.beta.svc.cluster.local",
        "gateway.xacme.svc",
        "acme.svc",
        "gateway.acme.svc.evil.example",
        "gateway.acme.cluster.local.example",
        "127.0.0.1",
        "10.0.0.7",
        "2130706433",
        "0x7f000001",
        "127.acme",
        "::1",
        "a:b",
        "gateway.acme.svc..cluster.local",
    ],
)
def test_any_other_host_of_a_gateway_is_denied(host: str) -> None:
    assert denied_gateway(host).startswith(f"spec.ibkr.host is {host}, which is not a host of namespace acme. Name the")


def test_a_name_with_a_dot_at_its_end_is_not_searched_in_the_namespace() -> None:
    assert not is_host_of_namespace("gateway.", "acme")


def test_a_numeric_name_of_a_numeric_namespace_is_no_host_of_it() -> None:
    assert not is_host_of_namespace("127.123", "123")


@pytest.mark.parametrize(
    ("host", "port", "hosts", "is_allowed"),
    [
        ("10.0.0.7", 4002, "tcp://10.0.0.7:4002", True),
        ("10.0.0.7", 4001, "tcp://10.0.0.7:4002", False),
        ("gateway.beta.svc", 4001, "tcp://*.beta.svc:*", True),
        ("::1", 4002, "tcp://[::1]:*", True),
        ("10.0.0.7", 443, "10.0.0.7", False),
    ],
)
def test_the_list_allows_other_gateways(host: str, port: int, hosts: str, is_allowed: bool) -> None:
    assert (denied_gateway(host, hosts, port) == "") == is_allowed


def test_the_message_about_a_gateway_says_what_to_ask_for() -> None:
    assert denied_gateway("10.0.0.7").endswith(
        "Name the Service of a gateway in this namespace, such as gateway.acme.svc, or ask the administrator of the "
        "platform to add tcp://10.0.0.7:4002 to SLUICE_PROVIDER_HOSTS."
    )
    assert denied_gateway("a:b").endswith("such as gateway.acme.svc.")
