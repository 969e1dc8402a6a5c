from datetime import timedelta

from sluice_runtime.domain.market import Bar, Quote, Trade
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from support.virtual_time import START


def quote(symbol: str, seconds: float = 0.0) -> Quote:
    return Quote(symbol=symbol, ts=START + timedelta(seconds=seconds), bid=1.0, ask=2.0, bid_size=1.0, ask_size=1.0)


def trade(symbol: str, seconds: float = 0.0) -> Trade:
    return Trade(symbol=symbol, ts=START + timedelta(seconds=seconds), price=1.5, size=1.0)


def test_snapshot_values_older_than_their_document_are_left_out() -> None:
    latest = MarketSnapshot(
        (quote("A", 1), quote("B", 1), quote("C", -1), quote("D", -1), quote("E")), (trade("C", 1),)
    )
    kept = latest.without_outdated_quotes(dict.fromkeys("ACDE", START))
    assert [each.symbol for each in kept.quotes] == ["A", "B", "C", "E"]
    assert kept.trades == latest.trades


def test_a_snapshot_without_trades_has_the_age_of_its_quotes() -> None:
    bars = (Bar(symbol="A", ts=START, open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0),)
    latest = MarketSnapshot((quote("A", -1),), (trade("A", 1),), bars=bars).without_trades()
    assert latest.bars == bars
    assert (latest.trades, latest.without_outdated_quotes({"A": START}).quotes) == ((), ())
