import json

from sluice_relay.events import EncodedEvent
from sluice_relay.outbox import FRAME_MESSAGES, Outbox
from sluice_relay.protocol.encoding import JSON
from sluice_relay.protocol.subscription import Subscription
from support.relay_source import quote, trade


def taken(outbox: Outbox) -> list[tuple[str, object]]:
    """Return the symbol and the bid or the id of each message of the next frame."""
    payload = outbox.take_frame()
    return [(each["S"], each.get("bp", each.get("i"))) for each in json.loads(payload)] if payload else []


def test_a_newer_quote_takes_the_place_of_the_older_one() -> None:
    outbox = Outbox(JSON)
    for event in (quote("SPY", 1.0), quote("AAPL", 5.0), quote("SPY", 2.0)):
        outbox.add_event(EncodedEvent(event))

    assert taken(outbox) == [("SPY", 2.0), ("AAPL", 5.0)]
    assert outbox.conflated_quotes == 1
    assert outbox.take_frame() is None


def test_trades_are_never_replaced_and_come_before_quotes() -> None:
    outbox = Outbox(JSON)
    for event in (quote("SPY", 1.0), trade(1), trade(2)):
        outbox.add_event(EncodedEvent(event))

    assert taken(outbox) == [("SPY", 1), ("SPY", 2), ("SPY", 1.0)]


def test_many_trades_leave_half_of_a_frame_to_quotes() -> None:
    outbox = Outbox(JSON)
    for number in range(1, 101):
        outbox.add_event(EncodedEvent(trade(number)))
        outbox.add_event(EncodedEvent(quote(f"S{number}")))

    frame = taken(outbox)
    assert len(frame) == FRAME_MESSAGES
    assert [symbol for symbol, _ in frame].count("SPY") == FRAME_MESSAGES // 2
    assert len(outbox) == 200 - FRAME_MESSAGES


def test_too_many_trades_are_over_the_bound_and_quotes_never_are() -> None:
    outbox = Outbox(JSON, bound=2)
    for number in (1, 2):
        outbox.add_event(EncodedEvent(trade(number)))
        outbox.add_event(EncodedEvent(quote(f"S{number}")))
    assert not outbox.is_over_bound

    outbox.add_event(EncodedEvent(trade(3)))
    assert outbox.is_over_bound


def test_a_snapshot_replaces_no_newer_quote() -> None:
    outbox = Outbox(JSON)
    outbox.add_event(EncodedEvent(quote("SPY", 2.0)))
    outbox.add_snapshot_quote(EncodedEvent(quote("SPY", 1.0)))

    assert taken(outbox) == [("SPY", 2.0)]


def test_quotes_that_are_no_longer_subscribed_are_forgotten() -> None:
    outbox = Outbox(JSON)
    outbox.add_event(EncodedEvent(quote("SPY")))
    outbox.add_event(EncodedEvent(quote("AAPL")))
    outbox.retain_subscribed_quotes(Subscription({"quotes": frozenset({"*"})}))
    assert len(outbox) == 2

    outbox.retain_subscribed_quotes(Subscription({"quotes": frozenset({"AAPL"})}))
    assert taken(outbox) == [("AAPL", 100.0)]
