"""The credentials (an emulator, a key, or an identity of the machine) and the project."""

import json
from pathlib import Path

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials

from sluice_runtime.sinks.firestore.credentials import FirestoreAccess, emulator_address, find_firestore_access
from support.service_account_keys import service_account_key

REAL_TIME = True  # a thread searches for credentials


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("FIRESTORE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(service_account_key("of-the-key")))
    return path


async def test_an_emulator_needs_neither_credentials_nor_a_project(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    assert await find_firestore_access("demo", None) == FirestoreAccess("demo", None, "127.0.0.1:9")
    assert (await find_firestore_access("", None)).project == "demo-sluice"
    environment.setenv("GCLOUD_PROJECT", "of-the-environment")
    assert (await find_firestore_access("", None)).project == "of-the-environment"


async def test_the_project_of_the_key_is_the_last_default(environment: pytest.MonkeyPatch, key: Path) -> None:
    found = await find_firestore_access("", key)
    assert (found.project, found.emulator) == ("of-the-key", "")
    assert found.credentials is not None
    assert (await find_firestore_access("declared", key)).project == "declared"
    environment.setenv("GOOGLE_CLOUD_PROJECT", "of-the-environment")
    assert (await find_firestore_access("", key)).project == "of-the-environment"


async def test_an_invalid_key_is_also_rejected_with_an_emulator(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    with pytest.raises(ValueError, match=r"^there are no usable credentials for Firestore \(.+\)$"):
        await find_firestore_access("demo", Path(__file__))


async def test_the_machine_s_identity_is_used_if_no_key_is_mounted(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    identity = AnonymousCredentials()
    environment.setattr(google.auth, "default", lambda scopes, request: (identity, "of-the-machine"))
    assert await find_firestore_access("", tmp_path / "absent") == FirestoreAccess("of-the-machine", identity, "")
    environment.setattr(google.auth, "default", lambda scopes, request: (identity, None))
    assert (await find_firestore_access("declared", None)).project == "declared"
    with pytest.raises(ValueError, match="name a project"):
        await find_firestore_access("", None)


async def test_a_missing_identity_is_reported_with_a_message(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(ValueError, match=r"^there are no usable credentials for Firestore \(.+\)$"):
        await find_firestore_access("demo", None)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", ""),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("firestore-emulator.acme:8080", "firestore-emulator.acme:8080"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("HTTP://localhost:8080/", "localhost:8080"),
        (" 127.0.0.1:8080\n", "127.0.0.1:8080"),
        ("\ufeff127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("::1:8080", "[::1]:8080"),
        ("[fe80::1%eth0]:8080", "[fe80::1%eth0]:8080"),
    ],
)
def test_the_emulator_is_read_as_people_write_it(value: str, address: str) -> None:
    assert emulator_address({"FIRESTORE_EMULATOR_HOST": value}) == address


@pytest.mark.parametrize(
    "value",
    ["127.0.0.1", "http://127.0.0.1", "https://127.0.0.1:8080", "[::1]", "a b:1", "a:0", "a:99999", "a:1/x", ":1"],
)
async def test_another_address_of_an_emulator_is_refused_with_what_to_write(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("FIRESTORE_EMULATOR_HOST", value)
    with pytest.raises(ValueError, match=r"FIRESTORE_EMULATOR_HOST is .*; write host:port, such as 127.0.0.1:8080"):
        await find_firestore_access("demo", None)
