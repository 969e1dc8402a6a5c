from datetime import timedelta

from prometheus_client.core import CollectorRegistry

from sluice_runtime.adapters.http.duration_metrics import DurationCollector
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, quote, runtime_state, runtime_view
from support.virtual_time import START, at, now


def registry_of(runtime: RuntimeState) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DurationCollector(runtime_view(runtime)))
    return registry


async def test_received_and_written_quotes_are_measured_from_their_event() -> None:
    runtime = runtime_state()
    registry, labels = registry_of(runtime), {"provider": "synthetic"}
    runtime.stream.on_state("Live")
    await at(1)
    event = quote("AAPL")
    await at(1.2)
    runtime.stream.on_ticks([event])
    await at(2.5)
    runtime.instruments.measurements.quotes.record_writes([event], now())
    for name, bound, count in (("receive", "0.1", 0), ("receive", "0.25", 1), ("write", "1.0", 0), ("write", "2.0", 1)):
        bucket = f"ingest_event_to_{name}_seconds_bucket"
        assert registry.get_sample_value(bucket, labels | {"le": bound}) == count
    assert registry.get_sample_value("ingest_event_to_write_seconds_count", labels) == 1


async def test_a_request_is_in_the_histogram_of_its_kind() -> None:
    runtime = runtime_state()
    runtime.instruments.measurements.record_request("writes", 0.2)
    name = "ingest_firestore_request_seconds_bucket"
    assert registry_of(runtime).get_sample_value(name, {"kind": "writes", "le": "0.25"}) == 1


async def test_the_time_in_each_state_contains_that_of_the_present_one() -> None:
    runtime = runtime_state()
    registry = registry_of(runtime)
    runtime.stream.on_state("Connecting")
    await at(3)
    runtime.stream.on_state("Live")
    await at(10)
    seconds = [
        registry.get_sample_value("ingest_stream_state_seconds_total", {"state": state})
        for state in ("Connecting", "Live", "Blocked")
    ]
    assert seconds == [3, 7, 0]
    assert registry.get_sample_value("ingest_stream_state_since_timestamp_seconds") == START.timestamp() + 3


async def test_a_gap_counts_by_its_cause_once_it_has_ended() -> None:
    runtime = runtime_state()
    registry, labels = registry_of(runtime), {"cause": "disconnect"}
    runtime.stream.on_state("Live")
    await at(1)
    runtime.stream.on_socket_closed()
    runtime.stream.on_state("BackingOff")
    await at(6)
    assert registry.get_sample_value("ingest_gaps_total", labels) == 0
    runtime.stream.on_state("Live")
    assert registry.get_sample_value("ingest_gaps_total", labels) == 1
    assert registry.get_sample_value("ingest_gap_seconds_total", labels) == 5


async def test_a_pause_is_measured_from_the_change_of_the_desired_state() -> None:
    runtime = runtime_state()
    registry = registry_of(runtime)
    runtime.updater.apply_desired(with_pause(desired(), PauseInForce(source="spec.enabled")))
    await at(0.4)
    runtime.stream.acknowledge_pause(None)
    await at(9)
    assert registry.get_sample_value("ingest_pause_seconds_bucket", {"le": "0.5"}) == 1
    assert registry.get_sample_value("ingest_pause_seconds_bucket", {"le": "0.25"}) == 0
    assert registry.get_sample_value("ingest_paused_seconds_total") == 9
    runtime.updater.apply_desired(desired())
    await at(20)
    assert registry.get_sample_value("ingest_paused_seconds_total") == 9
    assert START + timedelta(seconds=20) == now()
