"""Where the server listens, and whether it may do so without TLS."""

from __future__ import annotations

import errno
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path

import msgspec


class ListeningError(ValueError):
    """The server cannot listen as it was asked to. The message says what to do."""


class Address(msgspec.Struct, frozen=True):
    """A host, a port (0: any free one), and the files of a certificate and its key, if the server has TLS."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    allow_insecure: bool = False

    @property
    def is_loopback(self) -> bool:
        """True if only programs on this machine can connect."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, listener: socket.socket) -> str:
        """Return the address of a listener without a path, for clients."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'wss' if self.certificate else 'ws'}://{host}:{listener.getsockname()[1]}"


def create_tls_context(address: Address) -> ssl.SSLContext | None:
    """Return the TLS context, or None for plain ws.

    Raises:
        ListeningError: plain ws beyond this machine was not allowed, or the certificate cannot be used.
    """
    if address.certificate is None:
        if not address.is_loopback and not address.allow_insecure:
            raise ListeningError(
                f"{address.host} can be reached from other machines, which would send secrets without TLS; "
                "give --tls-cert and --tls-key, or --insecure if TLS ends before this server"
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(address.certificate, address.key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or "they do not belong together, or are not PEM"
        raise ListeningError(
            f"{address.certificate} and its key cannot be used ({reason}); check --tls-cert and --tls-key"
        ) from None
    return context


def create_listener(address: Address) -> socket.socket:
    """Return a listening socket.

    Raises:
        ListeningError: the port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListeningError(f"port {address.port} is in use; stop the other program, or choose --port") from None
        if error.errno == errno.EACCES:
            raise ListeningError(f"port {address.port} needs root; choose --port above 1023") from None
        raise ListeningError(f"{address.host} is not an address of this machine; correct --host") from None
