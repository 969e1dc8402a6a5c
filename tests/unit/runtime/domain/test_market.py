import pytest

from sluice_runtime.domain.market import Quote, normalised_side
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


@pytest.mark.parametrize(
    ("bid", "ask", "mid"),
    [
        (18.30, 18.31, 18.305),
        (601.22, 601.25, 601.235),
        (0.0001, 0.0002, 0.00015),
        (0.1, 0.3, 0.2),
        (1.1, 2.2, 1.65),
        (0.00001234, 0.00001236, 0.00001235),  # six decimals would be above the ask
        (0.12345671, 0.12345673, 0.12345672),
        (1e-13, 3e-13, 2e-13),  # twelve would be 0
        (1e308, 1.7e308, 1.35e308),
    ],
)
def test_a_mid_has_no_float_noise_and_is_never_outside_of_the_market(bid: float, ask: float, mid: float) -> None:
    assert quote(bid, ask).mid == mid


@pytest.mark.parametrize(("bid", "ask", "expected"), [(1.0, 2.0, False), (2.0, 2.0, True), (3.0, 2.0, True)])
def test_a_market_is_locked_or_crossed_if_the_bid_is_at_or_above_the_ask(
    bid: float, ask: float, expected: bool
) -> None:
    assert quote(bid, ask).is_locked_or_crossed is expected


def test_a_market_with_one_side_is_not_locked() -> None:
    assert not quote(None, 2.0).is_locked_or_crossed
    assert not quote(2.0, None).is_locked_or_crossed


def test_a_quote_is_its_own_tick() -> None:
    made = quote(1.0, 2.0)
    assert made.to_quote() is made
