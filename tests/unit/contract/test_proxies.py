"""HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY: one meaning for every client."""

from __future__ import annotations

import pytest

from sluice_contract.proxies import is_proxy_variable, parse_proxy, proxy_settings

PROXY = "http://proxy.example:3128"
STREAM = "wss://stream.data.alpaca.markets/v2/iex"


def _address_for(url: str, **environment: str) -> str | None:
    found = proxy_settings(environment).proxy_for_url(url)
    return None if found is None else found.address


@pytest.mark.parametrize(
    ("url", "environment", "address"),
    [
        (STREAM, {"HTTPS_PROXY": PROXY}, PROXY),
        (STREAM, {"https_proxy": PROXY}, PROXY),
        (STREAM, {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "http://a:1"),
        (STREAM, {"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        (STREAM, {"HTTP_PROXY": PROXY}, None),
        (STREAM, {"ALL_PROXY": PROXY}, PROXY),
        (STREAM, {}, None),
        ("https://data.alpaca.markets/v2", {"HTTPS_PROXY": PROXY}, PROXY),
        ("http://data.example/v2", {"HTTPS_PROXY": PROXY}, None),
        ("http://data.example/v2", {"HTTP_PROXY": PROXY}, PROXY),
        ("ws://data.example/v2", {"HTTPS_PROXY": PROXY, "HTTP_PROXY": "http://other:1"}, PROXY),
        ("ws://data.example/v2", {"HTTP_PROXY": PROXY}, PROXY),
        ("grpc://firestore.googleapis.com:443", {"HTTPS_PROXY": PROXY}, PROXY),
        ("ftp://data.example", {"ALL_PROXY": PROXY}, None),
        ("https://[::1", {"ALL_PROXY": PROXY}, None),
    ],
)
def test_the_proxy_of_a_url_is_that_of_its_scheme(url: str, environment: dict[str, str], address: str | None) -> None:
    assert _address_for(url, **environment) == address


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("*", STREAM, True),
        ("example.com,*", STREAM, True),
        ("alpaca.markets", STREAM, True),
        (".alpaca.markets", STREAM, True),
        ("*.alpaca.markets", STREAM, True),
        ("ALPACA.Markets.", STREAM, True),
        ("a.example stream.data.alpaca.markets", STREAM, True),
        ("markets", STREAM, True),
        ("paca.markets", STREAM, False),
        ("data.alpaca.markets.evil", STREAM, False),
        ("stream.data.alpaca.markets:443", STREAM, True),
        ("stream.data.alpaca.markets:8443", STREAM, False),
        ("alpaca.markets:443", STREAM, True),
        ("alpaca.markets", "wss://alpaca.markets/", True),
        (".alpaca.markets", "wss://alpaca.markets/", True),
        ("10.1.2.3", "https://10.1.2.3/", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443/", True),
        ("10.1.2.3:8443", "https://10.1.2.3/", False),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3/8", "https://10.9.9.9/", True),
        ("10", "https://10.1.2.10/", False),
        ("2.10", "https://10.1.2.10/", False),
        ("fd00::/8", "https://[fd00::5]:8443/", True),
        ("fd00::5", "https://[fd00::5]/", True),
        ("[fd00::5]", "https://[fd00:0:0::5]/", True),
        ("[fd00::5]:8443", "https://[fd00::5]:8443/", True),
        ("[fd00::5]:8443", "https://[fd00::5]/", False),
        ("10.1.2.3", "https://[::ffff:10.1.2.3]/", True),
        (" , ,", STREAM, False),
        (".", STREAM, False),
        ("300.1.1.1/8", STREAM, False),
    ],
)
def test_no_proxy_lists_domains_addresses_and_networks(no_proxy: str, url: str, is_direct: bool) -> None:
    assert (_address_for(url, HTTPS_PROXY=PROXY, NO_PROXY=no_proxy) is None) is is_direct
    assert (_address_for(url, https_proxy=PROXY, no_proxy=no_proxy) is None) is is_direct


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.1",
        "[::1]",
        "localhost",
        "LOCALHOST.",
        "api.localhost",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "[fe80::1%25eth0]",
        "metadata.google.internal",
        "metadata.google.internal.",
    ],
)
def test_this_machine_and_the_metadata_server_are_always_direct(host: str) -> None:
    for scheme in ("https", "http", "wss", "ws", "grpc"):
        assert _address_for(f"{scheme}://{host}:8080/", ALL_PROXY=PROXY, HTTPS_PROXY=PROXY) is None


def test_a_metadata_server_that_a_variable_names_is_direct() -> None:
    environment = {"HTTP_PROXY": PROXY, "GCE_METADATA_HOST": "10.5.5.5:8181", "GCE_METADATA_IP": "10.6.6.6"}
    assert _address_for("http://10.5.5.5:8181/computeMetadata", **environment) is None
    assert _address_for("http://10.6.6.6/", **environment) is None
    assert _address_for("http://10.7.7.7/", **environment) == PROXY


@pytest.mark.parametrize(
    ("value", "address", "credentials"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", ("", "")),
        (" HTTP://Proxy.Example:3128/ ", "http://proxy.example:3128", ("", "")),
        ("proxy.example:3128", "http://proxy.example:3128", ("", "")),
        ("https://proxy.example", "https://proxy.example:443", ("", "")),
        ("http://proxy.example", "http://proxy.example:80", ("", "")),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128", ("", "")),
        ("http://me:secret@proxy.example:3128", "http://proxy.example:3128", ("me", "secret")),
        ("me:secret@proxy.example:3128", "http://proxy.example:3128", ("me", "secret")),
        ("http://me:p%40ss%2Fword@proxy.example:3128", "http://proxy.example:3128", ("me", "p@ss/word")),
        ("http://me:p@ss/w#?d@proxy.example:3128", "http://proxy.example:3128", ("me", "p@ss/w#?d")),
        ("http://me@proxy.example:3128", "http://proxy.example:3128", ("me", "")),
    ],
)
def test_the_url_of_a_proxy_is_read_as_people_write_it(value: str, address: str, credentials: tuple[str, str]) -> None:
    found = parse_proxy(value, "HTTPS_PROXY")
    assert (found.address, (found.user, found.password)) == (address, credentials)
    if credentials[1]:
        assert credentials[1] not in repr(found) + found.address + str(found)
        again = parse_proxy(found.url_with_credentials, "HTTPS_PROXY")
        assert (again.user, again.password) == credentials


@pytest.mark.parametrize(
    "value",
    [
        "socks5://me:secret@proxy:1080",
        "ftp://me:secret@proxy",
        "http://me:secret@",
        "http://me:secret@proxy:port",
        "http://me:secret@proxy:99999",
        "http://me:secret@proxy:3128/path",
        "http://me:secret@[::1",
        "http://me:secret@two words:1",
    ],
)
def test_a_value_that_is_no_proxy_is_refused_with_what_to_write_and_without_its_password(value: str) -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY is not the URL of an HTTP proxy; write it like http://") as error:
        proxy_settings({"HTTPS_PROXY": value})
    assert "secret" not in str(error.value)


def test_the_names_of_the_variables_are_known_in_every_letter_case() -> None:
    assert all(is_proxy_variable(name) for name in ("HTTPS_PROXY", "https_proxy", "No_Proxy", "ALL_PROXY"))
    assert not is_proxy_variable("LOG_LEVEL")
