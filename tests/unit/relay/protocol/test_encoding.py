import msgpack
import pytest

from sluice_relay.protocol.encoding import JSON, MSGPACK, Codec, codec_for, rfc3339, websocket_frame
from sluice_relay.protocol.messages import error_message, timestamp

NANOSECONDS = 1_381_152_300_289_123_456


def test_msgpack_times_are_the_timestamp_extension_with_nanoseconds() -> None:
    packed = MSGPACK.encode_message({"T": "q", "t": timestamp(NANOSECONDS)})

    assert packed[-10:-8] == b"\xd7\xff"
    assert msgpack.unpackb(packed)["t"].to_unix_nano() == NANOSECONDS


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (NANOSECONDS, "2013-10-07T13:25:00.289123456Z"),
        (1_381_152_300_289_000_000, "2013-10-07T13:25:00.289Z"),
        (1_381_152_300_000_000_000, "2013-10-07T13:25:00Z"),
    ],
)
def test_json_times_are_rfc_3339_without_trailing_zeros(nanoseconds: int, text: str) -> None:
    assert rfc3339(timestamp(nanoseconds)) == text


@pytest.mark.parametrize(
    ("content_type", "codec"),
    [("application/msgpack", MSGPACK), ("application/json", JSON), ("", MSGPACK)],
)
def test_the_upgrade_chooses_the_encoding(content_type: str, codec: Codec) -> None:
    assert codec_for(content_type) is codec


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 300])
def test_joining_encoded_messages_equals_encoding_them_together(codec: Codec, count: int) -> None:
    messages = [error_message(405)] * count

    assert codec.join_frame([codec.encode_message(message) for message in messages]) == codec.encode(messages)


def test_a_frame_can_hold_more_than_65_535_messages() -> None:
    assert MSGPACK.join_frame([MSGPACK.encode_message(error_message(405))] * 66_000) == MSGPACK.encode(
        [error_message(405)] * 66_000
    )


@pytest.mark.parametrize(("length", "header"), [(5, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_websocket_frame_header_contains_the_length(length: int, header: int) -> None:
    frame = websocket_frame(b"x" * length, 2)

    assert frame[0] == 0x82
    assert len(frame) == header + length
