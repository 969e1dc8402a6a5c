from prometheus_client.core import CollectorRegistry

from sluice_runtime.adapters.http.state_metrics import StateCollector
from sluice_runtime.domain.market_hours import REGULAR_HOURS
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, runtime_state, runtime_view
from support.virtual_time import START, at


def registry_of(runtime: RuntimeState) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(StateCollector(runtime_view(runtime, REGULAR_HOURS)))
    return registry


async def test_exactly_the_present_state_of_the_stream_is_1() -> None:
    runtime = runtime_state()
    registry = registry_of(runtime)
    for state in ("Stopped", "Connecting", "Live", "BackingOff"):
        runtime.stream.on_state(state)
        [family] = [each for each in registry.collect() if each.name == "ingest_stream_state"]
        assert [each.labels["state"] for each in family.samples if each.value] == [state]


async def test_each_kind_of_write_is_healthy_until_it_fails() -> None:
    runtime = runtime_state()
    registry = registry_of(runtime)
    runtime.sink_health.record_result("heartbeat", "denied")
    health = {
        what: registry.get_sample_value("ingest_sink_healthy", {"what": what})
        for what in ("quotes", "documents", "records", "gaps", "heartbeat")
    }
    assert health == {"quotes": 1, "documents": 1, "records": 1, "gaps": 1, "heartbeat": 0}


async def test_symbols_are_counted_by_their_freshness() -> None:
    runtime = runtime_state(desired(symbols=["AAPL", "MSFT"]))
    runtime.stream.on_state("Live")
    runtime.stream.on_acknowledgement(runtime.desired.value.symbols, ())
    registry = registry_of(runtime)
    assert registry.get_sample_value("ingest_freshness_symbols", {"state": "quiet"}) == 2
    assert registry.get_sample_value("ingest_freshness_symbols", {"state": "stale"}) == 0


async def test_a_heartbeat_that_was_never_acknowledged_is_as_old_as_the_process() -> None:
    runtime = runtime_state()
    registry, name = registry_of(runtime), "ingest_heartbeat_timestamp_seconds"
    await at(30)
    assert registry.get_sample_value(name) == START.timestamp()
    runtime.instruments.measurements.record_heartbeat(runtime.now())
    assert registry.get_sample_value(name) == START.timestamp() + 30


async def test_the_cap_of_writes_is_that_of_the_limits() -> None:
    registry = registry_of(runtime_state(desired(limits={"writesPerSecond": 7})))
    assert registry.get_sample_value("ingest_write_cap_documents_per_second") == 7
