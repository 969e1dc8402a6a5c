from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from sluice_runtime.adapters.http.bearer_token import create_token_check
from support.encodings import ENCODINGS, UNREADABLE, Encode, save

TOKEN = "sesame-sesame"


def refusal(file: Path | None, authorization: str) -> str | None:
    """Return why a request with this header is refused; None if it is not."""
    request = SimpleNamespace(method="POST", headers={"Authorization": authorization})  # aiohttp decodes any byte
    return create_token_check(file)(cast("web.Request", request))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


@pytest.mark.parametrize("given", ["\udcff", "\x00", "t" * 8000], ids=["a byte", "null", "long"])
def test_a_token_of_odd_characters_is_a_wrong_token(secret: Path, given: str) -> None:
    found = refusal(secret, f"Bearer {given}")
    assert found is not None
    assert found.startswith("POST needs the header Authorization: Bearer TOKEN")


def test_a_rotated_token_is_used_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert (refusal(file, "Bearer ") or "").startswith("the Secret of spec.http.tokenSecretRef is missing")
    for token in ("first", "second"):
        file.write_text(token)
        assert refusal(file, f"Bearer {token}") is None


def test_without_a_token_the_interface_is_read_only() -> None:
    assert (refusal(None, "Bearer ") or "").startswith("POST needs a token; name a Secret")


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("given", [TOKEN, "\ufeff" + TOKEN], ids=["plain", "as the file has it"])
def test_the_token_is_the_same_in_every_encoding(secret: Path, encode: Encode, given: str) -> None:
    save(secret, encode(TOKEN + "\r\n"))
    assert refusal(secret, f"Bearer {given}") is None
    assert refusal(secret, "Bearer other") is not None


@pytest.mark.parametrize(("name", "content"), UNREADABLE.items(), ids=UNREADABLE)
def test_a_token_in_another_encoding_allows_no_request_and_the_error_names_it(
    secret: Path, name: str, content: bytes
) -> None:
    save(secret, content)
    found = refusal(secret, "Bearer off") or ""
    assert "the key token of the Secret of spec.http.tokenSecretRef cannot be read: it" in found
    assert name in found
