"""Which trade sets the price, after any order of trades, cancellations and corrections.

Also looked for: duplicates, ids that are used again at another venue or on another day, cancellations that arrive
before their trade or after more than 20 others, trades out of order, and trades with a time in the future.
"""

from datetime import UTC, datetime, timedelta

import pytest

from sluice_runtime.domain.market import Trade, TradeCancellation, TradeCorrection
from sluice_runtime.domain.sale_conditions import last_sale_rule
from sluice_runtime.domain.trade_history import HELD_TRADES, TradeHistory

OPEN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
HORIZON = OPEN + timedelta(days=30)


def moment(at: float) -> datetime:
    return OPEN + timedelta(seconds=at)


def trade(price: float, at: float = 0.0, *, number: int | None = None, venue: str = "D", codes: str = "@") -> Trade:
    """Return a trade of tape A; its id is its price unless `number` is given."""
    chosen = int(price) if number is None else number
    rule = last_sale_rule("A", tuple(codes))
    return Trade(symbol="X", ts=moment(at), price=price, size=100.0, id=chosen, exchange=venue, rule=rule)


def cancellation(of: Trade, at: float = 1000.0) -> TradeCancellation:
    assert of.id is not None
    return TradeCancellation(symbol="X", ts=moment(at), id=of.id, exchange=of.exchange, price=of.price)


def correction(of: Trade, price: float, at: float = 1000.0, *, codes: str = "@") -> TradeCorrection:
    assert of.id is not None
    return TradeCorrection(
        symbol="X",
        ts=moment(at),
        exchange=of.exchange,
        original_id=of.id,
        original_price=of.price,
        id=of.id + 1000,
        price=price,
        rule=last_sale_rule("A", tuple(codes)),
    )


def history(*events: Trade | TradeCancellation | TradeCorrection) -> TradeHistory:
    made = TradeHistory()
    apply(made, *events)
    return made


def apply(made: TradeHistory, *events: Trade | TradeCancellation | TradeCorrection) -> None:
    for each in events:
        if isinstance(each, TradeCancellation):
            made.cancel(each, HORIZON)
        elif isinstance(each, TradeCorrection):
            made.correct(each, HORIZON)
        else:
            made.add(each, each.rule, HORIZON)


def price(made: TradeHistory) -> float | None:
    return made.last.price if made.last is not None else None


def test_the_last_trade_is_the_newest_and_of_two_at_one_time_the_later_arrival() -> None:
    assert price(history()) is None
    assert price(history(trade(10, 1), trade(11, 1), trade(12, 0))) == 11


def test_a_time_in_the_future_is_replaced_by_any_other_trade() -> None:
    made = history(trade(10, at=40 * 86_400), trade(11, 1))
    assert price(made) == 11


def test_after_a_cancellation_the_trade_before_it_is_the_last() -> None:
    first, second, third = trade(10, 1), trade(11, 2), trade(12, 3)
    made = history(first, second, third, cancellation(third))
    assert price(made) == 11
    apply(made, cancellation(first))
    assert price(made) == 11
    apply(made, cancellation(second))
    assert price(made) is None


def test_after_a_cancellation_a_late_trade_is_the_last_only_if_it_is_the_newest() -> None:
    last = trade(12, 3)
    assert price(history(trade(11, 2), trade(10, 1), last, cancellation(last))) == 11


def test_twenty_trades_are_held_and_when_all_are_canceled_there_is_none() -> None:
    trades = [trade(float(n), n) for n in range(1, HELD_TRADES + 6)]
    made = history(*trades)
    apply(made, *(cancellation(each) for each in trades[-HELD_TRADES:]))
    assert price(made) is None
    apply(made, trade(100, 100))
    assert price(made) == 100


def test_a_trade_that_does_not_count_pushes_none_out() -> None:
    odd_lots = [trade(float(n), n, codes="@I") for n in range(100, 150)]
    last = trade(11, 2)
    assert price(history(trade(10, 1), last, *odd_lots, cancellation(last))) == 10


def test_a_cancellation_of_a_trade_that_is_no_longer_held_changes_nothing() -> None:
    old = trade(1, 1)
    assert price(history(old, *(trade(float(n), n) for n in range(2, 40)), cancellation(old))) == 39


def test_a_cancellation_removes_all_copies_of_a_trade() -> None:
    last = trade(11, 2)
    assert price(history(trade(10, 1), last, last, cancellation(last))) == 10
    assert price(history(trade(10, 1), last, cancellation(last), cancellation(last), last)) == 10


def test_a_trade_that_arrives_after_its_cancellation_does_not_count() -> None:
    late = trade(11, 2)
    assert price(history(trade(10, 1), cancellation(late), late)) == 10


def test_a_trade_that_arrives_after_its_correction_counts_as_corrected() -> None:
    late = trade(11, 2)
    made = history(trade(10, 1), correction(late, 10.5), late)
    assert price(made) == 10.5
    apply(made, late)  # a duplicate
    assert price(made) == 10.5
    assert price(history(trade(10, 1), correction(late, 10.5, codes="@I"), late)) == 10


def test_a_trade_without_a_time_of_its_cancellation_can_only_be_canceled_if_it_is_held() -> None:
    last = trade(11, 2)
    timeless = TradeCancellation(symbol="X", ts=None, id=11, exchange="D", price=None)
    assert price(history(trade(10, 1), last, timeless)) == 10
    assert price(history(trade(10, 1), timeless, last)) == 11


def test_an_id_of_another_venue_or_price_is_another_trade() -> None:
    last = trade(11, 2)
    made = history(trade(10, 1), last)
    apply(made, cancellation(trade(11, 2, venue="Q")), cancellation(trade(12, 2, number=11)))
    assert price(made) == 11


def test_an_id_that_is_used_again_on_the_next_day_is_another_trade() -> None:
    before, after = trade(10, 0, number=5), trade(11, 86_400, number=5)
    assert price(history(before, after, cancellation(before, at=90_000))) == 11
    assert price(history(before, after, cancellation(after, at=90_000))) == 10
    assert price(history(before, cancellation(before, at=60), trade(10, 86_400, number=5))) == 10


def test_a_correction_replaces_the_price_and_keeps_the_place() -> None:
    first, second = trade(10, 1), trade(99, 2)
    made = history(first, second, correction(second, 10.2))
    assert made.last is not None
    assert (made.last.price, made.last.id, made.last.ts) == (10.2, 1099, moment(2))
    apply(made, correction(first, 9.9))
    assert price(made) == 10.2
    apply(made, cancellation(trade(10.2, 2, number=1099)))
    assert price(made) == 9.9


def test_a_corrected_trade_is_corrected_again() -> None:
    last = trade(99, 2)
    again = TradeCorrection(
        symbol="X", ts=moment(9), exchange="D", original_id=1099, original_price=98.0, id=7, price=10.2
    )
    assert price(history(trade(10, 1), last, correction(last, 98.0), again)) == 10.2


def test_corrected_conditions_count() -> None:
    last = trade(11, 2)
    assert price(history(trade(10, 1), last, correction(last, 11.5, codes="@I"))) == 10
    odd_lot = trade(11, 2, codes="@I")
    assert price(history(trade(10, 1), odd_lot, correction(odd_lot, 11.5))) == 10  # what did not count is not held


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_a_correction_to_an_invalid_price_cancels_the_trade(wrong: float) -> None:
    last = trade(11, 2)
    assert price(history(trade(10, 1), last, correction(last, wrong))) == 10


@pytest.mark.parametrize("code", "BCHIMNQRTUV78")
def test_a_trade_that_never_sets_the_last_price_does_not(code: str) -> None:
    assert price(history(trade(10, 1), trade(11, 2, codes=f"@{code}"))) == 10
    assert price(history(trade(11, 2, codes=f"@{code}"))) is None


@pytest.mark.parametrize("code", "PZ4")
def test_a_conditional_trade_counts_only_as_the_first_of_its_day(code: str) -> None:
    conditional = trade(11, 2, codes=f" {code}")
    assert price(history(conditional)) == 11
    assert price(history(trade(10, 1), conditional)) == 10
    assert price(history(conditional, trade(12, 3, codes=f" {code}"))) == 11
    assert price(history(conditional, trade(10, 1))) == 10  # it is no longer the only one
    assert price(history(trade(10, 1), trade(11, 86_400, codes=f" {code}"))) == 11
    first = trade(10, 1)
    assert price(history(first, conditional, cancellation(first))) == 11  # it has become the only one


def test_a_trading_day_includes_its_evening() -> None:
    evening = 9.5 * 3600  # 19:00 in New York, 00:00 UTC
    assert price(history(trade(10, 0), trade(11, evening, codes=" Z"))) == 10


def test_a_sold_last_trade_counts_if_it_is_from_the_venue_of_the_last_trade_or_the_listing_venue() -> None:
    last = trade(10, 1, venue="Q")
    assert price(history(trade(11, 2, venue="P", codes=" L"))) == 11
    assert price(history(last, trade(11, 2, venue="P", codes=" L"))) == 10
    assert price(history(last, trade(11, 2, venue="Q", codes=" L"))) == 11
    assert price(history(last, trade(11, 2, venue="N", codes=" L"))) == 11
    assert price(history(last, trade(11, 0, venue="Q", codes=" L"))) == 10


def test_a_snapshot_adds_only_a_newer_trade_and_never_one_that_was_canceled() -> None:
    first, last = trade(10, 1), trade(11, 2)
    made = history(first, last)
    for each in (first, last, trade(9, 0)):
        made.apply_snapshot(each, each.rule, HORIZON)
        assert price(made) == 11
    apply(made, cancellation(last))
    made.apply_snapshot(last, last.rule, HORIZON)
    assert price(made) == 10
    odd_lot = trade(12, 3, codes="@I")
    made.apply_snapshot(odd_lot, odd_lot.rule, HORIZON)
    assert price(made) == 10


def test_after_a_reconnect_the_snapshot_shows_which_trades_vanished() -> None:
    trades = [trade(float(n), n) for n in (10, 11, 12)]
    made = history(*trades)
    made.apply_snapshot(trades[0], trades[0].rule, HORIZON)
    assert price(made) == 12  # the stream is ahead of the snapshot
    made.mark_unconfirmed()
    after = trade(13, 13)
    apply(made, after)
    made.apply_snapshot(trades[0], trades[0].rule, HORIZON)
    assert price(made) == 13
    apply(made, cancellation(after))
    assert price(made) == 10


def test_a_late_cancellation_after_a_reconnect_is_applied() -> None:
    last = trade(11, 2)
    made = history(trade(10, 1), last)
    made.mark_unconfirmed()
    apply(made, cancellation(last))
    assert price(made) == 10
