from sluice_runtime.state.symbols import RemovedSymbols, SymbolsAwaitingSnapshot
from support.runtime_fakes import desired


def test_inherited_symbols_are_taken_once() -> None:
    removed = RemovedSymbols()
    removed.add_inherited({"AAPL", "OLD"})
    removed.add_inherited({"OLD"})
    assert removed.inherited_symbols == {"AAPL", "OLD"}
    assert [removed.take_inherited(), removed.take_inherited()] == [{"AAPL", "OLD"}, frozenset()]


def test_a_deleted_symbol_is_forgotten_when_it_is_declared_again_or_recorded() -> None:
    removed = RemovedSymbols()
    removed.record_deleted(["AAPL", "MSFT"])
    before = removed.deleted_symbols
    removed.forget_deleted({"AAPL", "SPY"})
    assert [before, removed.deleted_symbols] == [{"AAPL", "MSFT"}, {"MSFT"}]


def test_an_added_symbol_waits_for_a_snapshot_until_it_is_taken_or_removed() -> None:
    awaiting = SymbolsAwaitingSnapshot()
    one, two, three = (desired(symbols=symbols) for symbols in (["A"], ["A", "B"], ["A", "B", "C"]))
    awaiting.follow_desired(one, three)
    awaiting.follow_desired(three, two)
    assert awaiting.symbols == {"B"}
    assert [awaiting.take_symbols(), awaiting.take_symbols()] == [{"B"}, frozenset()]


def test_with_other_channels_all_symbols_wait_for_a_snapshot() -> None:
    awaiting = SymbolsAwaitingSnapshot()
    awaiting.follow_desired(desired(), desired(channels=["quotes", "trades"]))
    assert awaiting.symbols == {"AAPL", "MSFT"}
