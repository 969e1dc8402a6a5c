"""Words for what a server sends in place of Alpaca's messages."""

import msgpack
import pytest

from sluice_runtime.adapters.alpaca.foreign_content import describe_content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "nothing"),
        ("", "nothing"),
        ('{"error":"no such feed"}', 'the text "{"error":"no such feed"}"'),
        (b'{"error":1}', 'the text "{"error":1}"'),
        ("plain words\nin two lines\x07\x1b[31m", 'the text "plain words in two lines??[31m"'),
        ("<!DOCTYPE html><html><title>\n Log in </title>", 'an HTML page titled "Log in"'),
        ("  <HTML><body>no title", "an HTML page"),
        (msgpack.packb([{"T": "welcome"}]), 'MessagePack: "[{"T":"welcome"}]"'),
        (b"\xc1\xff\xfe", "3 bytes of binary data"),
        (b"\x00\x01", 'the text "??"'),
    ],
)
def test_content_is_described_in_a_few_printable_words(content: bytes | str, words: str) -> None:
    assert describe_content(content) == words


@pytest.mark.parametrize("encode", [str, str.encode, lambda text: msgpack.packb([text])])
def test_long_content_is_cut_off_and_no_secret_is_quoted(encode: object) -> None:
    found = describe_content(encode("key-1 very-secret " + "x" * 100_000), ("very-secret", "key-1", ""))  # type: ignore[operator]
    assert len(found) < 220
    assert "very-secret" not in found
    assert "key-1" not in found
    assert found.isprintable()


def test_a_secret_is_also_hidden_where_the_text_is_cut_off() -> None:
    assert "very" not in describe_content("x" * 155 + "very-secret", ("very-secret",))
    assert "very" not in describe_content("<html><title>very-secret</title>", ("very-secret",))
