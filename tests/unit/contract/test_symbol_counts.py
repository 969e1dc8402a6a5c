import msgspec

from sluice_contract.symbol_counts import SymbolCounts


def test_the_lists_of_names_are_empty_by_default() -> None:
    counts = msgspec.convert(
        {"live": "1/2", "desired": 2, "confirmed": 1, "pending": 1, "paused": 0, "rejected": 0}, SymbolCounts
    )
    assert (counts.rejections, counts.stale_symbols, counts.halted_symbols, counts.paused_symbols) == ([], [], [], [])
