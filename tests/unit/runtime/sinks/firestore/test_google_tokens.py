"""The credentials for the real Firestore. Requests for tokens are tested with a server in test_token_session.py."""

from __future__ import annotations

import google.auth
import grpc
import pytest
from google.auth.credentials import AnonymousCredentials

from sluice_runtime.sinks.firestore.google_tokens import (
    SCOPES,
    channel_credentials,
    credentials_of_key,
    find_machine_identity,
    scoped,
)
from sluice_runtime.sinks.firestore.token_session import TokenSession
from support.service_account_keys import service_account_key


def test_a_key_becomes_credentials_with_firestore_s_scopes() -> None:
    found = credentials_of_key(service_account_key("of-the-key"))
    assert found.project_id == "of-the-key"
    assert "https://www.googleapis.com/auth/datastore" in SCOPES
    assert tuple(scoped(found).scopes) == tuple(SCOPES)


def test_a_file_that_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="client_email"):
        credentials_of_key({"type": "service_account"})


def test_the_machine_s_identity_is_searched_with_our_session(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def find(scopes: object, request: google.auth.transport.requests.Request) -> tuple[AnonymousCredentials, str]:
        asked.append((scopes, type(request.session)))
        return AnonymousCredentials(), "of-the-machine"

    monkeypatch.setattr(google.auth, "default", find)
    assert find_machine_identity()[1] == "of-the-machine"
    assert asked == [(SCOPES, TokenSession)]


def test_a_channel_requests_tokens_for_each_call() -> None:
    assert isinstance(channel_credentials(AnonymousCredentials()), grpc.ChannelCredentials)
