import random
from collections.abc import Mapping
from datetime import UTC, datetime

import msgpack
import pytest

from sluice_runtime.domain.market import Quote, TradeCancellation
from sluice_runtime.providers.alpaca.messages import (
    ErrorMessage,
    QuoteMessage,
    SubscriptionMessage,
    SuccessMessage,
    TradeCancelMessage,
    TradeCorrectionMessage,
    TradeMessage,
    decode_frame,
    decode_frame_in_parts,
)

AT = msgpack.Timestamp.from_unix_nano(1_772_463_600_123_456_789)
QUOTE = {
    "T": "q",
    "S": "AAPL",
    "bx": "V",
    "bp": 100.5,
    "bs": 2,
    "ax": "V",
    "ap": 100.6,
    "as": 3,
    "c": ["R"],
    "z": "C",
    "t": AT,
}


def frame(*messages: object) -> bytes:
    return bytes(msgpack.packb(messages))


def quotes(*messages: object) -> list[Quote]:
    return [each.to_quote() for each in decode_frame(frame(*messages)) if isinstance(each, QuoteMessage)]


def quote(changes: Mapping[str, object]) -> Quote:
    [found] = quotes({**QUOTE, **changes})
    return found


def test_a_quote_is_decoded_with_its_event_time() -> None:
    assert quote({}) == Quote(
        symbol="AAPL",
        ts=datetime(2026, 3, 2, 15, 0, 0, 123457, tzinfo=UTC),
        bid=100.5,
        ask=100.6,
        bid_size=2.0,
        ask_size=3.0,
    )


TRADE = {"T": "t", "S": "AAPL", "i": 7, "x": "D", "p": 18.31, "s": 100, "c": ["@", "I"], "z": "C", "t": AT}
CANCELLATION = {"T": "x", "S": "AAPL", "i": 7, "x": "D", "p": 18.31, "s": 100, "a": "C", "z": "C", "t": AT}
CORRECTION = {
    "T": "c",
    "S": "AAPL",
    "x": "D",
    "oi": 79_372_207_866_957,
    "op": 208.65,
    "os": 14_950,
    "oc": [" ", "7", "V"],
    "ci": 79_372_223_926_359,
    "cp": 208.75,
    "cs": 14_950,
    "cc": [" "],
    "z": "B",
    "t": AT,
}


def test_a_trade_has_its_id_venue_and_the_rule_of_its_conditions() -> None:
    [trade] = decode_frame(frame(TRADE))
    assert isinstance(trade, TradeMessage)
    assert (trade.price, trade.id, trade.exchange, trade.rule.effect) == (18.31, 7, "D", "never")


@pytest.mark.parametrize(
    "changes", [{"c": []}, {"c": None}, {"c": ["@"]}, {"i": 2**64 - 1}, {"s": 2**63}, {"s": 0.0001}, {"p": 1e9}]
)
def test_a_trade_with_other_valid_values_is_a_sale(changes: Mapping[str, object]) -> None:
    [trade] = decode_frame(frame({**TRADE, "c": ["@"], **changes}))
    assert isinstance(trade, TradeMessage)
    assert trade.rule.effect == "sets"


def test_a_cancellation_and_a_correction_name_the_trade() -> None:
    ts = datetime(2026, 3, 2, 15, 0, 0, 123457, tzinfo=UTC)
    cancellation, correction = decode_frame(frame(CANCELLATION, CORRECTION))
    assert isinstance(cancellation, TradeCancelMessage)
    assert isinstance(correction, TradeCorrectionMessage)
    assert cancellation.to_cancellation() == TradeCancellation(symbol="AAPL", ts=ts, id=7, exchange="D", price=18.31)
    found = correction.to_correction()
    assert (found.original_id, found.original_price) == (79_372_207_866_957, 208.65)
    assert (found.id, found.price, found.exchange, found.rule.effect) == (79_372_223_926_359, 208.75, "D", "sets")


def test_a_cancellation_without_a_time_and_a_price_is_one_by_its_id() -> None:
    [found] = decode_frame(frame({"T": "x", "S": "AAPL", "i": 7, "x": "D"}))
    assert isinstance(found, TradeCancelMessage)
    assert found.to_cancellation() == TradeCancellation(symbol="AAPL", ts=None, id=7, exchange="D", price=None)


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [(1.0, 2.0, False), (2.0, 2.0, True), (3.0, 2.0, True), (1.0, 0.0, False), (float("nan"), 2.0, False)],
)
def test_a_quote_is_locked_or_crossed_if_both_sides_are_there(bid: float, ask: float, expected: bool) -> None:
    [found] = decode_frame(frame({**QUOTE, "bp": bid, "ap": ask}))
    assert isinstance(found, QuoteMessage)
    assert found.is_locked_or_crossed is found.to_quote().is_locked_or_crossed is expected


def test_each_control_message_has_its_type() -> None:
    found = decode_frame(
        frame(
            {"T": "success", "msg": "connected"},
            {"T": "subscription", "trades": [], "quotes": ["AAPL"], "bars": []},
            {"T": "error", "code": 402, "msg": "auth failed"},
        )
    )
    assert found == [
        SuccessMessage(msg="connected"),
        SubscriptionMessage(quotes=["AAPL"]),
        ErrorMessage(code=402, msg="auth failed"),
    ]


def test_a_subscription_to_nothing_may_leave_out_quotes() -> None:
    assert decode_frame(frame({"T": "subscription"})) == [SubscriptionMessage(quotes=[])]


def test_keys_that_no_document_has_are_ignored() -> None:
    assert quotes({"T": "q", "zz": {"n": [1, None]}, **QUOTE, "zy": "new"}) == quotes(QUOTE)


@pytest.mark.parametrize(
    "bad",
    [
        {**QUOTE, "T": "zz"},
        {key: value for key, value in QUOTE.items() if key != "t"},
        {key: value for key, value in QUOTE.items() if key != "T"},
        {**QUOTE, "t": "2013-10-07T13:30:00"},
        {**QUOTE, "t": "yesterday"},
        {**QUOTE, "t": msgpack.Timestamp(2**40, 0)},
        {**QUOTE, "bp": "100.5"},
        {**QUOTE, "S": 7},
        {**QUOTE, "S": b"AAPL"},
        {"T": "error", "code": "four hundred"},
        {"T": 1},
        {1: 2},
        None,
        7,
        "q",
        [],
    ],
    ids=str,
)
def test_an_invalid_message_loses_only_itself(bad: object) -> None:
    assert quotes(QUOTE, bad, QUOTE) == quotes(QUOTE, QUOTE)


def test_text_that_is_not_utf_8_loses_only_its_message() -> None:
    good = msgpack.packb(QUOTE)
    assert len(decode_frame(b"\x93" + good + good.replace(b"AAPL", b"AA\xff\xfe") + good)) == 2


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91", b"\x80", b"\x91" * 100_000, b"[]", frame({"T": "q"})[:-1]])
def test_a_frame_that_is_not_an_array_has_no_messages(data: bytes) -> None:
    assert list(decode_frame(data)) == []


def test_decoding_in_parts_gives_the_same_messages_in_the_same_order() -> None:
    data = frame(*({**QUOTE, "bp": float(number)} if number % 7 else "strange" for number in range(1201)))
    parts = list(decode_frame_in_parts(data))
    assert [message for part in parts for message in part] == list(decode_frame(data))
    assert [len(part) for part in parts] == [428, 429, 172]


def test_decoding_arbitrary_bytes_never_raises() -> None:
    source = random.Random(7)
    good = frame(QUOTE, {"T": "success", "msg": "connected"}, {"T": "error", "code": 400, "msg": "x"})
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(source.randrange(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        decode_frame(bytes(data))


@pytest.mark.parametrize("nothing", [0, 0.0, -1.0, float("nan"), float("inf")])
def test_a_side_that_is_not_there_is_null(nothing: float) -> None:
    assert (quote({"bp": nothing}).bid, quote({"bp": nothing}).bid_size) == (None, None)
    assert (quote({"ap": nothing}).ask, quote({"ap": nothing}).ask_size) == (None, None)


def test_a_side_may_be_left_out() -> None:
    found = quotes({key: value for key, value in QUOTE.items() if key not in ("bp", "bs")})
    assert (found[0].bid, found[0].ask) == (None, 100.6)


def test_an_invalid_size_is_unknown_and_the_price_is_kept() -> None:
    found = quote({"bs": float("nan")})
    assert (found.bid, found.bid_size) == (100.5, None)


def test_sizes_may_have_fractions() -> None:
    assert quote({"bs": 0.25}).bid_size == 0.25
