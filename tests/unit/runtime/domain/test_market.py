from datetime import timedelta

import pytest

from sluice_runtime.domain.market import DocumentOrigin, Quote, normalised_side, to_live_quote
from support.virtual_time import START

NAN, INFINITY = float("nan"), float("inf")


def quote(bid: float | None, ask: float | None) -> Quote:
    return Quote(symbol="A", ts=START, bid=bid, ask=ask, bid_size=1.0, ask_size=2.0)


def test_a_side_is_its_price_and_size() -> None:
    assert normalised_side(1.5, 100.0) == (1.5, 100.0)


@pytest.mark.parametrize("price", [0.0, -1.0, NAN, INFINITY, -INFINITY])
def test_an_absent_side_is_none_and_never_zero(price: float) -> None:
    assert normalised_side(price, 100.0) == (None, None)


@pytest.mark.parametrize(("bid", "ask", "mid"), [(1.0, 2.0, 1.5), (2.0, 2.0, 2.0)])
def test_the_price_is_the_mid(bid: float, ask: float, mid: float) -> None:
    assert quote(bid, ask).mid == mid


@pytest.mark.parametrize(("bid", "ask"), [(None, 2.0), (1.0, None), (None, None), (2.0, 1.0)])
def test_a_missing_side_or_a_crossed_market_has_no_mid(bid: float | None, ask: float | None) -> None:
    assert quote(bid, ask).mid is None


def test_the_document_has_the_quote_its_writer_and_the_older_field_names() -> None:
    origin = DocumentOrigin(source="alpaca:iex", job="acme/us", session_id="s", epoch=7)
    written_at = START + timedelta(seconds=1)
    fields = to_live_quote(quote(1.0, None), origin, 3, written_at).document_fields()
    assert fields == {
        "symbol": "A",
        "bid": 1.0,
        "ask": None,
        "bid_size": 1.0,
        "ask_size": 2.0,
        "price": None,
        "ts": START,
        "source": "alpaca:iex",
        "job": "acme/us",
        "session_id": "s",
        "seq": 3,
        "epoch": 7,
        "written_at": written_at,
        "status": "live",
        "price_basis": None,
        "bid_price": 1.0,
        "ask_price": None,
        "last_trade_price": None,
        "last_update_ts": START,
    }


def test_a_quote_is_its_own_tick() -> None:
    made = quote(1.0, 2.0)
    assert made.to_quote() is made
