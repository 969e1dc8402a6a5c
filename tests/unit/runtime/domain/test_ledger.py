from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.domain.ledger import SubscriptionLedger
from support.runtime_fakes import desired


def rejection(symbol: str) -> SymbolRejection:
    return SymbolRejection(symbol=symbol, code=400, message="invalid syntax")


def test_each_symbol_is_confirmed_rejected_or_pending() -> None:
    ledger = SubscriptionLedger(frozenset({"A", "B"}), (rejection("C"),))
    shown = ledger.to_symbol_counts(desired(symbols=["A", "B", "C", "D", "E"], pausedSymbols=[{"symbol": "E"}]))
    assert (shown.live, shown.desired, shown.confirmed, shown.pending) == ("0/4", 4, 2, 1)
    assert (shown.paused, shown.rejected, shown.rejections) == (1, 1, [rejection("C")])


def test_subscribed_symbols_that_are_no_longer_wanted_do_not_count() -> None:
    shown = SubscriptionLedger(frozenset({"A", "Z"}), (rejection("Y"),)).to_symbol_counts(desired(symbols=["A", "B"]))
    assert (shown.live, shown.pending, shown.rejected, shown.rejections) == ("0/2", 1, 0, [])


def test_live_counts_the_symbols_from_which_data_has_arrived() -> None:
    ledger = SubscriptionLedger(frozenset({"A", "B"}))
    assert ledger.to_symbol_counts(desired(symbols=["A", "B"]), received_count=1).live == "1/2"


def test_nothing_is_live_while_no_subscription_is_confirmed() -> None:
    assert SubscriptionLedger().to_symbol_counts(desired(symbols=["A", "B"]), received_count=2).live == "0/2"


def test_only_the_first_twenty_are_shown_and_all_are_counted() -> None:
    names = [f"S{n}" for n in range(50)]
    unknown = [{"symbol": f"U{n}"} for n in range(30)]
    shown = SubscriptionLedger(frozenset(), tuple(map(rejection, names))).to_symbol_counts(
        desired(symbols=names, pausedSymbols=unknown)
    )
    assert (shown.rejected, len(shown.rejections), len(shown.unknown_paused_symbols)) == (50, 20, 20)


def test_only_rejections_that_the_earlier_ledger_lacks_are_new() -> None:
    old, new = (SymbolRejection(symbol=symbol, code=400, message="no") for symbol in ("OLD", "NEW"))
    before = SubscriptionLedger(frozenset(), (old,))
    assert SubscriptionLedger(frozenset(), (old, new)).new_rejections(before) == "1 symbols: NEW (no)"
