"""Keys, the machine's identity, and their tokens, by Google's libraries.

An emulator needs none of them. Loading cryptography or requests takes some 0.1 s: import this module, and call its
functions, in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import google.auth
import grpc
from google.auth import transport
from google.auth.credentials import Credentials, with_scopes_if_required
from google.auth.transport.grpc import AuthMetadataPlugin
from google.oauth2 import service_account

from .credentials import FIRESTORE_HOST
from .token_requests import TokenRequest

SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/datastore")


def credentials_of_key(fields: Mapping[str, Any]) -> service_account.Credentials:
    """Return the credentials of a service account key.

    Raises:
        Exception: the fields are not those of a key.
    """
    found: service_account.Credentials = service_account.Credentials.from_service_account_info(fields)  # type: ignore[no-untyped-call]
    return found


def find_machine_identity() -> tuple[Credentials, str | None]:
    """Return the application default credentials, and their project if they name one. This may use the network.

    Raises:
        Exception: there are none.
    """
    identity, project = google.auth.default(SCOPES, request=token_request(None))
    return identity, project


def channel_credentials(credentials: Credentials | None) -> grpc.ChannelCredentials:
    """Return the credentials of a channel that requests its tokens through the same proxies.

    Google's own create_channel would request them with the proxies that `requests` reads from the environment.
    """
    tokens = AuthMetadataPlugin(scoped(credentials), token_request(credentials), default_host=FIRESTORE_HOST)
    return grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), grpc.metadata_call_credentials(tokens))


def token_request(credentials: Credentials | None) -> transport.Request:
    """Return what sends the requests for the tokens of `credentials`; for None, of an identity that is yet to be found.

    A key needs only urllib3. The credentials of a metadata server load the package requests themselves, and may set the
    session of its request.
    """
    # isinstance would load the module of keys for every identity.
    if type(credentials).__module__ == service_account.__name__:
        return TokenRequest()
    from google.auth.transport.requests import Request  # noqa: PLC0415  a key does without

    from .token_session import TokenSession  # noqa: PLC0415  a key does without

    return Request(TokenSession())


def scoped(credentials: Credentials | None) -> Any:
    """Return the credentials with the scopes that Firestore needs."""
    return with_scopes_if_required(credentials, SCOPES)
