import msgpack

from sluice_relay.events import Bar, EncodedEvent, Quote, TradingStatus
from sluice_relay.protocol.encoding import JSON, MSGPACK
from support.relay_source import quote, trade

NANOSECONDS = 1_381_152_300_289_123_456


def test_a_quote_leaves_out_what_its_source_does_not_know() -> None:
    message = msgpack.unpackb(EncodedEvent(quote("BRK.B", ts=NANOSECONDS)).encoded_message(MSGPACK))

    assert list(message) == ["T", "S", "bp", "bs", "ap", "as", "t"]
    assert (message["S"], message["bs"], message["t"].to_unix_nano()) == ("BRK.B", 200, NANOSECONDS)


def test_a_quote_has_the_exchanges_conditions_and_tape_that_its_source_knows() -> None:
    known = Quote(
        symbol="SPY", ts=0, bid=1.0, ask=2.0, bid_size=1, ask_size=2,
        bid_exchange="V", ask_exchange="P", conditions=("R",), tape="A",
    )  # fmt: skip
    message = known.to_message()

    assert (message["bx"], message["ax"], message["c"], message["z"]) == ("V", "P", ["R"], "A")


def test_a_missing_side_has_price_and_size_0_as_the_vendor_sends_it() -> None:
    message = Quote(symbol="SPY", ts=0, bid=None, ask=2.0, bid_size=None, ask_size=0.5).to_message()

    assert (message["bp"], message["bs"], message["as"]) == (0.0, 0, 0.5)


def test_trades_bars_and_statuses_have_the_documented_keys() -> None:
    bar = Bar(symbol="SPY", ts=0, open=1, high=2, low=0.5, close=1.5, volume=1000)
    status = TradingStatus(symbol="SPY", ts=0, code="H")

    assert list(trade().to_message()) == ["T", "S", "p", "s", "i", "t"]
    assert list(bar.to_message()) == ["T", "S", "o", "h", "l", "c", "v", "n", "vw", "t"]
    assert list(status.to_message()) == ["T", "S", "sc", "sm", "rc", "rm", "z", "t"]
    assert [each.channel for each in (quote(), trade(), bar, status)] == ["quotes", "trades", "bars", "statuses"]


def test_an_event_is_encoded_once_for_each_encoding() -> None:
    event = EncodedEvent(quote())

    assert event.encoded_message(MSGPACK) is event.encoded_message(MSGPACK)
    assert event.encoded_message(JSON).startswith(b'{"T":"q","S":"SPY"')
