"""The stream's two encodings, MessagePack (binary frames) and JSON (text frames), and WebSocket framing."""

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgpack

from sluice_relay.protocol.messages import Message

TEXT, BINARY, CLOSE = 1, 2, 8


class Codec(Protocol):
    """One encoding, of whole frames and of single messages that can be joined into frames."""

    @property
    def name(self) -> str:
        """The name of the encoding: `msgpack` or `json`."""

    @property
    def opcode(self) -> int:
        """The WebSocket opcode of frames in this encoding."""

    def encode(self, messages: Sequence[Message]) -> bytes:
        """Return the payload of one frame: an array of the messages."""

    def decode(self, payload: bytes) -> object:
        """Return the message that a client sent; raise ValueError if the payload is not in this encoding."""

    def encode_message(self, message: Message) -> bytes:
        """Return one encoded message, without the enclosing array."""

    def encode_time_suffix(self, message: Message) -> bytes:
        """Return the last bytes of an encoded message whose last key is `t`: the time and the end of the map."""

    def join_frame(self, bodies: Sequence[bytes]) -> bytes:
        """Return the payload of one frame that holds these encoded messages."""


class MsgpackCodec:
    """MessagePack; times are the timestamp extension (-1) with nanoseconds."""

    name = "msgpack"
    opcode = BINARY

    def encode(self, messages: Sequence[Message]) -> bytes:
        """Return the payload of one frame: a packed array of the messages."""
        return bytes(msgpack.packb(list(messages)))

    def decode(self, payload: bytes) -> object:
        """Return the message that a client sent; raise ValueError or one of msgpack's exceptions if it is malformed."""
        return msgpack.unpackb(payload)

    def encode_message(self, message: Message) -> bytes:
        """Return the message as one packed map."""
        return bytes(msgpack.packb(message))

    def encode_time_suffix(self, message: Message) -> bytes:
        """Return the packed time of the message."""
        return bytes(msgpack.packb(message["t"]))

    def join_frame(self, bodies: Sequence[bytes]) -> bytes:
        """Return an array header followed by the packed messages."""
        count = len(bodies)
        if count < 16:
            header = bytes((0x90 | count,))
        elif count < 1 << 16:
            header = struct.pack(">BH", 0xDC, count)
        else:
            header = struct.pack(">BI", 0xDD, count)
        return header + b"".join(bodies)


class JsonCodec:
    """JSON; times are RFC 3339 strings with up to nine decimals and without trailing zeros, as Go writes them."""

    name = "json"
    opcode = TEXT

    def encode(self, messages: Sequence[Message]) -> bytes:
        """Return the payload of one frame: a JSON array of the messages."""
        return self.join_frame([self.encode_message(message) for message in messages])

    def decode(self, payload: bytes) -> object:
        """Return the message that a client sent; raise ValueError if it is not JSON."""
        return json.loads(payload)

    def encode_message(self, message: Message) -> bytes:
        """Return the message as one JSON object."""
        return json.dumps(message, default=_json_default, separators=(",", ":")).encode()

    def encode_time_suffix(self, message: Message) -> bytes:
        """Return the quoted time of the message and the closing brace."""
        return json.dumps(message["t"], default=_json_default).encode() + b"}"

    def join_frame(self, bodies: Sequence[bytes]) -> bytes:
        """Return the JSON objects, separated by commas, in brackets."""
        return b"[" + b",".join(bodies) + b"]"


MSGPACK: Codec = MsgpackCodec()
JSON: Codec = JsonCodec()


def codec_for(content_type: str) -> Codec:
    """Return the codec that the Content-Type of an upgrade request names: JSON, or else MessagePack."""
    return JSON if "json" in content_type.lower() else MSGPACK


def other_codec(codec: Codec) -> Codec:
    """Return JSON for MessagePack, and MessagePack for JSON."""
    return MSGPACK if codec.name == JSON.name else JSON


def rfc3339(moment: msgpack.Timestamp) -> str:
    """Format a time like `2013-10-07T13:30:00.123456789Z`."""
    text = datetime.fromtimestamp(moment.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.nanoseconds:09d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def websocket_frame(payload: bytes, opcode: int, *, final: bool = True) -> bytes:
    """Return an unmasked frame, as servers send it (RFC 6455 section 5.2)."""
    first = opcode | (0x80 if final else 0)
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return struct.pack(">BBH", first, 126, length) + payload
    return struct.pack(">BBQ", first, 127, length) + payload


def _json_default(value: object) -> str:
    if isinstance(value, msgpack.Timestamp):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} cannot be encoded in a message")
