"""The hosts to which a job may send the credentials of its provider, and the gateways that it may connect to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sluice_contract.provider_block import GatewayAddress
from sluice_contract.provider_urls import (
    DEFAULT_PORTS,
    ENCRYPTED_SCHEMES,
    CredentialsURL,
    Server,
    normal_host,
    server_of_url,
)
from sluice_contract.providers import DEFAULT_HOST_ENTRIES
from sluice_contract.spec import IngestJobSpec

from .denials import Denial, allowed_entries_text, entries_of_setting, request_text

VARIABLE: Final = "SLUICE_PROVIDER_HOSTS"
GATEWAY_SCHEME: Final = "tcp"  # of a server that has neither TLS nor a login

_ENTRY = re.compile(
    r"(?:(?P<scheme>wss?|https?|tcp)://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|\*|(?:\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(?P<port>\*|[0-9]{1,5}))?"
)
_NUMERIC_LABEL = re.compile(r"0x[0-9a-f]*|[0-9]+")
# A name that starts with a letter is never an address: resolvers read 2130706433 and 127.1 as 127.0.0.1.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class ProviderHost(msgspec.Struct, frozen=True):
    """An entry of SLUICE_PROVIDER_HOSTS: the schemes, hosts and ports that it allows."""

    text: str  # the entry as it is written
    schemes: tuple[str, ...]
    host: str  # *: any host; *.NAME: any host below NAME
    port: int | None  # None: the default port of the scheme
    allows_any_port: bool = False

    def allows(self, server: Server) -> bool:
        """Return whether the entry allows a connection to this server."""
        return server.scheme in self.schemes and self._allows_host(server.host) and self._allows_port(server)

    def _allows_host(self, host: str) -> bool:
        return self.host in ("*", host) or (self.host.startswith("*.") and host.endswith(self.host[1:]))

    def _allows_port(self, server: Server) -> bool:
        allowed = DEFAULT_PORTS.get(server.scheme) if self.port is None else self.port
        return self.allows_any_port or server.port == allowed


def parse_provider_hosts(text: str) -> tuple[ProviderHost, ...]:
    """Return the entries of a text, which are separated by commas or spaces.

    Raises:
        ValueError: an entry is malformed. The message names it and says how to write it.
    """
    return tuple(map(_parse_entry, entries_of_setting(text)))


def _parse_entry(entry: str) -> ProviderHost:
    found = _ENTRY.fullmatch(entry)
    host = _entry_host(found["host"]) if found is not None else ""
    if found is None or not host:
        raise ValueError(
            f"{VARIABLE} has the entry {entry!r}: write it like *.example.com, wss://stream.example.com:8443 or "
            "ws://127.0.0.1:*"
        )
    scheme, port = found["scheme"], found["port"]
    if scheme == GATEWAY_SCHEME and port is None:
        raise ValueError(f"{VARIABLE} has the entry {entry!r} without a port: add one, such as :4002, or :* for any")
    number = int(port) if port not in (None, "*") else None
    if number is not None and not 1 <= number <= 65_535:
        raise ValueError(f"{VARIABLE} has the entry {entry!r}: write a port from 1 to 65535, or * for any port")
    return ProviderHost(entry, (scheme,) if scheme else ENCRYPTED_SCHEMES, host, number, allows_any_port=port == "*")


def _entry_host(host: str) -> str:
    """Return the host of an entry in its normal form; empty if it is malformed, or a wildcard before an address."""
    if not host.startswith("*."):
        return normal_host(host)
    name = normal_host(host[2:])
    return f"*.{name}" if name and not _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]) else ""


DEFAULT_PROVIDER_HOSTS: Final = parse_provider_hosts(",".join(DEFAULT_HOST_ENTRIES))


def denied_provider_hosts(spec: IngestJobSpec, namespace: str, hosts: tuple[ProviderHost, ...]) -> Iterator[Denial]:
    """Yield each host that the job would connect to and the platform does not allow.

    A job without credentials of a provider, and without a gateway, connects to no host that it names.
    """
    block = spec.provider_block
    if block is None:
        return
    if block.credentials is not None:
        yield from _denied_urls(block.credentials_urls(), hosts)
    if block.gateway is not None:
        yield from _denied_gateway(block.gateway, namespace, hosts)


def _denied_urls(urls: Iterable[CredentialsURL], hosts: tuple[ProviderHost, ...]) -> Iterator[Denial]:
    for each in urls:
        server = server_of_url(each.url)
        if server is None:
            yield Denial(
                each.field,
                f"{each.field} does not name a server in a form that Sluice can compare with the allowed hosts: write "
                "it like wss://stream.example.com/v2/iex or https://data.example.com, without percent signs and "
                "backslashes before the path.",
            )
        elif not any(host.allows(server) for host in hosts):
            yield Denial(each.field, _denied_url_message(each, server, hosts))


def _denied_url_message(denied: CredentialsURL, server: Server, hosts: tuple[ProviderHost, ...]) -> str:
    if denied.is_default:
        start = f"{denied.field} is absent, so the job would send its credentials to {server.address}"
    else:
        start = f"{denied.field} would send the credentials to {server.address}"
    clear = "" if server.is_encrypted else " in clear text"
    allowed = allowed_entries_text(tuple(host.text for host in hosts))
    return (
        f"{start}{clear}, which the platform does not allow. Use an allowed host ({allowed}; without a scheme only wss "
        f"and https), or {request_text(server.address, VARIABLE)}."
    )


def _denied_gateway(gateway: GatewayAddress, namespace: str, hosts: tuple[ProviderHost, ...]) -> Iterator[Denial]:
    server = Server(GATEWAY_SCHEME, normal_host(gateway.host), gateway.port)
    if is_host_of_namespace(gateway.host, namespace) or any(each.allows(server) for each in hosts):
        return
    request = f", or {request_text(server.address, VARIABLE)}" if server.host else ""
    yield Denial(
        gateway.field,
        f"{gateway.field} is {gateway.host}, which is not a host of namespace {namespace}. Name the Service of a "
        f"gateway in this namespace, such as gateway.{namespace}.svc{request}.",
    )


def is_host_of_namespace(host: str, namespace: str) -> bool:
    """Return whether a host is a name of the cluster's DNS in this namespace.

    These are NAME, NAME.NAMESPACE, and every name below NAMESPACE.svc, also with cluster.local at its end.
    """
    name = host.lower()
    if not _NAME.fullmatch(name):
        return False
    short = name.removesuffix(".cluster.local")
    if short.endswith(f".{namespace}.svc"):
        return True
    return name.partition(".")[2] in ("", namespace)
