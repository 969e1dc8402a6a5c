from datetime import timedelta

import pytest

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.domain.failure import Impairment, StreamError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import Switch
from sluice_runtime.loops.journal import Journal
from support.runtime_fakes import journal, quote
from support.virtual_time import START, at, now


@pytest.fixture
async def book() -> Journal:
    return journal()


def message_of(book: Journal) -> str:
    failure = book.snapshot().failure
    assert failure is not None
    return failure.message


async def test_the_initial_state_is_stopped_and_empty(book: Journal) -> None:
    snapshot = book.snapshot()
    assert (snapshot.state, snapshot.last_symbol, snapshot.failure, snapshot.sink_failure) == ("Stopped", *[None] * 3)
    assert snapshot.clocks.last_message_at is None


async def test_the_first_quote_is_a_transition_and_the_next_is_not(book: Journal) -> None:
    before = book.transitions.value
    book.on_ticks([])
    assert book.transitions.value == before
    book.on_ticks([quote("AAPL")])
    book.on_ticks([quote("MSFT")])
    assert book.transitions.value == before + 1
    assert book.counters.batches == 3
    assert book.snapshot().last_symbol == "MSFT"


async def test_the_first_write_is_a_transition_so_that_it_is_soon_in_the_status(book: Journal) -> None:
    before = book.transitions.value
    book.record_quote_writes(1)
    book.record_quote_writes(1)
    assert book.transitions.value == before + 1


@pytest.mark.parametrize("error", [-3600, -30, 0, 30, 3600])
async def test_the_order_of_quotes_does_not_depend_on_the_clock_of_the_node(book: Journal, error: float) -> None:
    event_time = now() - timedelta(seconds=error)
    book.on_ticks([quote("AAPL", event_time, bid=101.0)])
    await at(2)
    book.on_ticks([quote("AAPL", event_time - timedelta(seconds=5), bid=90.0)])
    assert book.coalescer.out_of_order == 1
    [kept] = book.coalescer.take_due_ticks(1, 2.0, 0.0)
    assert kept.to_quote().bid == 101.0


async def test_one_timestamp_far_in_the_future_does_not_silence_its_symbol(book: Journal) -> None:
    book.on_ticks([quote("MSFT")])
    book.on_ticks([quote("AAPL", now() + timedelta(hours=1))])
    await at(1)
    book.on_ticks([quote("AAPL", now(), bid=5.0)])
    assert book.coalescer.out_of_order == 0


async def test_an_unchanged_acknowledgement_is_not_a_transition(book: Journal) -> None:
    rejected = [SymbolRejection(symbol="MSFT", code=400, message="no")]
    book.on_acknowledgement(frozenset({"AAPL"}), rejected)
    before = book.transitions.value
    book.on_acknowledgement(frozenset({"AAPL"}), rejected)
    assert book.transitions.value == before
    assert book.snapshot().ledger.confirmed == {"AAPL"}


async def test_nothing_is_confirmed_once_the_socket_is_closed(book: Journal) -> None:
    book.on_acknowledgement(frozenset({"AAPL"}), ())
    await at(3)
    book.on_socket_closed()
    assert book.snapshot().ledger.confirmed == frozenset()
    assert book.socket_closed_at == START + timedelta(seconds=3)


async def test_rejected_symbols_are_logged_once(book: Journal, caplog: pytest.LogCaptureFixture) -> None:
    refused = [SymbolRejection(symbol="BAD", code=400, message="invalid syntax")]
    for _ in range(3):
        book.on_acknowledgement(frozenset({"AAPL"}), refused)
    assert caplog.messages == ["provider rejects 1 symbols: BAD (invalid syntax)"]


async def test_a_failure_stays_until_the_stream_is_live_again(book: Journal) -> None:
    book.record_stream_failure(StreamError("network", "the peer is away"))
    book.on_state("BackingOff")
    book.on_state("Connecting")
    failure = book.snapshot().failure
    assert failure is not None
    assert (failure.type, failure.message, failure.at) == ("network", "the peer is away", START)
    book.on_state("Live")
    assert book.snapshot().failure is None
    assert book.counters.errors == {"network": 1}


async def test_a_pause_hides_a_failure_from_the_status_and_keeps_it_for_the_heartbeat(book: Journal) -> None:
    book.record_stream_failure(StreamError("auth", "check the key"))
    book.on_state("Blocked")
    book.on_state("Paused")
    book.acknowledge_pause()
    for state in ("Paused", "Connecting"):
        book.on_state(state)
        snapshot = book.snapshot()
        assert snapshot.failure is None
        assert snapshot.unresolved_failure is not None
        assert snapshot.unresolved_failure.message == "check the key"
    book.on_state("Live")
    assert book.snapshot().unresolved_failure is None


async def test_a_gap_is_open_until_the_stream_is_live(book: Journal) -> None:
    book.on_state("Live")
    book.on_socket_closed()
    gap = book.snapshot().open_gap
    assert gap is not None
    assert (gap.since, gap.cause) == (START, "disconnect")
    book.on_state("Connecting")
    book.on_state("Live")
    assert book.snapshot().open_gap is None


async def test_the_time_of_a_sink_failure_is_that_of_the_first_failed_write(book: Journal) -> None:
    book.record_sink_result("quotes", "denied")
    await at(5)
    book.record_sink_result("quotes", "denied again")
    assert (book.snapshot().sink_failure, book.snapshot().sink_failing_since) == ("denied again", START)


async def test_an_interruption_is_a_gap_on_an_open_connection(book: Journal) -> None:
    book.on_state("Live")
    await at(10)
    book.on_impairment(Impairment("the provider is cut off", True))
    assert (book.state, message_of(book)) == ("BackingOff", "the provider is cut off")
    book.on_state("Live")
    assert book.state == "BackingOff"
    await at(15)
    book.on_impairment(None)
    assert (book.state, book.snapshot().failure) == ("Live", None)
    [gap] = book.snapshot().gaps
    assert (gap.from_, gap.to) == (START + timedelta(seconds=10), START + timedelta(seconds=15))


async def test_an_impairment_without_missing_quotes_is_reported_and_is_not_a_gap(book: Journal) -> None:
    book.on_impairment(Impairment("history is away", False))
    book.on_state("Live")
    assert (book.state, message_of(book)) == ("Live", "history is away")
    book.on_impairment(None)
    assert (book.snapshot().failure, book.snapshot().gaps) == (None, ())


async def test_an_impairment_ends_with_its_connection(book: Journal) -> None:
    book.on_impairment(Impairment("the provider is cut off", True))
    book.on_state("Live")
    book.on_socket_closed()
    # As str, because mypy assumes that later calls do not change a literal that was compared once.
    assert str(book.state) == "BackingOff"
    book.on_state("Connecting")
    book.on_impairment(None)
    assert str(book.state) == "Connecting"
    book.on_state("Live")
    assert book.state == "Live"


async def test_only_reaching_the_live_state_counts_as_a_start(book: Journal) -> None:
    for state in ("Connecting", "Authenticating", "Subscribing", "Live", "Live", "BackingOff", "Connecting", "Live"):
        book.on_state(state)
    assert book.counters.live_transitions == 2


async def test_the_end_of_a_pause_clears_its_acknowledgement(book: Journal) -> None:
    book.on_state("Paused")
    book.acknowledge_pause()
    assert book.snapshot().acknowledgement is not None
    book.on_state("Connecting")
    assert book.snapshot().acknowledgement is None


async def test_a_sink_is_healthy_when_all_kinds_of_writes_succeed(book: Journal) -> None:
    book.record_sink_result("quotes", "denied")
    book.record_sink_result("heartbeat", "away")
    book.record_sink_result("quotes", None)
    assert book.snapshot().sink_failure == "away"
    book.record_sink_result("heartbeat", None)
    assert book.snapshot().sink_failure is None


async def test_only_a_change_of_the_sink_s_health_is_a_transition(book: Journal) -> None:
    before = book.transitions.value
    for failure in (None, "a", "b", None, None):
        book.record_sink_result("quotes", failure)
    assert book.transitions.value == before + 2


async def test_acknowledged_writes_are_counted_and_timed(book: Journal) -> None:
    await at(2)
    book.record_quote_writes(5)
    assert book.counters.writes == 5
    assert book.snapshot().clocks.last_write_at == START + timedelta(seconds=2)


async def test_an_unchanged_switch_changes_nothing(book: Journal) -> None:
    api, file = Switch(source="api", pauses=True), Switch(source="file:f", pauses=True)
    for each in (api, file):
        book.set_switch(each)
    before = book.switches.version
    for each in (api, file, api, Switch(source="env:E", pauses=False)):
        book.set_switch(each)
    assert (book.switches.version, book.switches.value) == (before, (api, file))


async def test_a_switch_that_cannot_be_read_is_logged_and_counted(
    book: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    book.record_switch_failure("f cannot be read")
    assert "PAUSE_CHECK_FAILED: f cannot be read" in caplog.text
    assert book.counters.errors == {"pause_check": 1}


async def test_a_lost_stream_leaves_a_gap_with_its_cause_and_a_pause_another(book: Journal) -> None:
    book.on_state("Live")
    await at(1)
    book.on_socket_closed()
    book.record_stream_failure(StreamError("slowClient", "too slow"))
    book.on_state("BackingOff")
    await at(2)
    book.record_stream_failure(StreamError("network", "no route"))
    await at(3)
    book.on_state("Live")
    await at(4)
    book.on_socket_closed()
    book.acknowledge_pause()
    book.on_state("Paused")
    await at(5)
    book.on_state("Live")
    gaps = [(gap.from_, gap.to, gap.cause) for gap in book.snapshot().gaps]
    second = timedelta(seconds=1)
    assert gaps == [
        (START + second, START + 3 * second, "slowClient"),
        (START + 4 * second, START + 5 * second, "pause"),
    ]


async def test_the_credentials_in_use_are_reported_at_once() -> None:
    book = journal()
    assert stream_status(book.snapshot()).credentials_generation is None
    before = book.transitions.value
    book.on_credentials(2, "the new pair is refused")
    status = stream_status(book.snapshot())
    assert (status.credentials_generation, status.credentials_problem) == (2, "the new pair is refused")
    assert book.transitions.value == before + 1
