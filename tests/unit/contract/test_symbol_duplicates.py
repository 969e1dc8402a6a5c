"""Symbols that a list contains more than once."""

import pytest

from sluice_contract.symbol_duplicates import duplicate_symbols, duplicates_sentence


@pytest.mark.parametrize(
    ("symbols", "found"),
    [([], ()), (["SPY", "AAPL"], ()), (["SPY", "AAPL", "SPY", "QQQ", "AAPL", "SPY"], ("SPY", "AAPL"))],
)
def test_each_duplicate_is_named_once_in_the_order_of_the_list(symbols: list[str], found: tuple[str, ...]) -> None:
    assert duplicate_symbols(symbols) == found


def test_the_sentence_names_one_symbol_and_says_what_to_do() -> None:
    assert duplicates_sentence(("SPY",)) == (
        "spec.symbols contains SPY more than once; it is used once. Remove the duplicates from spec.symbols."
    )


def test_the_sentence_names_at_most_ten_symbols() -> None:
    sentence = duplicates_sentence([f"S{number}" for number in range(12)])
    assert "S9 and 2 others more than once; each of them is used once." in sentence
