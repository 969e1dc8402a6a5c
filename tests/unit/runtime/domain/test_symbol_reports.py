from datetime import timedelta
from typing import Any

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.desired import Desired, with_pause
from sluice_runtime.domain.freshness import SymbolFreshness
from sluice_runtime.domain.last_values import LastValues
from sluice_runtime.domain.ledger import SubscriptionLedger
from sluice_runtime.domain.newest_quotes import NewestQuotes
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.published_documents import PublishedDocuments
from sluice_runtime.domain.symbol_reports import LastQuote, ReportTime, SymbolReport, symbol_reports
from support.runtime_fakes import desired
from support.virtual_time import START

from .test_newest_quotes import World

AT = ReportTime(START, 100.0)
WANTED = desired(
    symbols=["SPY", "AAPL", "BAD", "NEW", "HELD"], pausedSymbols=[{"symbol": "HELD", "reason": "bad prints"}]
)
LEDGER = SubscriptionLedger(frozenset({"AAPL", "SPY"}), (SymbolRejection(symbol="BAD", code=404, message="not found"),))


def reports(wanted: Desired = WANTED, **freshness: SymbolFreshness) -> dict[str, SymbolReport]:
    quotes = NewestQuotes(Coalescer(), PublishedDocuments(), LastValues())
    return {each.symbol: each for each in symbol_reports(wanted, LEDGER, freshness, quotes, AT)}


def test_there_is_one_report_of_each_declared_symbol_in_order() -> None:
    assert list(reports()) == ["AAPL", "BAD", "HELD", "NEW", "SPY"]


def test_the_state_and_the_reason_are_those_of_the_provider_or_of_the_pause() -> None:
    assert {symbol: (each.state, each.reason) for symbol, each in reports().items()} == {
        "AAPL": ("confirmed", None),
        "BAD": ("rejected", "not found"),
        "HELD": ("paused", "bad prints"),
        "NEW": ("pending", None),
        "SPY": ("confirmed", None),
    }


def test_all_symbols_of_a_paused_job_are_paused_with_the_reason_of_the_job() -> None:
    def reasons(**pause: Any) -> set[tuple[str, str | None]]:
        found = reports(with_pause(WANTED, PauseInForce(source="api", **pause)))
        return {(each.state, each.reason) for symbol, each in found.items() if symbol != "HELD"}

    assert reasons(reason="vendor") == {("paused", "vendor")}
    assert reasons() == {("paused", "the job is paused by api")}


def test_freshness_and_pace_are_null_while_unknown() -> None:
    found = reports(AAPL=SymbolFreshness("STALE", 7.5), SPY=SymbolFreshness("OFFLINE", None))
    assert {symbol: (each.freshness, each.pace_seconds) for symbol, each in found.items() if each.freshness} == {
        "AAPL": ("stale", 7.5),
        "SPY": ("offline", None),
    }


def test_the_last_quote_and_the_last_write_are_those_of_the_document() -> None:
    world = World()
    world.receive(1.0)
    world.write(97.5)
    [found] = symbol_reports(desired(symbols=["AAPL"]), LEDGER, {}, world.quotes, AT)
    assert found.last_quote == LastQuote(ts=START, bid=1.0, ask=1.1, price=1.05)
    assert found.last_write_at == START - timedelta(seconds=2.5)
