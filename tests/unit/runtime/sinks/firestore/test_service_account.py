"""The key of a service account as an editor saves it."""

import json
from pathlib import Path

import pytest

from sluice_runtime.sinks.firestore.credentials import find_firestore_access
from support.encodings import ENCODINGS, UNREADABLE, Encode, save
from support.service_account_keys import service_account_key

REAL_TIME = True  # a thread searches for credentials

every_encoding = pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)


@pytest.fixture(scope="module")
def key() -> str:
    """Return the JSON of a key of an account that does not exist."""
    return json.dumps(service_account_key("its-own"), indent=2).replace("\n", "\r\n")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FIRESTORE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "credentials.json"


@every_encoding
async def test_a_mounted_key_is_the_same_in_every_encoding(file: Path, key: str, encode: Encode) -> None:
    save(file, encode(key))
    assert (await find_firestore_access("", file)).project == "its-own"


@every_encoding
async def test_the_variable_s_key_is_the_same_in_every_encoding(
    file: Path, key: str, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(file, encode(key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    assert (await find_firestore_access("", None)).project == "its-own"


@pytest.mark.parametrize(("name", "content"), UNREADABLE.items(), ids=UNREADABLE)
async def test_a_key_in_another_encoding_is_named_with_it(file: Path, name: str, content: bytes) -> None:
    save(file, content)
    with pytest.raises(ValueError, match="there are no usable credentials for Firestore") as error:
        await find_firestore_access("demo", file)
    assert "credentials.json: it" in str(error.value)
    assert name in str(error.value)
