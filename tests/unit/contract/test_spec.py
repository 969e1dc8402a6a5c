from typing import Any

import msgspec

from sluice_contract.ibkr import IBKRSettings
from sluice_contract.limits import WriteLimits
from sluice_contract.schema import field_rows, open_api_schema
from sluice_contract.spec import HOT_FIELDS, HeartbeatSettings, IngestJobSpec, with_default_hot_fields


def test_every_hot_field_is_a_field() -> None:
    assert {path for path, _, _ in field_rows(open_api_schema()["properties"]["spec"])} >= HOT_FIELDS


def test_the_cold_part_changes_with_every_cold_field_and_no_hot_one() -> None:
    spec = IngestJobSpec(tenant="a", provider="synthetic", symbols=["A"])
    hot: dict[str, Any] = {"symbols": ["B"], "enabled": False, "dry_run": True, "limits": WriteLimits(burst=1)}
    assert with_default_hot_fields(msgspec.structs.replace(spec, **hot)) == with_default_hot_fields(spec)
    assert with_default_hot_fields(
        msgspec.structs.replace(spec, heartbeat=HeartbeatSettings(interval_seconds=1))
    ) == with_default_hot_fields(spec)
    for changes in (
        {"tenant": "b"},
        {"provider": "replay"},
        {"heartbeat": HeartbeatSettings(document="other")},
        {"ibkr": IBKRSettings(host="a")},
    ):
        assert with_default_hot_fields(msgspec.structs.replace(spec, **changes)) != with_default_hot_fields(spec)


def test_provider_tenant_and_sink_are_cold() -> None:
    assert HOT_FIELDS.isdisjoint({"tenant", "provider", "alpaca", "ibkr", "synthetic", "replay", "firestore"})


def test_the_defaults_are_those_of_the_documentation() -> None:
    spec = IngestJobSpec(tenant="a", provider="synthetic", symbols=["A"])
    limits = spec.limits
    assert (spec.enabled, spec.dry_run, spec.pause, spec.paused_symbols) == (True, False, None, [])
    assert (limits.min_interval_milliseconds, limits.writes_per_second, limits.burst) == (1000, 20, 40)
    assert (limits.flush_interval_milliseconds, spec.heartbeat.interval_seconds) == (200, 15)
    assert spec.heartbeat.document == "market_ingest"
