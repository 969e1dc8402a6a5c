from datetime import timedelta

from sluice_contract.spec import Channel
from sluice_runtime.domain.last_values import LastValues
from sluice_runtime.domain.market import Bar, Halt, Trade
from support.virtual_time import START

ALL: frozenset[Channel] = frozenset({"quotes", "trades", "bars"})
HORIZON = START + timedelta(seconds=60)


def board(*symbols: str, channels: frozenset[Channel] = ALL) -> LastValues:
    made = LastValues()
    made.set_kept_symbols(frozenset(symbols), frozenset(symbols), channels)
    return made


def trade(symbol: str = "A", at: float = 0.0, price: float = 1.0) -> Trade:
    return Trade(symbol=symbol, ts=START + timedelta(seconds=at), price=price, size=1.0)


def bar(symbol: str = "A", at: float = 0.0) -> Bar:
    return Bar(symbol=symbol, ts=START + timedelta(seconds=at), open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0)


def halt(symbol: str = "A", at: float = 0.0, *, halted: bool = True) -> Halt:
    return Halt(symbol=symbol, ts=START + timedelta(seconds=at), halted=halted, code="H", reason="news")


def test_the_newest_trade_is_kept_and_of_two_with_one_time_the_later_arrival() -> None:
    book = board("A")
    book.record_trades([trade(at=1, price=1.0), trade(at=1, price=2.0), trade(at=0, price=3.0), trade("Z")], HORIZON)
    assert book.trades == {"A": trade(at=1, price=2.0)}


def test_a_trade_stamped_far_in_the_future_is_replaced_by_the_next() -> None:
    book = board("A")
    book.record_trades([trade(at=3600, price=1.0), trade(at=1, price=2.0)], HORIZON)
    assert book.trades == {"A": trade(at=1, price=2.0)}


def test_snapshot_values_are_used_only_if_newer_and_not_in_the_future() -> None:
    book = board("A", "B")
    book.record_trades([trade(at=1, price=1.0)], HORIZON)
    book.record_snapshot_trades([trade(at=1, price=9.0), trade("B", at=61)], HORIZON)
    assert book.trades == {"A": trade(at=1, price=1.0)}
    book.record_snapshot_trades([trade(at=2, price=2.0)], HORIZON)
    assert book.trades == {"A": trade(at=2, price=2.0)}


def test_snapshot_bars_are_used_only_if_newer_and_not_in_the_future() -> None:
    book = board("A", "B")
    book.record_bars([bar("A", at=0)])
    book.remove_written_bars(list(book.bars.values()))
    book.record_snapshot_bars([bar("A", at=0), bar("B", at=61)], HORIZON)
    assert book.bars == {}
    book.record_snapshot_bars([bar("A", at=60), bar("B", at=0)], HORIZON)
    assert book.bars == {"A": bar("A", at=60), "B": bar("B", at=0)}


def test_trades_and_bars_are_dropped_with_their_channel() -> None:
    book = board("A")
    book.record_trades([trade()], HORIZON)
    book.record_bars([bar()])
    book.set_kept_symbols(frozenset("A"), frozenset("A"), frozenset({"quotes"}))
    book.record_trades([trade()], HORIZON)
    book.record_bars([bar()])
    assert (book.trades, book.bars, book.bar_times) == ({}, {}, {})


def test_trades_and_bars_are_dropped_with_their_symbol_and_a_pause_keeps_the_trade() -> None:
    book = board("A", "B")
    book.record_trades([trade("A"), trade("B")], HORIZON)
    book.record_bars([bar("A"), bar("B")])
    book.set_kept_symbols(frozenset("A"), frozenset(), ALL)
    assert (book.trades, book.bars, book.bar_times) == ({"A": trade("A")}, {}, {})


def test_a_bar_stays_pending_until_it_is_written_or_a_newer_one_arrives() -> None:
    book = board("A", "B")
    book.record_bars([bar("A"), bar("B")])
    due = list(book.bars.values())
    book.record_bars([bar("A", at=60)])
    book.remove_written_bars(due)
    assert book.bars == {"A": bar("A", at=60)}


def test_quotes_do_not_end_a_halt_and_a_status_message_does() -> None:
    book = board("A")
    book.record_halts([halt("A"), halt("Z")])
    book.drop_doubtful_halts(lambda _: HORIZON, None)
    assert book.halted_symbols == {"A", "Z"}
    book.record_halts([halt("A", at=1, halted=False)])
    assert book.halted_symbols == {"Z"}


def test_a_halt_of_a_closed_connection_ends_with_the_first_newer_tick() -> None:
    book = board("A", "B", "C")
    book.record_halts([halt("A"), halt("B"), halt("C")])
    book.mark_halts_unconfirmed(START)
    book.record_trades([trade("B", at=1)], HORIZON)
    book.drop_doubtful_halts({"A": START, "C": START + timedelta(seconds=1)}.get, None)
    assert book.halted_symbols == {"A"}


def test_ticks_from_before_the_disconnect_do_not_end_a_halt() -> None:
    book = board("A")
    book.record_halts([halt("A")])
    book.mark_halts_unconfirmed(START + timedelta(seconds=5))
    book.mark_halts_unconfirmed(START + timedelta(seconds=60))
    book.drop_doubtful_halts({"A": START + timedelta(seconds=5)}.get, None)
    assert book.halted_symbols == {"A"}
    book.drop_doubtful_halts({"A": START + timedelta(seconds=6)}.get, None)
    assert book.halted_symbols == set()


def test_a_halt_that_is_reported_again_is_confirmed() -> None:
    book = board("A")
    book.record_halts([halt("A")])
    book.mark_halts_unconfirmed(START)
    book.record_halts([halt("A", at=1)])
    book.drop_doubtful_halts(lambda _: HORIZON, None)
    assert book.halted_symbols == {"A"}


def test_a_halt_from_before_the_opening_is_forgotten() -> None:
    book = board("A", "B")
    book.record_halts([halt("A", at=-1), halt("B", at=1)])
    book.drop_doubtful_halts(lambda _: None, START)
    assert book.halted_symbols == {"B"}
