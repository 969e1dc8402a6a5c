from typing import Any, get_args

import msgspec
import pytest

from sluice_contract.status import StreamFailure, StreamState, StreamStatus
from sluice_contract.status_size import STREAM_BYTES, fit_stream_status
from sluice_contract.stream_parts import StreamMarket
from sluice_contract.symbol_counts import FreshnessCounts
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.freshness import FreshnessSummary
from sluice_runtime.domain.health import (
    ActivityTimes,
    PauseAcknowledgement,
    RuntimeSnapshot,
    heartbeat_state,
    stream_status,
)
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.domain.pause import PauseInForce
from support.runtime_fakes import desired
from support.snapshots import LATER, largest_snapshot, snapshot
from support.virtual_time import START

PAUSE = PauseInForce(source="spec.enabled", reason="vendor", until=LATER)
ACKNOWLEDGED = PauseAcknowledgement(at=LATER, socket_closed_at=START, last_write_at=None)


def paused(**changes: Any) -> RuntimeSnapshot:
    return snapshot("Paused", desired=with_pause(desired(), PAUSE), **changes)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("Stopped", "starting"),
        ("Connecting", "starting"),
        ("Authenticating", "starting"),
        ("Subscribing", "starting"),
        ("Live", "running"),
        ("Paused", "starting"),  # the pause has ended, and the pod has not begun to connect
        ("BackingOff", "degraded"),
        ("Blocked", "blocked"),
        ("Finished", "finished"),
    ],
)
def test_each_state_has_one_heartbeat_status(state: StreamState, word: str) -> None:
    assert heartbeat_state(snapshot(state)) == word


def test_a_process_that_shuts_down_says_stopped_in_any_stream_state() -> None:
    assert {heartbeat_state(snapshot(state, stopping=True)) for state in get_args(StreamState)} == {"stopped"}


def test_a_denied_job_is_blocked_also_in_its_last_heartbeat_but_not_while_it_is_paused() -> None:
    denied = msgspec.structs.replace(desired(), denied="no")
    assert heartbeat_state(snapshot("Blocked", desired=denied)) == "blocked"
    assert heartbeat_state(snapshot("Blocked", desired=denied, stopping=True)) == "blocked"
    assert heartbeat_state(snapshot("Paused", desired=with_pause(denied, PAUSE))) == "paused"
    assert heartbeat_state(snapshot("Paused", desired=with_pause(denied, PAUSE), stopping=True)) == "stopped"


def test_a_pod_that_has_not_read_its_job_is_starting_and_not_paused() -> None:
    assert heartbeat_state(snapshot("Paused", desired=with_pause(desired(), UNREAD))) == "starting"
    assert heartbeat_state(paused()) == "paused"


def test_a_live_stream_whose_writes_fail_is_degraded() -> None:
    assert heartbeat_state(snapshot(sink_failure="Firestore is away")) == "degraded"


def test_an_impaired_live_stream_is_degraded() -> None:
    failure = StreamFailure(type="network", message="a farm is away", at=START)
    assert heartbeat_state(snapshot(failure=failure)) == "degraded"


@pytest.mark.parametrize("state", get_args(StreamState))
def test_ready_is_live_finished_or_paused_and_acknowledged(state: StreamState) -> None:
    assert snapshot(state).is_ready is (state in ("Live", "Finished"))
    assert snapshot(state, acknowledgement=ACKNOWLEDGED).is_ready is (state in ("Live", "Finished", "Paused"))


def test_what_is_unknown_is_absent_from_the_status_never_null() -> None:
    document = msgspec.to_builtins(stream_status(snapshot()), builtin_types=(type(START),))
    assert document == {
        "observedGeneration": 1,
        "stopsGeneration": 1,
        "podUID": "b0d",
        "state": "Live",
        "heartbeat": {"at": LATER, "status": "running", "dryRun": False, "epoch": 7, "sessionID": "5e55"},
        "ingestEnabled": True,
        "symbols": {
            "live": "0/2",
            "desired": 2,
            "confirmed": 2,
            "pending": 0,
            "paused": 0,
            "rejected": 0,
        },
        "sink": {"healthy": True, "writesLastMinute": 0},
        "effectiveIntervalMilliseconds": 1000,
    }
    assert "null" not in msgspec.json.encode(stream_status(snapshot())).decode()


def test_a_pause_is_shown_unacknowledged_first_and_then_with_its_times() -> None:
    asked, done = stream_status(paused()).pause, stream_status(paused(acknowledgement=ACKNOWLEDGED)).pause
    assert asked is not None
    assert done is not None
    assert (asked.source, asked.reason, asked.until, asked.acknowledged_at) == (PAUSE.source, "vendor", LATER, None)
    assert (done.acknowledged_at, done.socket_closed_at, done.last_write_at) == (LATER, START, None)


def test_failures_of_stream_and_sink_are_reported_in_full() -> None:
    failure = StreamFailure(type="auth", message="check the Secret", at=START)
    status = stream_status(snapshot("Blocked", failure=failure, sink_failure="no"))
    assert status.failure == failure
    assert (status.sink.healthy, status.sink.message) == (False, "no")


def test_the_status_names_the_symbols_that_are_stale_halted_or_paused() -> None:
    session, counts = MarketState("open"), FreshnessCounts(live=0, quiet=0, stale=1, closed=0, halted=1, paused=1)
    freshness = FreshnessSummary(session=session, counts=counts, stale=("AAPL",), halted=("MSFT",))
    wanted = desired(symbols=["AAPL", "MSFT", "SPY"], pausedSymbols=[{"symbol": "SPY"}])
    status = stream_status(snapshot(desired=wanted, freshness=freshness))
    symbols = status.symbols
    assert (symbols.stale_symbols, symbols.halted_symbols, symbols.paused_symbols) == (["AAPL"], ["MSFT"], ["SPY"])
    assert status.freshness == counts


def test_the_status_of_two_thousand_symbols_has_20_names_of_each_kind_and_fits() -> None:
    status = fit_stream_status(stream_status(largest_snapshot()))
    symbols = status.symbols
    lists = (symbols.stale_symbols, symbols.halted_symbols, symbols.paused_symbols, symbols.unknown_paused_symbols)
    assert [len(names) for names in lists] == [20, 20, 20, 20]
    assert {len(name) for names in lists for name in names} == {21}
    assert len(symbols.rejections) == 20
    encoded = msgspec.json.encode(status)
    assert len(encoded) <= STREAM_BYTES < 10_000
    assert msgspec.json.decode(encoded, type=StreamStatus) == status


def test_the_status_has_the_market_and_the_writes_of_the_last_minute() -> None:
    session = MarketState("open", since=START, changes_at=LATER)
    counts = FreshnessCounts(live=1, quiet=0, stale=0, closed=0, halted=0, paused=0)
    status = stream_status(
        snapshot(freshness=FreshnessSummary(session=session, counts=counts), writes_last_minute=1092)
    )
    assert status.market == StreamMarket(phase="open", changes_at=LATER)
    assert status.sink.writes_last_minute == 1092


def test_live_counts_received_symbols_and_unheard_ones_are_named() -> None:
    counts = FreshnessCounts(live=1, quiet=0, stale=0, closed=0, halted=0, paused=0, unheard=1)
    freshness = FreshnessSummary(
        session=MarketState("open"),
        counts=counts,
        unheard=("MSFT",),
        never_ticked=("MSFT",),
        never_ticked_count=1,
        received_count=1,
    )
    symbols = stream_status(snapshot(freshness=freshness)).symbols
    assert (symbols.live, symbols.confirmed, symbols.unheard_symbols) == ("1/2", 2, ["MSFT"])
    assert (symbols.never_ticked, symbols.never_ticked_symbols) == (1, ["MSFT"])


def test_the_skew_of_the_clock_is_in_milliseconds() -> None:
    assert stream_status(snapshot(clock_skew_seconds=-30.2914)).clock_skew_milliseconds == -30_291


def test_the_status_has_the_feed_and_both_times_of_the_last_quote() -> None:
    clocks = ActivityTimes(loop_tick_at=START, last_quote_ts=START, last_quote_received_at=LATER)
    status = stream_status(snapshot(clocks=clocks, feed="alpaca:simulated"))
    assert (status.heartbeat.last_quote_at, status.heartbeat.last_quote_received_at) == (START, LATER)
    assert status.feed == "alpaca:simulated"


def test_a_status_of_an_earlier_version_has_neither_feed_nor_time_of_arrival() -> None:
    document = msgspec.to_builtins(stream_status(snapshot()))
    document.pop("feed", None)
    document["heartbeat"].pop("lastQuoteReceivedAt", None)
    read = msgspec.convert(document, StreamStatus)
    assert (read.feed, read.heartbeat.last_quote_received_at) == (None, None)


@pytest.mark.parametrize(
    ("feed", "label"), [(None, "synthetic"), ("alpaca:simulated", "alpaca:simulated"), ("alpaca:iex", "synthetic")]
)
def test_the_label_of_metrics_is_the_provider_unless_its_quotes_are_simulated(feed: str | None, label: str) -> None:
    assert snapshot(feed=feed).provider_label == label
