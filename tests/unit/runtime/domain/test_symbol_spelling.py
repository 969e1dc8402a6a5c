import pytest

from sluice_runtime.domain.symbol_spelling import SymbolSpellings


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("SPY", "SPY"),
        ("spy", "SPY"),
        (" Spy ", "SPY"),
        ("BRK-B", "BRK.B"),
        ("BRK/B", "BRK.B"),
        ("brk b", "BRK.B"),
        ("BRK_B", "BRK.B"),
        ("BTC-USD", "BTC/USD"),
        ("BTCUSD", "BTC/USD"),
        ("btc_usd", "BTC/USD"),
        ("BTC.USD", "BTC/USD"),
        ("BRKB", None),
        ("MSFT", None),
        ("", None),
    ],
)
def test_a_symbol_is_found_by_its_other_spellings(text: str, symbol: str | None) -> None:
    assert SymbolSpellings(["SPY", "BRK.B", "BTC/USD"]).symbol_of(text) == symbol


def test_an_exact_spelling_takes_precedence() -> None:
    spellings = SymbolSpellings(["BTC/USD", "BTCUSD"])
    assert (spellings.symbol_of("BTCUSD"), spellings.symbol_of("BTC/USD")) == ("BTCUSD", "BTC/USD")
    assert spellings.symbol_of("BTC-USD") == "BTC/USD"


def test_a_spelling_of_two_symbols_is_ambiguous() -> None:
    spellings = SymbolSpellings(["AB.C", "AB/C"])
    assert spellings.symbol_of("AB-C") is None
    assert (spellings.symbol_of("AB.C"), spellings.symbol_of("AB/C")) == ("AB.C", "AB/C")
