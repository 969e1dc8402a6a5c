"""The two encodings of the stream, MessagePack (binary frames) and JSON (text frames), and WebSocket framing."""

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgpack

from sluice_simulators.alpaca.messages import Message

TEXT, BINARY, CLOSE = 1, 2, 8


class Codec(Protocol):
    """One encoding: whole frames, and the parts that frames are put together from without encoding again."""

    @property
    def name(self) -> str:
        """`msgpack` or `json`."""

    @property
    def opcode(self) -> int:
        """The WebSocket opcode of its frames."""

    def encode(self, messages: Sequence[Message]) -> bytes:
        """The payload of one frame: an array of the messages."""

    def decode(self, payload: bytes) -> object:
        """A client's message; raises ValueError."""

    def encode_message(self, message: Message) -> bytes:
        """One message without the array around it."""

    def encode_time_suffix(self, message: Message) -> bytes:
        """The last bytes of `body` of a message whose last key is `t`: the time and what closes the map."""

    def join_frame(self, bodies: Sequence[bytes]) -> bytes:
        """The payload of one frame of bodies."""


class MsgpackCodec:
    """Times are the timestamp extension (-1) with nanoseconds."""

    name = "msgpack"
    opcode = BINARY

    def encode(self, messages: Sequence[Message]) -> bytes:
        """The payload of one frame."""
        return bytes(msgpack.packb(list(messages)))

    def decode(self, payload: bytes) -> object:
        """A client's message; raises ValueError."""
        return msgpack.unpackb(payload)

    def encode_message(self, message: Message) -> bytes:
        """One packed map."""
        return bytes(msgpack.packb(message))

    def encode_time_suffix(self, message: Message) -> bytes:
        """The packed time."""
        return bytes(msgpack.packb(message["t"]))

    def join_frame(self, bodies: Sequence[bytes]) -> bytes:
        """An array header and the bodies."""
        count = len(bodies)
        if count < 16:
            header = bytes((0x90 | count,))
        elif count < 1 << 16:
            header = struct.pack(">BH", 0xDC, count)
        else:
            header = struct.pack(">BI", 0xDD, count)
        return header + b"".join(bodies)


class JsonCodec:
    """Times are RFC 3339 strings with up to nine decimals, trailing zeros cut, as Go writes them."""

    name = "json"
    opcode = TEXT

    def encode(self, messages: Sequence[Message]) -> bytes:
        """The payload of one frame."""
        return self.join_frame([self.encode_message(message) for message in messages])

    def decode(self, payload: bytes) -> object:
        """A client's message; raises ValueError."""
        return json.loads(payload)

    def encode_message(self, message: Message) -> bytes:
        """One JSON object."""
        return json.dumps(message, default=_json_value, separators=(",", ":")).encode()

    def encode_time_suffix(self, message: Message) -> bytes:
        """The quoted time and the closing brace."""
        return json.dumps(message["t"], default=_json_value).encode() + b"}"

    def join_frame(self, bodies: Sequence[bytes]) -> bytes:
        """The bodies in brackets."""
        return b"[" + b",".join(bodies) + b"]"


MSGPACK: Codec = MsgpackCodec()
JSON: Codec = JsonCodec()


def codec_for(content_type: str) -> Codec:
    """The codec that an upgrade's Content-Type asks for; MessagePack unless it is JSON."""
    return JSON if "json" in content_type.lower() else MSGPACK


def other_codec(codec: Codec) -> Codec:
    """The codec this one is not."""
    return MSGPACK if codec.name == JSON.name else JSON


def rfc3339(moment: msgpack.Timestamp) -> str:
    """`2013-10-07T13:30:00.123456789Z`."""
    text = datetime.fromtimestamp(moment.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.nanoseconds:09d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def websocket_frame(payload: bytes, opcode: int, *, final: bool = True) -> bytes:
    """An unmasked (server's) frame, RFC 6455 section 5.2."""
    first = opcode | (0x80 if final else 0)
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return struct.pack(">BBH", first, 126, length) + payload
    return struct.pack(">BBQ", first, 127, length) + payload


def _json_value(value: object) -> str:
    if isinstance(value, msgpack.Timestamp):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} has no place in a message")
