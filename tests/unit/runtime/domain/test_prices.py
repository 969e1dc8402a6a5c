"""When a symbol has a price, and what it is based on.

Also looked for: prices of 0, below 0 and NaN (a side is then missing, see test_market), spreads at the bound exactly,
symbols below a dollar and below a cent, crypto, and markets that flicker.
"""

from __future__ import annotations

import pytest

from sluice_runtime.domain.market import Quote, Trade
from sluice_runtime.domain.prices import NO_PRICE, Price, PriceModel
from support.virtual_time import START

TRADE = Trade(symbol="A", ts=START, price=55.0)


def quote(bid: float | None, ask: float | None, symbol: str = "A") -> Quote:
    return Quote(symbol=symbol, ts=START, bid=bid, ask=ask, bid_size=1.0, ask_size=1.0)


def price(made: Quote, trade: Trade | None = None, *, is_halted: bool = False) -> Price:
    return PriceModel().price_of(made, trade, 0.0, is_halted=is_halted)


@pytest.mark.parametrize(
    ("bid", "ask", "value"),
    [
        (100.0, 100.02, 100.01),
        (0.01, 199_999.99, None),  # stub quotes
        (None, 100.0, None),
        (100.0, None, None),
        (None, None, None),
        (90.0, 110.0, 100.0),  # exactly 20 percent
        (0.9, 1.1, 1.0),  # likewise, but not in binary fractions
        (89.9, 110.1, None),
        (0.0010, 0.0012, 0.0011),
        (0.0001, 0.0002, None),
        (0.5, 0.51, 0.505),
        (0.00001234, 0.00001236, 0.00001235),
        (64_000.25, 64_001.0, 64_000.625),
    ],
)
def test_the_mid_is_a_price_if_the_spread_is_within_the_bound(
    bid: float | None, ask: float | None, value: float | None
) -> None:
    assert price(quote(bid, ask)) == (Price(value, "mid") if value is not None else NO_PRICE)


@pytest.mark.parametrize(("percent", "value"), [(1, None), (9, None), (10, 100.0), (200, 100.0)])
def test_the_bound_can_be_changed(percent: int, value: float | None) -> None:
    model = PriceModel()
    model.max_spread_percent = percent
    assert model.price_of(quote(95.0, 105.0), None, 0.0, is_halted=False).value == value


@pytest.mark.parametrize(("bid", "ask"), [(100.0, 100.02), (0.01, 199_999.99), (None, 100.0), (101.0, 100.0)])
def test_the_last_trade_is_the_price_whatever_the_quote_is(bid: float | None, ask: float | None) -> None:
    assert price(quote(bid, ask), TRADE) == Price(55.0, "trade")


@pytest.mark.parametrize("trade", [None, TRADE])
def test_a_halted_symbol_has_no_price(trade: Trade | None) -> None:
    assert price(quote(100.0, 100.02), trade, is_halted=True) == NO_PRICE


@pytest.mark.parametrize(("bid", "ask"), [(100.0, 100.0), (101.0, 100.0)])
def test_a_locked_or_crossed_market_keeps_the_mid_before_it_for_one_second(bid: float, ask: float) -> None:
    model, before, locked = PriceModel(), quote(99.0, 100.0), quote(bid, ask)
    model.remember_midpoint(before)
    assert not model.is_unsettled("A")
    model.observe_waiting_ticks([locked], 10.0)
    model.remember_midpoint(locked)
    for at, value in ((10.0, 99.5), (10.9, 99.5), (11.0, 99.5), (11.1, None), (60.0, None)):
        assert model.price_of(locked, None, at, is_halted=False).value == value
    assert model.is_unsettled("A")
    model.observe_waiting_ticks([locked], 60.0)  # further quotes do not begin the second again
    assert model.price_of(locked, None, 60.0, is_halted=False) == NO_PRICE


def test_the_second_begins_again_after_a_usable_quote() -> None:
    model, usable, locked = PriceModel(), quote(99.0, 100.0), quote(100.0, 100.0)
    model.remember_midpoint(usable)
    for at in (10.0, 10.8):
        model.observe_waiting_ticks([locked], at)
        model.observe_waiting_ticks([usable], at + 0.4)
    model.observe_waiting_ticks([locked], 11.5)
    assert model.price_of(locked, None, 12.0, is_halted=False).value == 99.5


def test_a_market_that_is_locked_from_the_beginning_or_after_a_stub_quote_has_no_price() -> None:
    model, locked = PriceModel(), quote(100.0, 100.0)
    assert model.price_of(locked, None, 0.0, is_halted=False) == NO_PRICE
    model.remember_midpoint(quote(99.0, 100.0))
    model.remember_midpoint(quote(0.01, 199_999.99))
    assert model.price_of(locked, None, 0.0, is_halted=False) == NO_PRICE


def test_other_symbols_are_not_affected_and_removed_symbols_are_forgotten() -> None:
    model, locked = PriceModel(), quote(100.0, 100.0)
    model.remember_midpoint(quote(99.0, 100.0))
    model.observe_waiting_ticks([locked, quote(99.0, 100.0, "B")], 10.0)
    assert (model.is_unsettled("A"), model.is_unsettled("B")) == (True, False)
    model.retain_only({"B"})
    assert not model.is_unsettled("A")
    assert model.price_of(locked, None, 10.0, is_halted=False) == NO_PRICE
