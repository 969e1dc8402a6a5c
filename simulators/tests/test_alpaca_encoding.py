import json

import msgpack
import pytest

from sluice_simulators.alpaca.batches import EncodedTape
from sluice_simulators.alpaca.encoding import JSON, MSGPACK, Codec, codec_for, rfc3339, websocket_frame
from sluice_simulators.alpaca.messages import ProtocolError, error_message, quote_message, timestamp
from sluice_simulators.alpaca.subscription import Subscription, channel_names, parse_changes
from sluice_simulators.tapes import TapeQuote

NANOSECONDS = 1_381_152_300_289_123_456
QUOTE = TapeQuote(1_381_152_300_289, "BAC", 13.92, 1600, 13.93, 8100, "P")
PAIR = TapeQuote(1_381_152_300_289, "BTC/USD", 64_000.5, 2, 64_001.0, 3)
STOCKS = channel_names(crypto=False)


def test_a_stock_quote_has_the_documented_keys_types_and_order() -> None:
    [message] = msgpack.unpackb(MSGPACK.encode([quote_message(QUOTE)]))

    assert list(message) == ["T", "S", "bx", "bp", "bs", "ax", "ap", "as", "c", "z", "t"]
    assert (message["bs"], message["as"]) == (1600, 8100)
    assert message["t"].to_unix_nano() == QUOTE.time_ms * 1_000_000


def test_a_crypto_quote_has_float_sizes_and_no_exchange() -> None:
    message = quote_message(PAIR)

    assert list(message) == ["T", "S", "bp", "bs", "ap", "as", "t"]
    assert all(isinstance(message[key], float) for key in ("bp", "bs", "ap", "as"))


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


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
def test_a_restamped_tape_equals_encoding_with_the_new_time(codec: Codec) -> None:
    moment = timestamp(NANOSECONDS)
    everything = Subscription({"quotes": frozenset("*")})

    bodies = EncodedTape([QUOTE, PAIR]).batch(0, 2, moment).encoded_messages(codec, everything)

    assert list(bodies) == [codec.encode_message(quote_message(quote, moment)) for quote in (QUOTE, PAIR)]


def test_a_tape_batch_contains_only_subscribed_symbols() -> None:
    only = Subscription({"quotes": frozenset({"BTC/USD"})})
    batch = EncodedTape([QUOTE, PAIR]).batch(0, 2)

    assert [json.loads(body)["S"] for body in batch.encoded_messages(JSON, only)] == ["BTC/USD"]
    assert [message["S"] for message in batch.subscribed_messages(only)] == ["BTC/USD"]


@pytest.mark.parametrize(("length", "header"), [(5, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_websocket_frame_header_contains_the_length(length: int, header: int) -> None:
    frame = websocket_frame(b"x" * length, 2)

    assert frame[0] == 0x82
    assert len(frame) == header + length


def test_trades_subscribe_and_unsubscribe_corrections_and_cancels() -> None:
    trades = parse_changes({"action": "subscribe", "trades": ["AAPL"]}, STOCKS)
    after = Subscription.empty(STOCKS).with_added(trades)

    assert after.symbols_by_channel()["corrections"] == after.symbols_by_channel()["cancelErrors"] == ["AAPL"]
    assert not after.with_removed(trades)


def test_an_acknowledgement_lists_every_documented_channel() -> None:
    acknowledgement = Subscription.empty(STOCKS).acknowledgement_message()

    assert list(acknowledgement) == [
        "T",
        "trades",
        "quotes",
        "bars",
        "updatedBars",
        "dailyBars",
        "statuses",
        "lulds",
        "corrections",
        "cancelErrors",
    ]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"quotes": ["A B"]}, 400),
        ({"quotes": [""]}, 400),
        ({"quotes": [7]}, 400),
        ({"quotes": "AAPL"}, 400),
        ({"whatever": ["AAPL"]}, 400),
        ({"orderbooks": ["AAPL"]}, 410),
    ],
)
def test_invalid_requests_get_the_documented_codes(request_: dict[str, object], code: int) -> None:
    with pytest.raises(ProtocolError) as refusal:
        parse_changes(request_, STOCKS)

    assert refusal.value.code == code
