from datetime import timedelta

from sluice_runtime.domain.market_history import requests_for_gap
from support.virtual_time import START

END = START + timedelta(seconds=90)


def test_a_gap_takes_trades_of_its_period_and_the_bars_that_were_sent_in_it() -> None:
    trades, bars = requests_for_gap(["AAPL", "MSFT"], START, END)
    assert (trades.kind, trades.symbols, trades.start, trades.end) == ("trades", ("AAPL", "MSFT"), START, END)
    minute = timedelta(minutes=1)
    assert (bars.kind, bars.symbols, bars.start, bars.end) == ("bars", trades.symbols, START - minute, END - minute)


def test_a_request_has_at_most_a_hundred_symbols() -> None:
    symbols = [f"S{n}" for n in range(250)]
    requests = requests_for_gap(symbols, START, END)
    assert [len(each.symbols) for each in requests] == [100, 100, 100, 100, 50, 50]
    assert [name for each in requests if each.kind == "trades" for name in each.symbols] == symbols


def test_a_gap_without_symbols_needs_no_request() -> None:
    assert requests_for_gap([], START, END) == []
