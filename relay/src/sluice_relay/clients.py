"""The clients that may connect: their keys and secrets, what they may read, and how many symbols."""

from __future__ import annotations

import hmac
from typing import Annotated, Final

import msgspec
import yaml

from .protocol.messages import ProtocolError

_ANY: Final = "any"


class ClientsError(ValueError):
    """A text does not declare clients. The message says what to do, and quotes nothing of the text."""


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key pair, and what it may read: the feeds of these jobs of a tenant.

    `symbols` is the most symbols of quotes and of trades, together, over all connections of the key to this server;
    None means any number.
    """

    key: Annotated[str, msgspec.Meta(min_length=1)]
    secret: Annotated[str, msgspec.Meta(min_length=1)]
    tenant: str = ""
    symbols: Annotated[int, msgspec.Meta(ge=1)] | None = None
    jobs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Client(key={self.key!r}, tenant={self.tenant!r}, jobs={self.jobs!r})"


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    clients: list[Client]


class ClientDirectory:
    """The clients by their key. It is replaced as a whole when their file changes."""

    def __init__(self, clients: dict[str, Client] | None) -> None:
        """None accepts every key and secret, which is for a server that only this machine can reach."""
        self._clients = clients

    def replace_clients(self, clients: dict[str, Client]) -> None:
        """Accept these clients from now on, and no others."""
        self._clients = clients

    def authenticate(self, key: str, secret: str) -> Client:
        """Return the client.

        Raises:
            ProtocolError: 402, because the key is unknown or the secret is wrong.
        """
        if self._clients is None:
            return Client(key=key or _ANY, secret=secret or _ANY)
        client = self._clients.get(key)
        # A comparison also for an unknown key, so that the time of the answer does not tell which keys exist.
        is_right = hmac.compare_digest((client.secret if client else _ANY).encode(), secret.encode())
        if client is None or not is_right:
            raise ProtocolError(402)
        return client

    def has_key(self, key: str) -> bool:
        """Return whether a client has this key, with any secret."""
        return self._clients is None or key in self._clients

    def is_current(self, client: Client) -> bool:
        """Return whether the client may stay connected: it is still declared, and in the same way."""
        return self._clients is None or self._clients.get(client.key) == client


def parse_clients(text: str) -> dict[str, Client]:
    """Return the clients of a YAML or JSON document by their key: `clients: [{key: ..., secret: ...}]`.

    Raises:
        ClientsError: the text is not such a document, or two clients have the same key.
    """
    try:
        document = msgspec.convert(yaml.safe_load(text), _Document)
    except yaml.YAMLError:
        raise ClientsError("it is not YAML; write clients: and below it a list of key, secret, tenant, jobs") from None
    except msgspec.ValidationError as error:
        raise ClientsError(f"{error}; write clients: and below it a list of key, secret, tenant, jobs") from None
    found = {client.key: client for client in document.clients}
    if len(found) != len(document.clients):
        raise ClientsError("two clients have the same key; give each client its own")
    return found
