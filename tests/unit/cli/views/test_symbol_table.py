from __future__ import annotations

from datetime import timedelta

from sluice_cli.model.fleet import Unseen
from sluice_cli.model.symbol_list import SymbolList, SymbolReport
from sluice_cli.text.printable import display_width
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.symbol_table import symbol_lines
from support.fake_kubectl import NOW

MOMENT = NOW - timedelta(seconds=4)
SPY = SymbolReport("SPY", "live", MOMENT, 601.22, 601.23, 601.225, 5.0, MOMENT)
COIN = SymbolReport("SHIB/USD", "quiet", MOMENT, 0.00001234, None, None, 140.0, None)
STALE = SymbolReport("XYZ", "stale", NOW - timedelta(minutes=4))
TWTR = SymbolReport("TWTR", "rejected", reason="404 not found")
LONG = SymbolReport("AAPL", "paused", reason="word " * 30)


def lines(
    *symbols: SymbolReport, source: str = "pod", only_stale: bool = False, colors: bool = False, width: int = 80
) -> list[str]:
    unseen = () if source == "pod" else (Unseen("quotes", "you may not create pods/portforward"),)
    found = SymbolList(NOW, "acme/us", source, symbols, {"stale": 1, "live": 1}, unseen)
    return symbol_lines(found, Terminal(width=width, has_colors=colors), only_stale=only_stale)


def test_each_symbol_has_its_quote_and_its_reason() -> None:
    assert lines(TWTR, STALE, COIN, SPY, width=100) == [
        "   SYMBOL    STATE     QUOTE  BID         ASK     PRICE    PACE  WRITTEN  REASON",
        "✗  TWTR      rejected  -      -           -       -        -     -        404 not found",
        "▲  XYZ       stale     4m     -           -       -        -     -",
        "●  SHIB/USD  quiet     4s     0.00001234  -       -        2m    -",
        "●  SPY       live      4s     601.22      601.23  601.225  5s    4s",
        "acme/us: 1 stale · 1 live, by the pod",
    ]  # fmt: skip


def test_a_long_reason_has_lines_of_its_own() -> None:
    found = lines(LONG)
    assert len(found) > 4
    assert all(display_width(each) <= 80 for each in found)
    assert found[2].startswith("   word word")


def test_the_status_names_the_first_symbols_only() -> None:
    rest = [SymbolReport(name, "not named") for name in ("AAPL", "SPY")]
    assert lines(STALE, *rest, source="status") == [
        "   SYMBOL  STATE",
        "▲  XYZ     stale",
        "acme/us: 1 stale · 1 live, by the status of the job, at most 30 s old",
        "2 other symbols are not named: the status has the first 20 of each state.",
        "Not visible: quotes (you may not create pods/portforward)",
    ]


def test_no_stale_symbol_is_said() -> None:
    assert lines(only_stale=True) == ["No symbol is stale. acme/us: 1 stale · 1 live, by the pod"]


def test_the_sign_has_the_color_of_its_level() -> None:
    assert lines(TWTR, colors=True)[1].startswith("\x1b[31m✗\x1b[0m  TWTR")
