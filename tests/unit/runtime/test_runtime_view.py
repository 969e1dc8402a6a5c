from sluice_contract.documents import HeartbeatDocument
from sluice_runtime.domain.heartbeat_document import heartbeat_document
from sluice_runtime.domain.market import Halt
from sluice_runtime.domain.market_hours import REGULAR_HOURS
from sluice_runtime.runtime_view import CurrentRuntimeView
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import quote, runtime_state, runtime_view
from support.virtual_time import at, now


def live() -> RuntimeState:
    runtime = runtime_state()
    runtime.stream.on_state("Live")
    runtime.stream.on_acknowledgement(runtime.desired.value.symbols, ())
    return runtime


def halted(view: CurrentRuntimeView) -> list[str]:
    document: HeartbeatDocument = heartbeat_document(view.snapshot())
    return list(document.halted)


async def test_before_the_monitor_runs_nothing_is_known_of_the_freshness() -> None:
    view = runtime_view(live())
    assert (view.snapshot().freshness, view.freshness_by_symbol()) == (None, {})


async def test_each_snapshot_has_the_freshness_of_its_instant_although_no_check_was_due() -> None:
    runtime = live()
    view = runtime_view(runtime, REGULAR_HOURS)
    assert halted(view) == []
    await at(1)
    runtime.stream.on_halts([Halt(symbol="AAPL", ts=now(), halted=True, code="H", reason="news")])
    assert halted(view) == ["AAPL"]
    runtime.stream.on_ticks([quote("MSFT")])
    summary = view.snapshot().freshness
    assert summary is not None
    assert (summary.counts.halted, summary.received_count) == (1, 1)
    assert {symbol: each.state for symbol, each in view.freshness_by_symbol().items()} == {
        "AAPL": "HALTED",
        "MSFT": "QUIET",
    }


async def test_the_view_shows_the_counts_and_quotes_of_the_state() -> None:
    runtime = live()
    view = runtime_view(runtime)
    runtime.stream.on_ticks([quote("MSFT")])
    runtime.counters.count_start()
    assert (view.batches, view.coalescer.received, view.counters.starts) == (1, 1, 1)
    assert view.quotes.find_quote("MSFT", 0.0) is not None
