from datetime import timedelta

import msgspec
import pytest

from sluice_contract.spec import Channel
from sluice_runtime.domain.last_values import LastValues
from sluice_runtime.domain.market import Bar, Halt, Trade, TradeCancellation, TradeCorrection
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from sluice_runtime.domain.sale_conditions import last_sale_rule
from support.virtual_time import START

ALL: frozenset[Channel] = frozenset({"quotes", "trades", "bars"})
HORIZON = START + timedelta(seconds=60)


def board(*symbols: str, channels: frozenset[Channel] = ALL) -> LastValues:
    made = LastValues()
    made.set_kept_symbols(frozenset(symbols), frozenset(symbols), channels)
    return made


def trade(symbol: str = "A", at: float = 0.0, price: float = 1.0) -> Trade:
    return Trade(symbol=symbol, ts=START + timedelta(seconds=at), price=price, size=1.0)


def prices(values: LastValues, *symbols: str) -> list[float | None]:
    """Return the price of the last trade of each symbol."""
    trades = [values.last_trade(symbol) for symbol in symbols]
    return [trade.price if trade is not None else None for trade in trades]


def bar(symbol: str = "A", at: float = 0.0) -> Bar:
    return Bar(symbol=symbol, ts=START + timedelta(seconds=at), open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0)


def halt(symbol: str = "A", at: float = 0.0, *, halted: bool = True) -> Halt:
    return Halt(symbol=symbol, ts=START + timedelta(seconds=at), halted=halted, code="H", reason="news")


def test_the_newest_trade_is_kept_and_of_two_with_one_time_the_later_arrival() -> None:
    values = board("A")
    values.record_trades([trade(at=1, price=1.0), trade(at=1, price=2.0), trade(at=0, price=3.0), trade("Z")], HORIZON)
    assert prices(values, "A", "Z") == [2.0, None]


def test_a_trade_stamped_far_in_the_future_is_replaced_by_the_next() -> None:
    values = board("A")
    values.record_trades([trade(at=3600, price=1.0), trade(at=1, price=2.0)], HORIZON)
    assert prices(values, "A", "Z") == [2.0, None]


def test_snapshot_values_are_used_only_if_newer_and_not_in_the_future() -> None:
    values = board("A", "B")
    values.record_trades([trade(at=1, price=1.0)], HORIZON)
    values.record_snapshot_trades(MarketSnapshot(trades=(trade(at=1, price=9.0), trade("B", at=61))), HORIZON)
    assert prices(values, "A", "B") == [1.0, None]
    values.record_snapshot_trades(MarketSnapshot(trades=(trade(at=2, price=2.0),)), HORIZON)
    assert prices(values, "A") == [2.0]


def test_trades_cancellations_and_corrections_are_applied_in_the_order_of_arrival() -> None:
    values = board("A", "B")
    second = Trade(symbol="A", ts=START, price=99.0, size=1.0, id=2, exchange="D")
    correction = TradeCorrection(
        symbol="A", ts=START, exchange="D", original_id=2, original_price=99.0, id=3, price=1.5
    )
    values.record_trades([trade(price=1.0), second, correction, trade("B")], HORIZON)
    assert prices(values, "A", "B") == [1.5, 1.0]
    cancellation = TradeCancellation(symbol="A", ts=START, id=3, exchange="D", price=1.5)
    values.record_trades([cancellation, msgspec.structs.replace(cancellation, symbol="UNKNOWN")], HORIZON)
    assert prices(values, "A") == [1.0]


def test_a_snapshot_can_show_that_the_last_trade_was_canceled() -> None:
    values = board("A")
    values.record_trades([trade(price=1.0), Trade(symbol="A", ts=START, price=99.0, size=1.0, id=2)], HORIZON)
    canceled = TradeCancellation(symbol="A", ts=START, id=2, exchange="", price=99.0)
    values.record_snapshot_trades(MarketSnapshot(cancellations=(canceled,)), HORIZON)
    assert prices(values, "A") == [1.0]


def test_trades_that_vanished_while_the_connection_was_closed_do_not_count() -> None:
    values = board("A")
    values.record_trades([trade(at=1, price=1.0), trade(at=2, price=99.0)], HORIZON)
    snapshot = MarketSnapshot(trades=(trade(at=1, price=1.0),))
    values.record_snapshot_trades(snapshot, HORIZON)
    assert prices(values, "A") == [99.0]  # on the same connection, the snapshot may be older than the stream
    values.mark_unconfirmed(START)
    values.record_trades([trade(at=3, price=1.5)], HORIZON)
    values.record_snapshot_trades(snapshot, HORIZON)
    assert prices(values, "A") == [1.5]


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_a_trade_without_a_valid_price_is_ignored(price: float) -> None:
    values = board("A")
    values.record_trades([trade(price=1.0), trade(at=1, price=price)], HORIZON)
    assert prices(values, "A") == [1.0]


def test_each_trade_with_an_unknown_condition_is_counted_by_tape_and_code_and_counts_as_a_sale() -> None:
    counts: dict[tuple[str, str], int] = {}
    values = LastValues(counts)
    values.set_kept_symbols(frozenset("A"), frozenset("A"), ALL)
    rule = last_sale_rule("C", ("@", "?", "long", "longer"))
    odd = Trade(symbol="A", ts=START, price=2.0, size=1.0, rule=rule)
    values.record_trades([odd, odd, msgspec.structs.replace(odd, symbol="UNKNOWN"), trade(price=1.0)], HORIZON)
    assert counts == {("C", "?"): 2, ("C", "other"): 2}


def test_snapshot_bars_are_used_only_if_newer_and_not_in_the_future() -> None:
    values = board("A", "B")
    values.record_bars([bar("A", at=0)])
    values.remove_written_bars(list(values.bars.values()))
    values.record_snapshot_bars([bar("A", at=0), bar("B", at=61)], HORIZON)
    assert values.bars == {}
    values.record_snapshot_bars([bar("A", at=60), bar("B", at=0)], HORIZON)
    assert values.bars == {"A": bar("A", at=60), "B": bar("B", at=0)}


def test_trades_and_bars_are_dropped_with_their_channel() -> None:
    values = board("A")
    values.record_trades([trade()], HORIZON)
    values.record_bars([bar()])
    values.set_kept_symbols(frozenset("A"), frozenset("A"), frozenset({"quotes"}))
    values.record_trades([trade()], HORIZON)
    values.record_bars([bar()])
    assert (prices(values, "A"), values.bars, values.bar_times) == ([None], {}, {})


def test_trades_and_bars_are_dropped_with_their_symbol_and_a_pause_keeps_the_trade() -> None:
    values = board("A", "B")
    values.record_trades([trade("A"), trade("B")], HORIZON)
    values.record_bars([bar("A"), bar("B")])
    values.set_kept_symbols(frozenset("A"), frozenset(), ALL)
    assert (prices(values, "A", "B"), values.bars, values.bar_times) == ([1.0, None], {}, {})


def test_a_bar_stays_pending_until_it_is_written_or_a_newer_one_arrives() -> None:
    values = board("A", "B")
    values.record_bars([bar("A"), bar("B")])
    due = list(values.bars.values())
    values.record_bars([bar("A", at=60)])
    values.remove_written_bars(due)
    assert values.bars == {"A": bar("A", at=60)}


def test_quotes_do_not_end_a_halt_and_a_status_message_does() -> None:
    values = board("A")
    values.record_halts([halt("A"), halt("Z")])
    values.drop_doubtful_halts(lambda _: HORIZON, None)
    assert values.halted_symbols == {"A", "Z"}
    values.record_halts([halt("A", at=1, halted=False)])
    assert values.halted_symbols == {"Z"}


def test_a_halt_of_a_closed_connection_ends_with_the_first_newer_tick() -> None:
    values = board("A", "B", "C")
    values.record_halts([halt("A"), halt("B"), halt("C")])
    values.mark_unconfirmed(START)
    values.record_trades([trade("B", at=1)], HORIZON)
    values.drop_doubtful_halts({"A": START, "C": START + timedelta(seconds=1)}.get, None)
    assert values.halted_symbols == {"A"}


def test_ticks_from_before_the_disconnect_do_not_end_a_halt() -> None:
    values = board("A")
    values.record_halts([halt("A")])
    values.mark_unconfirmed(START + timedelta(seconds=5))
    values.mark_unconfirmed(START + timedelta(seconds=60))
    values.drop_doubtful_halts({"A": START + timedelta(seconds=5)}.get, None)
    assert values.halted_symbols == {"A"}
    values.drop_doubtful_halts({"A": START + timedelta(seconds=6)}.get, None)
    assert values.halted_symbols == set()


def test_a_halt_that_is_reported_again_is_confirmed() -> None:
    values = board("A")
    values.record_halts([halt("A")])
    values.mark_unconfirmed(START)
    values.record_halts([halt("A", at=1)])
    values.drop_doubtful_halts(lambda _: HORIZON, None)
    assert values.halted_symbols == {"A"}


def test_a_halt_from_before_the_opening_is_forgotten() -> None:
    values = board("A", "B")
    values.record_halts([halt("A", at=-1), halt("B", at=1)])
    values.drop_doubtful_halts(lambda _: None, START)
    assert values.halted_symbols == {"B"}
