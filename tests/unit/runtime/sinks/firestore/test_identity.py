"""The check of Google's identity, against a token service and a metadata server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import google.auth
import pytest
from google.auth import compute_engine
from google.auth.compute_engine import _metadata

from sluice_runtime.sinks.firestore import token_requests
from sluice_runtime.sinks.firestore.identity import check_google_identity
from support.google_server import EMAIL, GoogleServer
from support.service_account_keys import service_account_key

REAL_TIME = True  # a thread requests the token


@pytest.fixture
def google_server() -> Iterator[GoogleServer]:
    with GoogleServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("FIRESTORE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def key(tmp_path: Path, google_server: GoogleServer, environment: pytest.MonkeyPatch) -> dict[str, str]:
    """The key in the file that GOOGLE_APPLICATION_CREDENTIALS names."""
    fields = service_account_key("demo") | {"token_uri": f"http://{google_server.place}/token"}
    file = tmp_path / "key.json"
    file.write_text(json.dumps(fields))
    environment.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    return fields


async def test_a_key_for_which_google_issues_a_token_passes(key: dict[str, str]) -> None:
    found = await check_google_identity()
    assert (found.good, found.words) == (
        True,
        "Google issued a token for the service account sluice@demo.example (key file)",
    )


async def test_a_refused_key_is_a_failure_without_the_key(
    key: dict[str, str], google_server: GoogleServer, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(token_requests, "_GOOGLE_DOMAINS", ("127.0.0.1",))
    google_server.status = 400
    google_server.answer = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    found = await check_google_identity()
    assert (found.good, found.words) == (
        False,
        "Google issues no token: invalid_grant: Invalid JWT Signature.; check this machine's clock, or create a new "
        "key for the account",
    )


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_server_that_is_not_google_s_is_never_quoted(
    key: dict[str, str], google_server: GoogleServer, status: int
) -> None:
    google_server.status, google_server.answer = status, {"error": "planted", "error_description": "planted"}
    found = await check_google_identity()
    assert not found.good
    assert "planted" not in found.words


async def test_a_token_service_that_cannot_be_reached_is_a_failure_without_a_password(
    key: dict[str, str], tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.json").write_text(json.dumps(key | {"token_uri": "http://oauth2.example/token"}))
    environment.setenv("HTTP_PROXY", "http://user:a-password@127.0.0.1:9")
    environment.setenv("HTTPS_PROXY", "http://user:a-password@127.0.0.1:9")
    environment.setenv("NO_PROXY", "")
    found = await check_google_identity()
    assert not found.good
    assert "check the network and the variables of the proxy" in found.words
    assert "a-password" not in found.words


async def test_the_identity_of_the_machine_passes_with_its_name(
    google_server: GoogleServer, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(_metadata, "_GCE_METADATA_HOST", google_server.place)
    environment.setattr(google.auth, "default", lambda scopes, request: (compute_engine.Credentials(), "demo"))
    found = await check_google_identity()
    assert (found.good, found.words) == (
        True,
        f"Google issued a token for this machine's service account {EMAIL} (metadata server)",
    )


async def test_a_missing_identity_is_a_failure_that_names_the_three_ways(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    found = await check_google_identity()
    assert not found.good
    assert "GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default login`, or run on" in found.words


@pytest.mark.parametrize(
    ("address", "part"), [("127.0.0.1:9", "which needs no identity; unset it"), ("nonsense", "write host:port")]
)
async def test_an_emulator_does_not_count_as_google(environment: pytest.MonkeyPatch, address: str, part: str) -> None:
    environment.setenv("FIRESTORE_EMULATOR_HOST", address)
    found = await check_google_identity()
    assert not found.good
    assert part in found.words
