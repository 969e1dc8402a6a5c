import json

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.adapters.http.symbols import symbols_body
from sluice_runtime.domain.market_hours import UNKNOWN_HOURS, market_hours
from sluice_runtime.loops.freshness_monitor import FreshnessObserver
from support.runtime_fakes import desired, journal, quote
from support.virtual_time import now


async def test_each_symbol_is_one_object_with_all_fields() -> None:
    book = journal(desired(symbols=["AAPL", "BAD", "HELD"], pausedSymbols=[{"symbol": "HELD", "reason": "bad prints"}]))
    FreshnessObserver(book, market_hours(UNKNOWN_HOURS))
    book.on_state("Live")
    book.on_acknowledgement(frozenset({"AAPL"}), [SymbolRejection(symbol="BAD", code=404, message="not found")])
    at = now()
    book.on_ticks([quote("AAPL", at)])
    ts = at.isoformat().replace("+00:00", "Z")
    unknown = {"lastQuote": None, "paceSeconds": None, "lastWriteAt": None}
    aapl, bad, held = json.loads(symbols_body(book))
    assert aapl == {
        "symbol": "AAPL",
        "state": "confirmed",
        "freshness": "quiet",
        **unknown,
        "lastQuote": {"ts": ts, "bid": 100.0, "ask": 101.0, "price": 100.5},
        "reason": None,
    }
    assert bad == {"symbol": "BAD", "state": "rejected", "freshness": "offline", **unknown, "reason": "not found"}
    assert held == {"symbol": "HELD", "state": "paused", "freshness": "paused", **unknown, "reason": "bad prints"}


async def test_the_freshness_is_null_before_the_first_check() -> None:
    book = journal(desired(symbols=["AAPL"]))
    assert [each["freshness"] for each in json.loads(symbols_body(book))] == [None]


async def test_2000_symbols_are_2000_objects() -> None:
    names = [f"S{n}" for n in range(2000)]
    assert len(json.loads(symbols_body(journal(desired(symbols=names))))) == 2000
