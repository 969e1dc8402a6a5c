import json

import msgpack
import pytest

from sluice_relay.protocol.encoding import JSON, MSGPACK, Codec
from sluice_relay.protocol.messages import timestamp
from sluice_relay.protocol.subscription import Subscription
from sluice_simulators.alpaca.batches import EncodedTape
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.tapes import TapeQuote

NANOSECONDS = 1_381_152_300_289_123_456
QUOTE = TapeQuote(1_381_152_300_289, "BAC", 13.92, 1600, 13.93, 8100, "P")
PAIR = TapeQuote(1_381_152_300_289, "BTC/USD", 64_000.5, 2, 64_001.0, 3)


def test_a_stock_quote_has_the_documented_keys_types_and_order() -> None:
    [message] = msgpack.unpackb(MSGPACK.encode([quote_message(QUOTE)]))

    assert list(message) == ["T", "S", "bx", "bp", "bs", "ax", "ap", "as", "c", "z", "t"]
    assert (message["bs"], message["as"]) == (1600, 8100)
    assert message["t"].to_unix_nano() == QUOTE.time_ms * 1_000_000


def test_a_crypto_quote_has_float_sizes_and_no_exchange() -> None:
    message = quote_message(PAIR)

    assert list(message) == ["T", "S", "bp", "bs", "ap", "as", "t"]
    assert all(isinstance(message[key], float) for key in ("bp", "bs", "ap", "as"))


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
