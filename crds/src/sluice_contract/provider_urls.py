"""The servers that get the credentials of a job's provider, and the parts of a URL that identify a server."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

DEFAULT_PORTS: Final = {"wss": 443, "https": 443, "ws": 80, "http": 80}
ENCRYPTED_SCHEMES: Final = ("wss", "https")

# Only what every client library reads in the same way. Percent-encoding, a backslash or a second @ before the path
# could make a library connect to another host than the one that is judged here.
_URL = re.compile(
    r"(?P<scheme>wss?|https?)://(?:[A-Za-z0-9._~!$&'()*+,;=:%-]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:[/?#][!-~]*)?"
)


class Server(msgspec.Struct, frozen=True):
    """The server that a connection is opened to: a scheme, a host in its normal form, and a port."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """The server as text, without the default port of the scheme, such as wss://stream.example.com."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}")

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.scheme in ENCRYPTED_SCHEMES

    @property
    def is_this_machine(self) -> bool:
        """Whether the host is a loopback address or localhost."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class CredentialsURL(msgspec.Struct, frozen=True):
    """A URL to which the runtime sends the credentials, and the field of the spec that sets it."""

    field: str
    url: str
    is_default: bool = False  # the field is absent


def server_of_url(url: str) -> Server | None:
    """Return the server that every client library connects to for this URL; None if libraries may disagree."""
    found = _URL.fullmatch(url)
    host = normal_host(found["host"]) if found is not None else ""
    if found is None or not host:
        return None
    port = int(found["port"] or DEFAULT_PORTS[found["scheme"]])
    return Server(found["scheme"], host, port) if 1 <= port <= 65_535 else None


def normal_host(host: str) -> str:
    """Return a host in lower case, without brackets and without a dot at its end; empty if it is malformed."""
    if host.startswith("[") or ":" in host:
        try:
            return ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]")).compressed
        except ValueError:
            return ""
    name = host.lower().removesuffix(".")
    return name if all(name.split(".")) else ""
