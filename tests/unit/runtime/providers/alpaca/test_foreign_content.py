"""Words for what a server sends in place of Alpaca's messages."""

import msgpack
import pytest

from sluice_runtime.providers.alpaca.foreign_content import describe_content

ALPACA = "that is not a message of Alpaca's"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "nothing"),
        ("", "nothing"),
        ('{"error":"no such feed"}', f"JSON {ALPACA}"),
        (b'[{"error":1}]', f"JSON {ALPACA}"),
        ("plain words\nin two lines\x07\x1b[31m", f"text {ALPACA}"),
        ("<!DOCTYPE html><html><title>\n Log in </title>", "an HTML page"),
        ("  <HTML><body>no title", "an HTML page"),
        (msgpack.packb([{"T": "welcome"}]), f"MessagePack {ALPACA}"),
        (b"\xc1\xff\xfe", "binary data"),
        (b"\x00\x01", f"text {ALPACA}"),
        ("x" * 100_000, f"text {ALPACA}"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_the_kind_of_content_is_named_and_nothing_is_quoted(content: bytes | str, words: str) -> None:
    assert describe_content(content) == words
