"""Responses that are not understood are failures of their requests."""

from __future__ import annotations

import msgspec
import pytest

from sluice_operator.adapters.decoding import decoded_or_raise, require_braces, require_json_object
from sluice_operator.ports import Unavailable

DAMAGED = [b"", b"{", b"<html>", b"\xff", b'{"a": "\xff"}', b'{"a": }', b'{"metadata": ' + b"[" * 100_000]


@pytest.mark.parametrize("text", [*DAMAGED, b"null", b"[]", b"7"])
def test_a_text_that_is_not_a_json_object_is_a_failure(text: bytes) -> None:
    if text != DAMAGED[4]:  # an unknown field is not decoded
        with pytest.raises(Unavailable, match=r"^POST /events: the response is not understood"):
            require_json_object("POST /events", text)


@pytest.mark.parametrize("text", [b'{"metadata": {"name": "\xff"}}', *DAMAGED[:4]])
def test_a_damaged_object_is_a_failure(text: bytes) -> None:
    with pytest.raises(Unavailable, match="not understood"):
        decoded_or_raise("GET /pods", text, msgspec.json.decode)


@pytest.mark.parametrize("text", [b"{}", b'{"a": 1}\n', bytearray(b'{"a": 1}\r\n')])
def test_an_object_is_accepted(text: bytes) -> None:
    require_json_object("GET /a", text)
    require_braces("GET /a", text)


@pytest.mark.parametrize("text", [b"", b"{", b"}", b"[]", b"<html>", b'{"a": 1'])
def test_a_text_without_braces_is_refused_without_decoding_it(text: bytes) -> None:
    with pytest.raises(Unavailable, match="it is not a JSON object"):
        require_braces("GET /a", text)
