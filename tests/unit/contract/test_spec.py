import msgspec

from sluice_contract.hot_fields import hot_field_paths
from sluice_contract.schema import field_rows, open_api_schema
from sluice_contract.spec import HeartbeatSettings, IngestJobSpec, with_default_hot_fields
from sluice_contract.synthetic import SyntheticSettings


def test_every_hot_field_is_a_field() -> None:
    fields = {path for path, _, _ in field_rows(open_api_schema()["properties"]["spec"])}
    assert fields >= hot_field_paths(IngestJobSpec)


def test_provider_tenant_and_sink_are_cold() -> None:
    hot = {path.partition(".")[0] for path in hot_field_paths(IngestJobSpec)}
    assert hot.isdisjoint({"tenant", "provider", "alpaca", "ibkr", "synthetic", "replay", "firestore", "http", "pod"})


def test_the_cold_part_has_a_placeholder_for_the_symbols_and_the_cold_fields_of_the_spec() -> None:
    beat = HeartbeatSettings(interval_seconds=3, document="beat")
    spec = IngestJobSpec(tenant="a", provider="replay", symbols=["A"], enabled=False, heartbeat=beat)
    assert with_default_hot_fields(spec) == IngestJobSpec(
        tenant="a", provider="replay", symbols=["X"], heartbeat=HeartbeatSettings(document="beat")
    )


def test_the_defaults_are_those_of_the_documentation() -> None:
    spec = IngestJobSpec(tenant="a", provider="synthetic", symbols=["A"])
    limits = spec.limits
    assert (spec.enabled, spec.dry_run, spec.pause, spec.paused_symbols) == (True, False, None, [])
    assert (limits.min_interval_milliseconds, limits.writes_per_second, limits.burst) == (1000, 20, 40)
    assert (limits.flush_interval_milliseconds, spec.heartbeat.interval_seconds) == (200, 15)
    assert spec.heartbeat.document == "market_ingest"


def test_the_block_of_the_provider_is_the_field_of_its_name() -> None:
    block = SyntheticSettings()
    spec = IngestJobSpec(tenant="a", provider="synthetic", symbols=["A"], synthetic=block)
    assert spec.provider_block is block
    assert msgspec.structs.replace(spec, provider="ibkr").provider_block is None
