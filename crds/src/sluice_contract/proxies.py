"""Which HTTP proxy a connection uses: one reading of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY for all clients.

Every library reads these variables in its own way, or not at all. Sluice reads them here, and passes each library the
proxy of one URL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")

# The proxy of each scheme: the first variable that is set. A websocket or gRPC connection is a tunnel (CONNECT) even
# without TLS, so HTTPS_PROXY comes first (RFC 6455, section 4.1).
_VARIABLES_OF_SCHEME = {
    "https": ("HTTPS_PROXY", "ALL_PROXY"),
    "wss": ("HTTPS_PROXY", "ALL_PROXY"),
    "ws": ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"),
    "grpc": ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"),
    "http": ("HTTP_PROXY", "ALL_PROXY"),
}
_DEFAULT_PORTS = {"https": 443, "wss": 443, "ws": 80, "grpc": 443, "http": 80}
_SEPARATORS = re.compile(r"[,\s]+")
# Google's metadata server has these names; its addresses are link-local. No proxy can reach another machine's.
_METADATA_HOSTS = ("metadata.google.internal", "metadata")
_METADATA_VARIABLES = ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP proxy. Its repr and its `address` leave out the credentials, so that no log contains them."""

    scheme: str  # http or https: how the client connects to the proxy itself
    host: str
    port: int
    variable: str  # the variable that names the proxy
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.address})"

    @property
    def address(self) -> str:
        """The proxy without credentials, for messages, such as http://proxy.example:3128."""
        return f"{self.scheme}://{self._host_and_port}"

    @property
    def url_with_credentials(self) -> str:
        """The URL for a client library. It contains the password, so it must not be logged."""
        if not self.user:
            return self.address
        return f"{self.scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{self._host_and_port}"

    @property
    def _host_and_port(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class ProxyBypass(msgspec.Struct, frozen=True):
    """One entry of NO_PROXY: a domain, an address or a network, and a port (None: any port)."""

    domain: str = ""
    network: Network | None = None
    port: int | None = None

    def covers(self, host: str, address: Address | None, port: int) -> bool:
        """Return whether the entry covers a host, which is also given as an `address` if it is one."""
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            return address is not None and address.version == self.network.version and address in self.network
        return address is None and (host == self.domain or host.endswith(f".{self.domain}"))


class ProxySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The proxies by the name of their variable, and the hosts that are reached directly."""

    proxies: Mapping[str, Proxy] = {}
    bypasses_all: bool = False
    bypasses: tuple[ProxyBypass, ...] = ()
    direct_hosts: frozenset[str] = frozenset()

    def proxy_for_url(self, url: str) -> Proxy | None:
        """Return the proxy for a URL with the scheme https, http, wss, ws or grpc; None for a direct connection.

        This machine and Google's metadata server are always reached directly. An invalid URL has no proxy: the client
        that uses it reports the mistake.
        """
        parts, port = _split_url(url)
        if parts is None or not parts.hostname or self.is_direct(parts.hostname, port):
            return None
        names = _VARIABLES_OF_SCHEME.get(parts.scheme, ())
        return next((self.proxies[name] for name in names if name in self.proxies), None)

    def is_direct(self, host: str, port: int) -> bool:
        """Return whether a host is reached without a proxy, whatever the scheme."""
        name = _normalized_host(host)
        address = _parse_address(name)
        if self.bypasses_all or name in self.direct_hosts or _is_this_machine_or_link(name, address):
            return True
        return any(entry.covers(name, address, port) for entry in self.bypasses)


def proxy_settings(environment: Mapping[str, str]) -> ProxySettings:
    """Return the proxies that environment variables name. The lower-case name of a variable takes precedence.

    Raises:
        ValueError: a variable does not contain the URL of an HTTP proxy. The message names it, without its value.
    """
    proxies = {
        name: parse_proxy(value, name)
        for name in VARIABLES
        if name != "NO_PROXY" and (value := _value_of(environment, name))
    }
    entries = [each for each in _SEPARATORS.split(_value_of(environment, "NO_PROXY")) if each]
    return ProxySettings(
        proxies=proxies,
        bypasses_all="*" in entries,
        bypasses=tuple(found for each in entries if (found := _parse_bypass(each)) is not None),
        direct_hosts=frozenset(_metadata_hosts(environment)),
    )


def parse_proxy(value: str, variable: str) -> Proxy:
    """Return the proxy that `variable` names. A value without a scheme, such as proxy:3128, is an http:// URL.

    Raises:
        ValueError: the value is not the URL of an HTTP proxy. The message does not contain it: it may have a password.
    """
    wrong = f"{variable} is not the URL of an HTTP proxy; write it like http://proxy.example:3128"
    scheme, separator, rest = value.strip().partition("://")
    scheme, rest = (scheme.lower(), rest) if separator else ("http", value.strip())
    if scheme not in ("http", "https"):
        raise ValueError(f"{wrong} (its scheme must be http or https; SOCKS proxies are not supported)")
    # A password may contain "/", "#" or "?", so the credentials are cut off before the URL is split.
    credentials, _, place = rest.rpartition("@")
    user, _, password = credentials.partition(":")
    try:
        parts = urlsplit(f"{scheme}://{place}")
        port = parts.port or _DEFAULT_PORTS[scheme]
    except ValueError:
        raise ValueError(wrong) from None
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if not parts.hostname or not is_bare or re.search(r"[\s\\]", place):
        raise ValueError(wrong)
    return Proxy(
        scheme=scheme,
        host=parts.hostname,
        port=port,
        variable=variable,
        user=unquote(user),
        password=unquote(password),
    )


def is_proxy_variable(name: str) -> bool:
    """Return whether an environment variable, in any letter case, sets a proxy or an exception to it."""
    return name.upper() in VARIABLES


def _value_of(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.lower(), environment.get(name, "")).removeprefix("\ufeff").strip()


def _metadata_hosts(environment: Mapping[str, str]) -> Iterable[str]:
    yield from _METADATA_HOSTS
    for name in _METADATA_VARIABLES:
        parts, _ = _split_url(f"http://{environment.get(name, '')}")
        if parts is not None and parts.hostname:
            yield _normalized_host(parts.hostname)


def _split_url(url: str) -> tuple[SplitResult | None, int]:
    try:
        parts = urlsplit(url)
        return parts, parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None, 0


def _parse_bypass(entry: str) -> ProxyBypass | None:
    """Return an entry of NO_PROXY; None for `*` and for an entry that covers no host."""
    host, port = entry, None
    if (network := _parse_network(entry)) is not None:
        return ProxyBypass(network=network)
    if found := re.fullmatch(r"(?P<host>\[.*\]|[^:]*):(?P<port>\d{1,5})", entry):
        host, port = found["host"], int(found["port"])
    host = host.strip("[]")
    if (network := _parse_network(host)) is not None:
        return ProxyBypass(network=network, port=port)
    domain = _normalized_host(host.removeprefix("*"))
    return ProxyBypass(domain=domain, port=port) if domain else None


def _normalized_host(host: str) -> str:
    return host.lower().strip("[]").strip(".").partition("%")[0]


def _parse_address(host: str) -> Address | None:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _parse_network(text: str) -> Network | None:
    try:
        if "/" in text:
            return ipaddress.ip_network(text, strict=False)
        address = _parse_address(text)
        return None if address is None else ipaddress.ip_network(address)
    except ValueError:
        return None


def _is_this_machine_or_link(host: str, address: Address | None) -> bool:
    """Return whether a host is this machine (loopback) or on its own link, as a metadata server is."""
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_link_local
