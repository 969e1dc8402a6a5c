import pytest

from sluice_relay.protocol.messages import ProtocolError
from sluice_relay.protocol.subscription import Subscription, channel_names, parse_changes

STOCKS = channel_names(crypto=False)


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
