"""JSON that is nested more deeply than a decoder can follow."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sluice_contract.json_nesting import LEVELS, decode_without_deep_values, without_deep_values


def nested(levels: int, opening: str = '{"f:x":', closing: str = "}") -> str:
    """Return a JSON value with this many levels."""
    return opening * levels + '"deepest"' + closing * levels


def innermost(value: Any) -> Any:
    """Return the value in the innermost of nested lists."""
    return innermost(value[0]) if isinstance(value, list) else value


@pytest.mark.parametrize(("opening", "closing"), [('{"f:x":', "}"), ("[", "]"), ('[{"[{":', "}]"), ('{"\\"}":', "}")])
@pytest.mark.parametrize("levels", [1, LEVELS // 2, 3000, 10_000])
def test_other_fields_are_read_whatever_is_nested_beside_them(levels: int, opening: str, closing: str) -> None:
    text = f'{{"first": 1, "deep": {nested(levels, opening, closing)}, "last": "]}}\\\\"}}'.encode()
    found: dict[str, Any] = decode_without_deep_values(msgspec.json.decode, text)
    assert (found["first"], found["last"]) == (1, "]}\\")


@pytest.mark.parametrize("document", [{}, [], {"a": [1, {"b": '"}]'}], "c": "\\"}, json.loads(nested(LEVELS - 1)), "{"])
def test_a_text_with_few_levels_is_unchanged(document: Any) -> None:
    text = json.dumps(document).encode()
    assert without_deep_values(text) == text


def test_each_value_below_the_last_level_is_null() -> None:
    text = f"[{nested(LEVELS + 5, '[', ']')}, {nested(LEVELS - 1, '[', ']')}, {nested(LEVELS, '[', ']')}, 7]".encode()
    found = json.loads(without_deep_values(text))
    assert [innermost(value) for value in found[:3]] == [None, "deepest", None]
    assert found[3] == 7


@pytest.mark.parametrize("text", [b"[" * 5000, b"]" * 5000, b'{"a":' * 5000, b'"' + b"[" * 5000])
def test_a_text_that_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_without_deep_values(msgspec.json.decode, text)
