import msgspec
import pytest

from sluice_contract.values import Symbol


@pytest.mark.parametrize("symbol", ["A", "SPY", "BRK.B", "BTC/USD", "A1"])
def test_a_symbol_is_upper_case_with_at_most_one_class_or_currency(symbol: str) -> None:
    assert msgspec.convert(symbol, Symbol) == symbol


@pytest.mark.parametrize("symbol", ["", "spy", "BRK B", "BRK..B", ".A", "A/", "1A", "A" * 22])
def test_the_schema_rejects_symbols_that_alpaca_would_reject(symbol: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(symbol, Symbol)
