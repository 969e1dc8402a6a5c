"""No term of the decoder reaches a user.

Also looked for: each message in msgspec's binary that a decoder of this project can raise is one of the cases here.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.spec import IngestJobSpec
from sluice_contract.values import Symbol

DECODER_TERMS = re.compile(r"`|\$|Expected|got |regex|RFC|enum|malformed|truncated|Object|\bint\b|\bstr\b|array")


class Nested(msgspec.Struct, forbid_unknown_fields=True):
    at: Annotated[datetime, Meta(tz=True)]


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (Annotated[int, Meta(ge=1)], 0, "write 1 or more"),
        (Annotated[int, Meta(le=64)], 65, "write 64 or less"),
        (Annotated[float, Meta(gt=0)], 0.0, "write a number above 0.0"),
        (Annotated[float, Meta(lt=1)], 2.0, "write a number below 1.0"),
        (int, "5", "it is text; write a whole number"),
        (int, 2.5, "it is a number; write a whole number"),
        (bool, "no", "it is text; write true or false"),
        (bool | None, [], "it is a list; write true or false"),
        (datetime | None, [], "it is a list; write a time with its time zone, such as 2026-11-23T14:00:00Z"),
        (list[str], {}, "it is an object with named fields; write a list"),
        (dict[str, int], {"a": "x"}, "it is text; write a whole number"),
        (Annotated[str, Meta(min_length=1)], "", "it needs at least 1 character"),
        (Annotated[list[int], Meta(max_length=1)], [1, 2], "it can have at most 1 item"),
        (Literal["a", "b"], "c", "'c' is not an allowed value"),
        (list[Symbol], ["spy!"], "[0]: a symbol is in upper case, with a dot before a share class and a slash in a "
         "pair: write SPY, BRK.B or BTC/USD"),
        (Nested, {}, "at is missing; add it"),
        (Nested, {"at": "2026-11-23T14:00:00Z", "on": 1}, "unknown field on; remove it"),
        (Nested, {"at": "monday"}, "at: write a time with its time zone, such as 2026-11-23T14:00:00Z"),
        (Nested, {"at": "2026-11-23T14:00:00"}, "at: write a time with its time zone, such as 2026-11-23T14:00:00Z"),
        (dict[Symbol, int], {"a b": 1}, "a symbol is in upper case, with a dot before a share class and a slash in a "
         "pair: write SPY, BRK.B or BTC/USD"),
        (IngestJobSpec, {"tenant": "a", "provider": "alpaca", "symbols": ["A"], "limits": {"burst": 0}},
         "limits.burst: write 1 or more"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_explained(kind: Any, value: Any, sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(value, kind)
    explained = str(explain_decoding_error(raised.value))
    assert explained == sentence
    assert not DECODER_TERMS.search(explained)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "it is not valid JSON: the end is missing"),
        (b"[1,]", "it is not valid JSON at byte 3"),
        (b"", "it is not valid JSON: the end is missing"),
    ],
)
def test_a_text_that_is_not_json_is_explained(text: bytes, sentence: str) -> None:
    with pytest.raises(msgspec.MsgspecError) as raised:
        msgspec.json.decode(text, type=Any)
    assert str(explain_decoding_error(raised.value)) == sentence


def test_an_unknown_message_of_the_decoder_is_not_shown() -> None:
    assert str(explain_decoding_error(msgspec.ValidationError("Frobnicated `int`"))) == "this value is not allowed"
