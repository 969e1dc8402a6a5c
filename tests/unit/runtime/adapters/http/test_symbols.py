import json

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.adapters.http.symbols import symbols_body
from sluice_runtime.domain.market_hours import UNKNOWN_HOURS
from support.runtime_fakes import desired, quote, runtime_state, runtime_view
from support.virtual_time import now


async def test_each_symbol_is_one_object_with_all_fields() -> None:
    runtime = runtime_state(
        desired(symbols=["AAPL", "BAD", "HELD"], pausedSymbols=[{"symbol": "HELD", "reason": "bad prints"}])
    )
    view = runtime_view(runtime, UNKNOWN_HOURS)
    runtime.stream.on_state("Live")
    runtime.stream.on_acknowledgement(
        frozenset({"AAPL"}), [SymbolRejection(symbol="BAD", code=404, message="not found")]
    )
    at = now()
    runtime.stream.on_ticks([quote("AAPL", at)])
    ts = at.isoformat().replace("+00:00", "Z")
    unknown = {"lastQuote": None, "paceSeconds": None, "lastWriteAt": None}
    aapl, bad, held = json.loads(symbols_body(view))
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
    runtime = runtime_state(desired(symbols=["AAPL"]))
    assert [each["freshness"] for each in json.loads(symbols_body(runtime_view(runtime)))] == [None]


async def test_2000_symbols_are_2000_objects() -> None:
    names = [f"S{n}" for n in range(2000)]
    assert len(json.loads(symbols_body(runtime_view(runtime_state(desired(symbols=names)))))) == 2000
