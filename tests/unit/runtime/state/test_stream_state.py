from datetime import timedelta

import msgspec
import pytest

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.domain.failure import Impairment, StreamError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import quote, runtime_state
from support.virtual_time import START, at, now


@pytest.fixture
async def runtime() -> RuntimeState:
    return runtime_state()


def message_of(runtime: RuntimeState) -> str:
    failure = runtime.snapshot().failure
    assert failure is not None
    return failure.message


async def test_the_first_quote_is_a_transition_and_the_next_is_not(runtime: RuntimeState) -> None:
    before = runtime.transitions.value
    runtime.stream.on_ticks([])
    assert runtime.transitions.value == before
    runtime.stream.on_ticks([quote("AAPL")])
    runtime.stream.on_ticks([quote("MSFT")])
    assert runtime.transitions.value == before + 1
    assert runtime.stream.batches == 3
    assert runtime.snapshot().last_symbol == "MSFT"


@pytest.mark.parametrize("error", [-3600, -30, 0, 30, 3600])
async def test_the_order_of_quotes_does_not_depend_on_the_clock_of_the_node(
    runtime: RuntimeState, error: float
) -> None:
    event_time = now() - timedelta(seconds=error)
    runtime.stream.on_ticks([quote("AAPL", event_time, bid=101.0)])
    await at(2)
    runtime.stream.on_ticks([quote("AAPL", event_time - timedelta(seconds=5), bid=90.0)])
    assert runtime.market.coalescer.out_of_order == 1
    [kept] = runtime.market.coalescer.take_due_ticks(1, 2.0, 0.0)
    assert kept.to_quote().bid == 101.0


async def test_one_timestamp_far_in_the_future_does_not_silence_its_symbol(runtime: RuntimeState) -> None:
    runtime.stream.on_ticks([quote("MSFT")])
    runtime.stream.on_ticks([quote("AAPL", now() + timedelta(hours=1))])
    await at(1)
    runtime.stream.on_ticks([quote("AAPL", now(), bid=5.0)])
    assert runtime.market.coalescer.out_of_order == 0


async def test_an_unchanged_acknowledgement_is_not_a_transition(runtime: RuntimeState) -> None:
    rejected = [SymbolRejection(symbol="MSFT", code=400, message="no")]
    runtime.stream.on_acknowledgement(frozenset({"AAPL"}), rejected)
    before = runtime.transitions.value
    runtime.stream.on_acknowledgement(frozenset({"AAPL"}), rejected)
    assert runtime.transitions.value == before
    assert runtime.snapshot().ledger.confirmed == {"AAPL"}


async def test_nothing_is_confirmed_once_the_socket_is_closed(runtime: RuntimeState) -> None:
    runtime.stream.on_acknowledgement(frozenset({"AAPL"}), ())
    await at(3)
    runtime.stream.on_socket_closed()
    assert runtime.snapshot().ledger.confirmed == frozenset()
    assert runtime.stream.socket_closed_at == START + timedelta(seconds=3)


async def test_rejected_symbols_are_logged_once(runtime: RuntimeState, caplog: pytest.LogCaptureFixture) -> None:
    refused = [SymbolRejection(symbol="BAD", code=400, message="invalid syntax")]
    for _ in range(3):
        runtime.stream.on_acknowledgement(frozenset({"AAPL"}), refused)
    assert caplog.messages == ["provider rejects 1 symbols: BAD (invalid syntax)"]


async def test_a_failure_stays_until_the_stream_is_live_again(runtime: RuntimeState) -> None:
    runtime.stream.record_failure(StreamError("network", "the peer is away"))
    runtime.stream.on_state("BackingOff")
    runtime.stream.on_state("Connecting")
    failure = runtime.snapshot().failure
    assert failure is not None
    assert (failure.type, failure.message, failure.at) == ("network", "the peer is away", START)
    runtime.stream.on_state("Live")
    assert runtime.snapshot().failure is None
    assert runtime.counters.errors == {"network": 1}


async def test_a_pause_hides_a_failure_from_the_status_and_keeps_it_for_the_heartbeat(runtime: RuntimeState) -> None:
    runtime.stream.record_failure(StreamError("auth", "check the key"))
    runtime.stream.on_state("Blocked")
    runtime.stream.on_state("Paused")
    runtime.stream.acknowledge_pause(runtime.sink_health.last_write_at)
    for state in ("Paused", "Connecting"):
        runtime.stream.on_state(state)
        snapshot = runtime.snapshot()
        assert snapshot.failure is None
        assert snapshot.unresolved_failure is not None
        assert snapshot.unresolved_failure.message == "check the key"
    runtime.stream.on_state("Live")
    assert runtime.snapshot().unresolved_failure is None


async def test_a_gap_is_open_until_the_stream_is_live(runtime: RuntimeState) -> None:
    runtime.stream.on_state("Live")
    runtime.stream.on_socket_closed()
    gap = runtime.snapshot().open_gap
    assert gap is not None
    assert (gap.since, gap.cause) == (START, "disconnect")
    runtime.stream.on_state("Connecting")
    runtime.stream.on_state("Live")
    assert runtime.snapshot().open_gap is None


async def test_an_interruption_is_a_gap_on_an_open_connection(runtime: RuntimeState) -> None:
    runtime.stream.on_state("Live")
    await at(10)
    runtime.stream.on_impairment(Impairment("the provider is cut off", True))
    assert (runtime.stream.state, message_of(runtime)) == ("BackingOff", "the provider is cut off")
    runtime.stream.on_state("Live")
    assert runtime.stream.state == "BackingOff"
    await at(15)
    runtime.stream.on_impairment(None)
    assert (runtime.stream.state, runtime.snapshot().failure) == ("Live", None)
    [gap] = runtime.snapshot().gaps
    assert (gap.from_, gap.to) == (START + timedelta(seconds=10), START + timedelta(seconds=15))


async def test_an_impairment_without_missing_quotes_is_reported_and_is_not_a_gap(runtime: RuntimeState) -> None:
    runtime.stream.on_impairment(Impairment("history is away", False))
    runtime.stream.on_state("Live")
    assert (runtime.stream.state, message_of(runtime)) == ("Live", "history is away")
    runtime.stream.on_impairment(None)
    assert (runtime.snapshot().failure, runtime.snapshot().gaps) == (None, ())


async def test_an_impairment_ends_with_its_connection(runtime: RuntimeState) -> None:
    runtime.stream.on_impairment(Impairment("the provider is cut off", True))
    runtime.stream.on_state("Live")
    runtime.stream.on_socket_closed()
    # As str, because mypy assumes that later calls do not change a literal that was compared once.
    assert str(runtime.stream.state) == "BackingOff"
    runtime.stream.on_state("Connecting")
    runtime.stream.on_impairment(None)
    assert str(runtime.stream.state) == "Connecting"
    runtime.stream.on_state("Live")
    assert runtime.stream.state == "Live"


async def test_only_reaching_the_live_state_counts_as_a_start(runtime: RuntimeState) -> None:
    for state in ("Connecting", "Authenticating", "Subscribing", "Live", "Live", "BackingOff", "Connecting", "Live"):
        runtime.stream.on_state(state)
    assert runtime.counters.live_transitions == 2


async def test_the_end_of_a_pause_clears_its_acknowledgement(runtime: RuntimeState) -> None:
    runtime.stream.on_state("Paused")
    runtime.stream.acknowledge_pause(runtime.sink_health.last_write_at)
    assert runtime.snapshot().acknowledgement is not None
    runtime.stream.on_state("Connecting")
    assert runtime.snapshot().acknowledgement is None


async def test_a_lost_stream_leaves_a_gap_with_its_cause_and_a_pause_another(runtime: RuntimeState) -> None:
    runtime.stream.on_state("Live")
    await at(1)
    runtime.stream.on_socket_closed()
    runtime.stream.record_failure(StreamError("slowClient", "too slow"))
    runtime.stream.on_state("BackingOff")
    await at(2)
    runtime.stream.record_failure(StreamError("network", "no route"))
    await at(3)
    runtime.stream.on_state("Live")
    await at(4)
    runtime.stream.on_socket_closed()
    runtime.stream.acknowledge_pause(runtime.sink_health.last_write_at)
    runtime.stream.on_state("Paused")
    await at(5)
    runtime.stream.on_state("Live")
    gaps = [(gap.from_, gap.to, gap.cause) for gap in runtime.snapshot().gaps]
    second = timedelta(seconds=1)
    assert gaps == [
        (START + second, START + 3 * second, "slowClient"),
        (START + 4 * second, START + 5 * second, "pause"),
    ]


async def test_the_credentials_in_use_are_reported_at_once() -> None:
    runtime = runtime_state()
    assert stream_status(runtime.snapshot()).credentials_generation is None
    before = runtime.transitions.value
    runtime.stream.on_credentials(2, "the new pair is refused")
    status = stream_status(runtime.snapshot())
    assert (status.credentials_generation, status.credentials_problem) == (2, "the new pair is refused")
    assert runtime.transitions.value == before + 1


async def test_a_job_that_streams_again_has_no_time_of_the_closed_socket(runtime: RuntimeState) -> None:
    runtime.stream.on_socket_closed()
    runtime.stream.on_state("Paused")
    runtime.stream.start_streaming()
    assert (runtime.stream.state, runtime.stream.socket_closed_at) == ("Connecting", None)


async def test_a_denial_is_no_failure_of_the_stream_and_is_not_reported_after_its_end(runtime: RuntimeState) -> None:
    desired = runtime.desired.value
    runtime.desired.set(msgspec.structs.replace(desired, denied="no"))
    runtime.stream.record_failure(StreamError("policyDenied", "no"))
    assert runtime.stream.failure_count.value == 0
    runtime.stream.acknowledge_pause(None)
    unresolved = runtime.snapshot().unresolved_failure
    assert unresolved is not None
    assert unresolved.type == "policyDenied"
    runtime.desired.set(desired)
    assert runtime.snapshot().unresolved_failure is None
