"""Symbols that a document lists more than once: the warning of a plan, and what counts."""

from sluice_cli.model.plan.symbol_duplicates import duplicate_findings, unique_symbols


def test_a_warning_names_the_duplicates_and_says_what_to_do() -> None:
    [found] = duplicate_findings({"spec": {"symbols": ["SPY", "AAPL", "SPY"]}})
    assert (found.level, found.topic) == ("warning", "symbols")
    assert found.message == "spec.symbols contains SPY more than once; it is used once."
    assert found.remedy == "Remove the duplicates from spec.symbols."


def test_a_warning_names_at_most_ten_symbols() -> None:
    [found] = duplicate_findings({"spec": {"symbols": [f"S{number}" for number in range(12)] * 2}})
    assert "S9 and 2 others more than once; each of them is used once." in found.message


def test_symbols_that_are_listed_once_give_no_warning() -> None:
    assert duplicate_findings({"spec": {"symbols": ["SPY", "AAPL"]}}) == []
    assert duplicate_findings({}) == []


def test_each_symbol_counts_once() -> None:
    assert unique_symbols({"symbols": ["SPY", "AAPL", "SPY"], "tenant": "acme"}) == {
        "symbols": ["SPY", "AAPL"],
        "tenant": "acme",
    }
    spec = {"symbols": ["SPY"]}
    assert unique_symbols(spec) is spec
