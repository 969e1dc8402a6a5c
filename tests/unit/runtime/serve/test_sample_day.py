from pathlib import Path

import pytest

from sluice_runtime.domain.market import Bar, Quote, Trade
from sluice_runtime.serve.sample_day import write_sample_day
from sluice_runtime.serve.tape_source import read_tape_contents, read_tape_events


def test_a_sample_day_has_quotes_trades_at_them_and_their_bars(tmp_path: Path) -> None:
    path = tmp_path / "day.csv.gz"
    write_sample_day(path, ["SPY", "BRK.B"], 2, 7)
    events = list(read_tape_events(path))
    quotes = [event for event in events if isinstance(event, Quote)]
    trades = [event for event in events if isinstance(event, Trade)]
    bars = [event for event in events if isinstance(event, Bar)]

    assert read_tape_contents(path).channels == {"quotes", "trades", "bars"}
    assert len(quotes) == 2 * 60 * 2
    assert len(bars) == 4
    for trade in trades:
        assert trade.price in {price for quote in quotes if quote.ts == trade.ts for price in (quote.bid, quote.ask)}
    first = [trade for trade in trades if trade.symbol == "SPY" and trade.ts.minute == bars[0].ts.minute]
    assert (bars[0].symbol, bars[0].open, bars[0].close) == ("SPY", first[0].price, first[-1].price)
    assert bars[0].volume == sum(trade.size or 0 for trade in first)


def test_the_same_seed_gives_the_same_day_and_no_file_is_overwritten(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample_day(tmp_path / name, ["SPY"], 1, seed)

    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() != (tmp_path / "c").read_text()
    with pytest.raises(FileExistsError, match="name another file"):
        write_sample_day(tmp_path / "a", ["SPY"], 1, 1)
