"""The server that a URL names."""

from __future__ import annotations

import pytest

from sluice_contract.provider_urls import Server, server_of_url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("wss://stream.example.com/v2/iex", Server("wss", "stream.example.com", 443)),
        ("ws://stream.example.com", Server("ws", "stream.example.com", 80)),
        ("https://data.example.com:8443/x?a=@b#c", Server("https", "data.example.com", 8443)),
        ("http://data.example.com#@other.example", Server("http", "data.example.com", 80)),
        ("wss://STREAM.Example.com.:443/", Server("wss", "stream.example.com", 443)),
        ("wss://user:pa%20ss@stream.example.com", Server("wss", "stream.example.com", 443)),
        ("wss://[2001:DB8::0:1]:99/x", Server("wss", "2001:db8::1", 99)),
        ("ws://127.0.0.1:8080/v2/iex", Server("ws", "127.0.0.1", 8080)),
        ("ws://2130706433", Server("ws", "2130706433", 80)),
        ("wss://xn--bcher-kva.example", Server("wss", "xn--bcher-kva.example", 443)),
    ],
)
def test_a_url_names_the_server_that_every_client_connects_to(url: str, server: Server) -> None:
    assert server_of_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "wss://",
        "WSS://a.example",
        "ftp://a.example",
        "tcp://a.example:1",
        "//a.example",
        "wss://a.example:0",
        "wss://a.example:65536",
        "wss://a.example:",
        "wss://a.example:8x",
        "wss://a..example",
        "wss://.a.example",
        "wss://a.example..",
        "wss://a%2eexample",
        "wss://a.example\\@b.example",
        "wss://a.example@b.example@c.example",
        "wss://a/b@c.example@d.example:x\n",
        "wss://a example",
        "wss://a.example\t/x",
        "wss://bücher.example",
        "wss://[::1",
        "wss://[fe80::1%25eth0]/",
        "wss://[1::2::3]/",
        "wss://a.example/é",
        "wss:///a.example",
        "wss:a.example",
    ],
)
def test_a_url_that_clients_may_read_differently_names_no_server(url: str) -> None:
    assert server_of_url(url) is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("wss://a.example:443/x", "wss://a.example"),
        ("https://u:secret@a.example:8443", "https://a.example:8443"),
        ("ws://[::1]", "ws://[::1]"),
    ],
)
def test_the_address_of_a_server_has_no_credentials_no_path_and_no_default_port(url: str, address: str) -> None:
    server = server_of_url(url)
    assert server is not None
    assert server.address == address


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("ws://127.0.0.1:1", True),
        ("ws://127.9.9.9", True),
        ("ws://[::1]", True),
        ("ws://localhost", True),
        ("ws://10.0.0.1", False),
        ("ws://localhost.example.com", False),
    ],
)
def test_only_loopback_is_this_machine(url: str, is_local: bool) -> None:
    server = server_of_url(url)
    assert server is not None
    assert (server.is_this_machine, server.is_encrypted) == (is_local, False)
