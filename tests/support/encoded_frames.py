"""Websocket frames with quotes, as Alpaca sends them."""

from __future__ import annotations

from collections.abc import Sequence

from sluice_relay.protocol.encoding import BINARY, JSON, MSGPACK, TEXT, websocket_frame
from sluice_relay.protocol.messages import Message as WireMessage
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.tapes import FIRST_TIME_MS, TapeQuote

CONTINUATION = 0
PING = bytes([0x89, 2]) + b"hi"
PONG = bytes([0x8A, 0])


def wire_quote(number: int) -> WireMessage:
    """Return the message of a quote whose symbol has the number, such as Q7."""
    return quote_message(TapeQuote(FIRST_TIME_MS, f"Q{number}", 1.0, 2, 3.0, 4))


def payload(numbers: Sequence[int], byte_count: int = 0) -> bytes:
    """Return the content of a binary frame with these quotes, filled up to `byte_count` with an unknown key."""
    messages = [wire_quote(number) for number in numbers]
    if not byte_count:
        return MSGPACK.encode(messages)
    most = byte_count - len(MSGPACK.encode([*messages[:-1], {**messages[-1], "z": ""}]))
    # The length of a text takes up to four more bytes than that of an empty one.
    contents = [MSGPACK.encode([*messages[:-1], {**messages[-1], "z": "z" * (most - more)}]) for more in range(5)]
    return next(content for content in contents if len(content) == byte_count)


def binary(*numbers: int, byte_count: int = 0) -> bytes:
    """Return a whole binary frame with these quotes. Its payload has `byte_count` bytes, if that is not 0."""
    return websocket_frame(payload(numbers, byte_count), BINARY)


def text(*numbers: int) -> bytes:
    """Return a whole text frame with these quotes."""
    return websocket_frame(JSON.encode([wire_quote(number) for number in numbers]), TEXT)


def fragments(*numbers: int, between: bytes = b"") -> bytes:
    """Return a binary message with these quotes in three fragments, with other frames after the first of them."""
    content = payload(numbers)
    first = websocket_frame(content[:10], BINARY, final=False)
    second = websocket_frame(content[10:20], CONTINUATION, final=False)
    return first + between + second + websocket_frame(content[20:], CONTINUATION)


def masked(frame: bytes) -> bytes:
    """Return a frame with a payload of up to 125 bytes, with a mask as clients set it."""
    mask = b"\x01\x02\x03\x04"
    content = bytes(byte ^ mask[index % 4] for index, byte in enumerate(frame[2:]))
    return bytes((frame[0], frame[1] | 0x80)) + mask + content
