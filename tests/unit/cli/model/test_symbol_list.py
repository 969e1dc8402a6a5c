from __future__ import annotations

from datetime import timedelta

from sluice_cli.model.fleet import Unseen, pause_view
from sluice_cli.model.job import status_of_job
from sluice_cli.model.symbol_list import SymbolList, SymbolReport, symbols_of_pod, symbols_of_status
from support.fake_kubectl import NOW, Object, job, stamp

QUOTE = {"ts": stamp(-5), "bid": 601.22, "ask": 601.23, "price": None}
REPORTS = [
    {
        "symbol": "SPY",
        "state": "confirmed",
        "freshness": "live",
        "lastQuote": QUOTE,
        "paceSeconds": 5,
        "lastWriteAt": stamp(-4),
    },
    {"symbol": "TWTR", "state": "rejected", "freshness": "offline", "lastQuote": None, "reason": "not found"},
    {"symbol": "AAPL", "state": "paused", "freshness": "paused", "reason": "bad prints"},
    {"symbol": "XYZ", "state": "confirmed", "freshness": "stale"},
    {"symbol": "NEW", "state": "pending", "freshness": "offline"},
    {"symbol": "ODD", "state": "confirmed", "freshness": "of another version", "paceSeconds": "x"},
    "no object",
]


def of_status(document: Object) -> SymbolList:
    status = status_of_job(document, pause_view({}, {}), NOW)
    return symbols_of_status(document, status, (Unseen("quotes", "why"),), NOW)


def test_the_most_urgent_symbol_of_the_pod_comes_first() -> None:
    found = symbols_of_pod(REPORTS, status_of_job(job(), pause_view({}, {}), NOW), NOW)
    assert [(each.symbol, each.state) for each in found.symbols] == [
        ("ODD", "of another version"),
        ("TWTR", "rejected"),
        ("XYZ", "stale"),
        ("NEW", "pending"),
        ("AAPL", "paused"),
        ("SPY", "live"),
    ]
    moment = NOW - timedelta(seconds=5)
    assert found.symbols[-1] == SymbolReport(
        "SPY", "live", moment, 601.22, 601.23, None, 5.0, moment + timedelta(seconds=1)
    )
    assert found.counts["live"] == 1
    assert (found.source, found.job) == ("pod", "acme/us-equities")
    assert [each.symbol for each in found.stale_only().symbols] == ["XYZ"]


def test_the_status_names_what_needs_a_look() -> None:
    symbols = {
        "staleSymbols": ["SPY"],
        "haltedSymbols": ["AAPL"],
        "rejected": 1,
        "rejections": [{"symbol": "TWTR", "code": 404, "message": "not found"}],
    }
    document = job(symbols=symbols, freshness={"live": 1, "stale": 1, "halted": 1})
    document["spec"]["pausedSymbols"] = [{"symbol": "ON", "reason": "split"}]
    found = of_status(document)
    assert [(each.symbol, each.state, each.reason) for each in found.symbols] == [
        ("TWTR", "rejected", "404 not found"),
        ("SPY", "stale", ""),
        ("AAPL", "halted", ""),
        ("ON", "paused", 'spec.pausedSymbols ("split"), without an end'),
    ]
    assert found.counts == {"rejected": 1, "stale": 1, "halted": 1, "live": 1}
    assert (found.source, found.unseen[0].why) == ("status", "why")


def test_a_symbol_that_needs_no_look_is_not_named() -> None:
    assert {each.state for each in of_status(job()).symbols} == {"not named"}
